/** Keys that lie on several partitions. */
import { freshKey, freshKeyNear, PARTITIONS, partitionOf } from "./app.ts";

/** So many fresh keys, each on another partition than the ones before, as far as there are partitions. */
export function keysApart(count: number): [string, string, ...string[]] {
  const keys: string[] = [];
  while (keys.length < count) {
    const key = freshKey();
    const used = new Set(keys.slice(-(keys.length % PARTITIONS)).map(partitionOf));
    if (keys.length % PARTITIONS === 0 || !used.has(partitionOf(key))) keys.push(key);
  }
  return keys as [string, string, ...string[]];
}

/** Fresh keys, one on the partition of each of these. */
export function keysBeside(keys: readonly string[]): string[] {
  return keys.map((key) => freshKeyNear(key, true));
}
