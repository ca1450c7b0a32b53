/** Runs a scenario with a crash at each of its boundaries, then at pairs of them, and gathers what was found wrong. */
import type { Kernels } from "../../core-wasm/types.ts";
import { runPlan } from "../run.ts";
import type { CrashManner } from "../world/object.ts";
import { steady } from "../world/profile.ts";
import { type Boundary, type CrashPoint, CrashPoints } from "./crash-points.ts";
import type { Scenario } from "./scenarios.ts";

export interface ExploreOptions {
  readonly kernels: Kernels;
  /** Pairs at most; spread evenly over all when there are more. */
  readonly pairs: number;
  /** Single crashes also where they come to the same as at the boundary before, or keep and lose the same. */
  readonly every: boolean;
}

export interface Explored {
  readonly name: string;
  /** Of the run without a crash. */
  readonly boundaries: number;
  readonly singles: number;
  /** First crashes that came to something of their own. */
  readonly classes: number;
  /** Pairs that are not known to come to the same as others, and how many of them were run. */
  readonly pairs: number;
  readonly pairsRun: number;
  readonly failures: readonly string[];
}

const HOP_MS = 1;
const CONFIRM_MS = 4;
/** Boundaries count until so long after the last answer: decisions, folding and leaving come then. */
const LINGER_MS = 120;
const SHOWN = 20;

function manner(kind: string, how: Pick<CrashManner, "keep" | "zombie"> & { readonly said?: boolean }): CrashManner {
  return { bootMs: 1, kind, ...how };
}
const NONE = manner("keeps nothing unconfirmed", { keep: "none", zombie: false, said: false });
const ALL = manner("keeps everything", { keep: "all", zombie: false, said: true });
const SILENT = manner("keeps everything, said nothing", { keep: "all", zombie: false, said: false });
const REPLACED = manner("is replaced and lives on", { keep: "all", zombie: true });
const FIRST: readonly CrashManner[] = [NONE, ALL, SILENT, REPLACED];
const SECOND: readonly CrashManner[] = [NONE, ALL];

export function explore(scenario: Scenario, options: ExploreOptions): Promise<Explored> {
  return new Exploration(scenario, options).run();
}

interface First {
  readonly point: CrashPoint;
  readonly boundaries: readonly Boundary[];
}

class Exploration {
  readonly #scenario: Scenario;
  readonly #options: ExploreOptions;
  readonly #failures: string[] = [];

  constructor(scenario: Scenario, options: ExploreOptions) {
    this.#scenario = scenario;
    this.#options = options;
  }

  async run(): Promise<Explored> {
    const { boundaries } = await this.#run([]);
    const firsts = new Map<number, First>();
    let singles = 0;
    for (const [at, boundary] of boundaries.entries()) {
      for (const how of this.#options.every ? FIRST : manners(boundary, FIRST)) {
        const point = { at, manner: how };
        const points = await this.#run([point]);
        singles += 1;
        if (!firsts.has(points.fingerprint)) firsts.set(points.fingerprint, { point, boundaries: points.boundaries });
      }
    }
    const pairs = [...firsts.values()].flatMap(pairsOf);
    const pairsRun = await this.#runPairs(pairs);
    return {
      name: this.#scenario.name,
      boundaries: boundaries.length,
      singles,
      classes: firsts.size,
      pairs: pairs.length,
      pairsRun,
      failures: this.#failures,
    };
  }

  async #runPairs(pairs: ReadonlyArray<readonly CrashPoint[]>): Promise<number> {
    const step = Math.max(1, pairs.length / this.#options.pairs);
    if (this.#options.pairs === 0) return 0;
    let run = 0;
    for (let next = 0; Math.floor(next) < pairs.length; next += step, run++) {
      await this.#run(pairs[Math.floor(next)] as readonly CrashPoint[]);
    }
    return run;
  }

  async #run(crashes: readonly CrashPoint[]): Promise<CrashPoints> {
    const points = new CrashPoints(crashes);
    const { kernels } = this.#options;
    const { failures } = await runPlan(this.#scenario.plan, {
      kernels,
      profile: steady(HOP_MS, CONFIRM_MS),
      observer: points.observer,
      lingerMs: LINGER_MS,
    });
    if (failures.length > 0 && this.#failures.length < SHOWN) {
      const where = crashes.map(({ at, manner: { kind } }, n) => `${at} ${points.hit[n] ?? `not reached (${kind})`}`);
      this.#failures.push(`${this.#scenario.name}, crash at ${where.join(", then ")}: ${failures[0]}`);
    }
    return points;
  }
}

/** Those that make a difference here: with everything confirmed there is nothing to keep or to lose. */
function manners({ sameAsBefore, unconfirmed }: Boundary, all: readonly CrashManner[]): readonly CrashManner[] {
  if (sameAsBefore) return [];
  return unconfirmed ? all : all.filter((each) => each === NONE || each === REPLACED);
}

/** Second crashes behind a first one; left out are those that come to the same as another of them. */
function pairsOf({ point, boundaries }: First): Array<readonly CrashPoint[]> {
  const pairs: Array<readonly CrashPoint[]> = [];
  for (let at = point.at + 1; at < boundaries.length; at++) {
    for (const how of manners(boundaries[at] as Boundary, SECOND)) pairs.push([point, { at, manner: how }]);
  }
  return pairs;
}
