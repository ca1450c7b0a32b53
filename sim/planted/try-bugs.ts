/** Runs every planted bug until it is found: the table that `--bugs` prints. */
import { Pool } from "../pool/pool.ts";
import type { Settings } from "../pool/messages.ts";
import { BUGS } from "./bugs.ts";

export interface Hunt {
  readonly from: number;
  /** At most so many. */
  readonly seeds: number;
  readonly jobs: number;
}

export interface Found {
  readonly seed: number;
  /** How it shows. */
  readonly failure: string;
}

const CHUNK = 5;

/** @returns the lowest seed that was run and failed, or null when none did */
export async function hunt(settings: Settings, { from, seeds, jobs }: Hunt): Promise<Found | null> {
  const pool = new Pool(settings, jobs);
  const failed: Found[] = [];
  let next = from;
  const work = async (): Promise<void> => {
    while (next < from + seeds && failed.length === 0) {
      const chunk = Array.from({ length: Math.min(CHUNK, from + seeds - next) }, (_, n) => next + n);
      next += chunk.length;
      const done = await pool.ask({ kind: "seeds", seeds: chunk });
      if (done.kind !== "seeds") continue;
      for (const { seed, failures } of done.results) {
        if (failures[0] !== undefined) failed.push({ seed, failure: failures[0] });
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  await pool.close();
  return failed.sort((a, b) => a.seed - b.seed)[0] ?? null;
}

/** @returns the exit code: 0 when all were found */
export async function tryBugs(settings: Settings, how: Hunt): Promise<number> {
  let missed = 0;
  for (const { name, what } of BUGS) {
    const found = await hunt({ ...settings, bug: name }, how);
    if (!found) missed += 1;
    const shown = found ? `seed ${found.seed}: ${found.failure.split("\n")[0]?.slice(0, 160)}` : "NOT FOUND";
    console.log(`${name} (${what})\n  ${shown}`);
  }
  console.log(`${BUGS.length - missed} of ${BUGS.length} planted bugs found`);
  return missed > 0 ? 1 : 0;
}
