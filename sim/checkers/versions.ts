/**
 * What a history says of the versions of each key. The longest list that was read is the order of the key's versions; every other
 * read must be a prefix of it (Elle, section 4.2.1: list-append is traceable).
 */
import type { History, Key, Value } from "./history.ts";

/** Operations are meant by their position in the history. */
export interface Write {
  readonly by: number;
  readonly value: Value;
  /** Its operation appends nothing to the key after it. */
  final: boolean;
}

/** One that was answered: those of `fail` and `info` operations were seen by nobody. */
export interface Read {
  readonly by: number;
  readonly values: readonly Value[];
}

export interface KeyVersions {
  readonly key: Key;
  readonly writes: ReadonlyMap<Value, Write>;
  /** The longest list that was read: its values in the order in which they were appended. */
  readonly order: readonly Value[];
  /** Who read `order`; null when nobody read anything but the empty list. */
  readonly longest: Read | null;
  /** Reads that are prefixes of `order`, in the order of the history. */
  readonly prefixes: readonly Read[];
  /** Reads that are not: each is an anomaly of its own and says nothing of the order. */
  readonly strays: readonly Read[];
}

interface Gathered {
  readonly writes: Map<Value, Write>;
  readonly reads: Read[];
}

export function findVersions(history: History): readonly KeyVersions[] {
  const keys = new Map<Key, Gathered>();
  for (const by of history.keys()) gather(history, by, keys);
  return Array.from(keys, ([key, { writes, reads }]) => orderVersions(key, writes, reads));
}

/** A value that was read twice in one list has no place in an order. */
export function repeatedValue(values: readonly Value[]): Value | undefined {
  if (new Set(values).size === values.length) return undefined;
  const seen = new Set<Value>();
  return values.find((value) => seen.size === seen.add(value).size);
}

function gather(history: History, by: number, keys: Map<Key, Gathered>): void {
  const latest = new Map<Key, Write>();
  for (const step of history[by]?.micro ?? []) {
    const [kind, key, what] = step;
    let at = keys.get(key);
    if (!at) keys.set(key, (at = { writes: new Map(), reads: [] }));
    if (kind === "read") {
      if (what !== null && history[by]?.outcome === "ok") at.reads.push({ by, values: what });
      continue;
    }
    if (at.writes.has(what)) throw new Error(`${key} ${what} is appended twice: such a history cannot be checked`);
    const write = { by, value: what, final: true };
    at.writes.set(what, write);
    const before = latest.get(key);
    if (before) before.final = false;
    latest.set(key, write);
  }
}

function orderVersions(key: Key, writes: ReadonlyMap<Value, Write>, reads: readonly Read[]): KeyVersions {
  const longest = longestRead(reads);
  const order = longest?.values ?? [];
  const prefixes: Read[] = [];
  const strays: Read[] = [];
  for (const read of reads) (isPrefix(read.values, order) ? prefixes : strays).push(read);
  return { key, writes, order, longest, prefixes, strays };
}

function longestRead(reads: readonly Read[]): Read | null {
  let longest: Read | null = null;
  for (const read of reads) {
    const longer = read.values.length > (longest?.values.length ?? 0);
    if (longer && repeatedValue(read.values) === undefined) longest = read;
  }
  return longest;
}

function isPrefix(values: readonly Value[], order: readonly Value[]): boolean {
  return values.every((value, index) => value === order[index]);
}
