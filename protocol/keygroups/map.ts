/** The key-group map: which partition owns which key group. Stored and versioned by the coordinator; copied by partitions and edges. */
import { invariant } from "../assert.ts";

/** Key groups of every domain. A power of two; fixed for good, since a key's group is `hash & (KEY_GROUPS - 1)`. */
export const KEY_GROUPS = 1024;

export interface KeyGroupMap {
  /** Raised by one at every change; 1 at first. */
  readonly version: number;
  readonly partitions: number;
  /** Partition of each key group; length {@link KEY_GROUPS}. */
  readonly groups: Uint16Array;
}

/** The first map of a domain: groups dealt out in contiguous, equal ranges. */
export function initialMap(partitions: number): KeyGroupMap {
  const groups = new Uint16Array(KEY_GROUPS);
  for (let group = 0; group < KEY_GROUPS; group++) groups[group] = Math.floor((group * partitions) / KEY_GROUPS);
  return { version: 1, partitions, groups };
}

export function groupOfHash(hash: number): number {
  return hash & (KEY_GROUPS - 1);
}

export function partitionOfHash(map: KeyGroupMap, hash: number): number {
  const partition = map.groups[groupOfHash(hash)];
  invariant(
    partition !== undefined && partition < map.partitions,
    "key-group map names a partition that it does not have",
  );
  return partition;
}

/** As stored: JSON, since it is small and read once per start. */
export function encodeMap(map: KeyGroupMap): string {
  return JSON.stringify({ format: 1, version: map.version, partitions: map.partitions, groups: [...map.groups] });
}

export function decodeMap(text: string): KeyGroupMap {
  const stored = JSON.parse(text) as { format: number; version: number; partitions: number; groups: number[] };
  invariant(stored.format === 1, `key-group map has format ${stored.format}; this version reads 1`);
  invariant(stored.groups.length === KEY_GROUPS, "key-group map has the wrong length");
  return { version: stored.version, partitions: stored.partitions, groups: Uint16Array.from(stored.groups) };
}
