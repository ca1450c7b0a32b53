/** Turns that are counted, behind those that warm up. */

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

/**
 * Calls of a warm-up. V8 compiles a function by how often it has run, and alone a turn has some thousand calls: their time falls for as long, that of a
 * transfer from 3.1 to 3.7 times a bare write in the first turns to 2.8, and no further.
 */
export const WARM_CALLS = 7_500;
