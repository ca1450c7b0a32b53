/** Runs planted bugs until they are found: the table that `--bugs` prints. */
import { Pool } from "../pool/pool.ts";
import type { Settings } from "../pool/messages.ts";
import { BUGS } from "./bugs.ts";
import { foundBy, HEAD, rowOf } from "./table.ts";

export interface Hunt {
  readonly from: number;
  /** At most so many. */
  readonly seeds: number;
  readonly jobs: number;
  /** A seed to begin with, for one that is known to fail; the others follow. */
  readonly hint?: number;
}

export interface Found {
  readonly seed: number;
  /** How it shows. */
  readonly failure: string;
}

const CHUNK = 5;

/** @returns the lowest seed that was run and failed, or null when none did */
export async function hunt(settings: Settings, { from, seeds, jobs, hint }: Hunt): Promise<Found | null> {
  const pool = new Pool(settings, jobs);
  const failed: Found[] = [];
  let next = from;
  const run = async (chunk: readonly number[]): Promise<void> => {
    const done = await pool.ask({ kind: "seeds", seeds: chunk });
    if (done.kind !== "seeds") return;
    for (const { seed, failures } of done.results) {
      if (failures[0] !== undefined) failed.push({ seed, failure: failures[0] });
    }
  };
  const work = async (): Promise<void> => {
    while (next < from + seeds && failed.length === 0) {
      const chunk = Array.from({ length: Math.min(CHUNK, from + seeds - next) }, (_, n) => next + n);
      next += chunk.length;
      await run(chunk);
    }
  };
  if (hint !== undefined) await run([hint]);
  await Promise.all(Array.from({ length: jobs }, work));
  await pool.close();
  return failed.sort((a, b) => a.seed - b.seed)[0] ?? null;
}

/**
 * @param only names; all when there is none
 * @returns the exit code: 0 when all were found
 */
export async function tryBugs(settings: Settings, how: Hunt, only: readonly string[]): Promise<number> {
  const bugs = BUGS.filter(({ name }) => only.length === 0 || only.includes(name));
  let missed = 0;
  console.log(HEAD);
  for (const bug of bugs) {
    const found = await hunt({ ...settings, bug: bug.name }, how);
    if (!found) missed += 1;
    console.log(rowOf(bug, found && { seed: found.seed, by: foundBy(found.failure) }));
  }
  console.log(`${bugs.length - missed} of ${bugs.length} planted bugs found`);
  return missed > 0 ? 1 : 0;
}
