/** Chance with a seed, so that a run can be repeated: the same seed makes the same calls and events. */

/** At least 0, below 1. */
export type Random = () => number;

/** sfc32 (PractRand, Chris Doty-Humphrey), seeded by a number and a name so that parts of a run do not share a sequence. */
export function random(seed: number, part: string): Random {
  let [a, b, c, counter] = [seed | 0, 0x9e3779b9, 0x243f6a88, 1];
  for (const char of part) a = (Math.imul(a, 31) + char.charCodeAt(0)) | 0;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11) | 0) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let round = 0; round < WARM_UP; round++) next();
  return next;
}
/** Rounds after which similar seeds have parted. */
const WARM_UP = 20;

/** A whole number from `from` to `to`, both included. */
export function between(chance: Random, from: number, to: number): number {
  return from + Math.floor(chance() * (to - from + 1));
}

/** One of some things. */
export function oneOf<T>(chance: Random, things: readonly T[]): T {
  const thing = things[Math.floor(chance() * things.length)];
  if (thing === undefined) throw new RangeError("there is nothing to choose from");
  return thing;
}

/** Entries of the table that ranks are drawn from; a draw is one look-up. */
const TABLE = 1 << 16;

/** Share of each rank from 0 to `count - 1`: proportional to 1 / (rank + 1) ** skew. */
export function zipfShares(count: number, skew: number): number[] {
  const weights = Array.from({ length: count }, (_, rank) => 1 / (rank + 1) ** skew);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Ranks from 0 to `count - 1`, each as often as `zipfShares` says. */
export function zipf(count: number, skew: number): (chance: Random) => number {
  const shares = zipfShares(count, skew);
  const table = new Uint32Array(TABLE);
  let rank = 0;
  let reached = shares[0] ?? 0;
  for (let at = 0; at < TABLE; at++) {
    while (at / TABLE > reached && rank < count - 1) reached += shares[++rank] ?? 0;
    table[at] = rank;
  }
  return (chance) => table[Math.floor(chance() * TABLE)] ?? 0;
}
