/** `npm run sim -- --enumerate`: small scenarios with crashes at every point where one makes a difference, and at pairs of them. */
import type { Explored } from "./enumerate/explore.ts";
import { SCENARIO_NAMES } from "./enumerate/scenarios.ts";
import type { Settings } from "./pool/messages.ts";
import { Pool } from "./pool/pool.ts";

export interface EnumerateOptions {
  readonly jobs: number;
  /** Pairs at most, of each scenario. */
  readonly pairs: number;
  /** Also the single crashes that come to the same as others. */
  readonly every: boolean;
  /** One scenario by name; all when absent. */
  readonly only?: string;
}

/** So small that the scenario of folding folds. */
const LIMITS = { foldBytes: 600, foldBytesPerTurn: 60, blockBytes: 60, carriedResults: 1 } as const;

export async function enumerate(
  settings: Settings,
  { jobs, pairs, every, only }: EnumerateOptions,
): Promise<Explored[]> {
  const pool = new Pool({ ...settings, limits: LIMITS }, jobs);
  try {
    const names = only === undefined ? SCENARIO_NAMES : [only];
    const orders = names.map((scenario) => pool.ask({ kind: "enumerate", scenario, pairs, every }));
    return (await Promise.all(orders)).flatMap((answer) => (answer.kind === "enumerated" ? [answer.explored] : []));
  } finally {
    await pool.close();
  }
}

export function showExplored(all: readonly Explored[]): string {
  const lines = all.map(
    ({ name, boundaries, singles, classes, pairs, pairsRun, failures }) =>
      `${name.padEnd(32)} ${String(boundaries).padStart(4)} boundaries, ${String(singles).padStart(5)} single crashes ` +
      `(${classes} different), ${String(pairsRun).padStart(6)} of ${pairs} pairs, ${failures.length} failures`,
  );
  const failures = all.flatMap((each) => each.failures);
  const runs = all.reduce((sum, { singles, pairsRun }) => sum + 1 + singles + pairsRun, 0);
  return [...lines, `${runs} runs, ${failures.length} failures`, ...failures.map((text) => `FAILED: ${text}`)].join(
    "\n",
  );
}
