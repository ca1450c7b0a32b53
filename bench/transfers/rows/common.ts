/** What the groups of rows share: turns of which the first warms up, and words for shares of a core. */
import { pick } from "../../lib/report.ts";

/** Plays `runs` turns after one that is not counted. */
export async function counted<T>(runs: number, turn: () => Promise<T>): Promise<T[]> {
  const turns: T[] = [];
  for (let run = -1; run < runs; run++) {
    const played = await turn();
    if (run >= 0) turns.push(played);
  }
  return turns;
}

/** The largest of one figure. */
export function most<F extends string>(runs: ReadonlyArray<Readonly<Record<F, number>>>, figure: F): number {
  return Math.max(...pick(runs, figure));
}

/** A share of a core. */
export function share(cpu: number): string {
  return `${Math.round(cpu * 100)} %`;
}
