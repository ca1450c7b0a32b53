/** What the groups of rows share: turns of which the first warm up, and words for shares of a core. */
import { pick } from "../../lib/report.ts";

/** Turns that warm up, at the most. */
const MAX_WARM_TURNS = 10;

/**
 * Plays `runs` turns after those that are not counted.
 * @param isWarm whether these turns of the warm-up are enough, by default one
 */
export async function counted<T>(
  runs: number,
  turn: () => Promise<T>,
  isWarm: (played: readonly T[]) => boolean = () => true,
): Promise<T[]> {
  const warm: T[] = [];
  do warm.push(await turn());
  while (!isWarm(warm) && warm.length < MAX_WARM_TURNS);
  const turns: T[] = [];
  for (let run = 0; run < runs; run++) turns.push(await turn());
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
