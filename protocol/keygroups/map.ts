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

/**
 * The next map, of another number of partitions, with as few groups moved as it takes: partitions that stay keep what they have up to an equal
 * share, and who has more gives it to who has less. No partition both gives and gets.
 */
export function rescaledMap(map: KeyGroupMap, partitions: number, version = map.version + 1): KeyGroupMap {
  const next = Uint16Array.from(map.groups);
  const held = Array.from({ length: Math.max(partitions, map.partitions) }, (): number[] => []);
  for (const [group, partition] of next.entries()) held[partition]?.push(group);
  const share = Math.floor(KEY_GROUPS / partitions);
  // What is left of equal shares goes to those that have most.
  const staying = held.slice(0, partitions).map((groups, partition) => ({ partition, count: groups.length }));
  const extra = new Set(
    staying
      .sort((a, b) => b.count - a.count || a.partition - b.partition)
      .slice(0, KEY_GROUPS % partitions)
      .map(({ partition }) => partition),
  );
  const shareOf = (partition: number) => (partition < partitions ? share + Number(extra.has(partition)) : 0);
  const free = held.flatMap((groups, partition) => groups.slice(shareOf(partition)));
  for (let partition = 0; partition < partitions; partition++) {
    const lacking = Math.max(0, shareOf(partition) - (held[partition] as number[]).length);
    for (const group of free.splice(0, lacking)) next[group] = partition;
  }
  invariant(free.length === 0, "a key group is left without a partition");
  return { version, partitions, groups: next };
}

/** The groups that go from one partition to another, by these two. */
export function movesBetween(map: KeyGroupMap, next: KeyGroupMap): Map<number, Map<number, Set<number>>> {
  const moves = new Map<number, Map<number, Set<number>>>();
  for (let group = 0; group < KEY_GROUPS; group++) {
    const from = map.groups[group] as number;
    const to = next.groups[group] as number;
    if (from === to) continue;
    const targets = moves.get(from) ?? new Map<number, Set<number>>();
    moves.set(from, targets.set(to, (targets.get(to) ?? new Set()).add(group)));
  }
  return moves;
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

/** As in messages: version, partitions and runs of groups, `partition*groups`, with commas between. */
export function mapToText(map: KeyGroupMap): string {
  const runs: string[] = [];
  for (let from = 0, group = 1; group <= KEY_GROUPS; group++) {
    if (group < KEY_GROUPS && map.groups[group] === map.groups[from]) continue;
    runs.push(`${map.groups[from]}*${group - from}`);
    from = group;
  }
  return [map.version, map.partitions, ...runs].join(",");
}

export function mapOfText(text: string): KeyGroupMap {
  const [version, partitions, ...runs] = text.split(",");
  const map = { version: Number(version), partitions: Number(partitions), groups: new Uint16Array(KEY_GROUPS) };
  let isSound = map.version > 0;
  let at = 0;
  for (const run of runs) {
    const [partition, count] = run.split("*").map(Number) as [number, number];
    isSound &&= partition >= 0 && partition < map.partitions && count > 0;
    map.groups.fill(partition, at, at + count);
    at += count;
  }
  invariant(isSound && at === KEY_GROUPS, "8: a key-group map that no coordinator writes");
  return map;
}
