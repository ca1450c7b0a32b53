/** Turns that are counted, behind those that warm up. */

/** Turns that warm up, at the most. */
const MAX_WARM_TURNS = 10;

/**
 * Calls of a warm-up. V8 compiles a function by how often it has run, and alone a turn has some thousand calls: their time falls for as long, that of a
 * transfer from 3.1 to 3.7 times a bare write in the first turns to 2.8, and no further.
 */
const WARM_CALLS = 7_500;

/**
 * Plays `runs` turns after those that are not counted.
 * @param callsOf how many calls a turn of the warm-up had, which lasts until there are enough; by default it is one turn
 */
export async function counted<T>(
  runs: number,
  turn: () => Promise<T>,
  callsOf: (played: T) => number = () => WARM_CALLS,
): Promise<T[]> {
  for (let warm = 0, calls = 0; calls < WARM_CALLS && warm < MAX_WARM_TURNS; warm++) calls += callsOf(await turn());
  const turns: T[] = [];
  for (let run = 0; run < runs; run++) turns.push(await turn());
  return turns;
}
