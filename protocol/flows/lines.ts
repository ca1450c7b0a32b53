/**
 * Events as lines of JSON, numbered from 0 and kept in entries of some KiB: what waits for its delivery, and what was set aside.
 *
 *   entry  number of its first line -> number of lines, a space, time of their coming; behind a line feed each, the lines: nothing for one
 *          that was taken out
 */
import { fromSortableWhole, sortableWhole } from "../../dataflow/keys.ts";
import type { ShardStore } from "../../dataflow/operators/store.ts";
import { LIMITS } from "../limits.ts";

const PAGE = 8;

/** What an entry has beside its lines, at most. */
export const LINE_ENTRY_HEAD_BYTES = 64;

/** One entry. */
export interface KeptLines {
  readonly key: string;
  readonly text: string;
}

/** The entries of lines whose first has the number `begin`. A line has no line feed. */
export function entriesOf(lines: readonly string[], begin: number, at: number): KeptLines[] {
  const entries: KeptLines[] = [];
  for (let from = 0; from < lines.length;) {
    let to = from;
    let size = 0;
    while (to < lines.length && (to === from || size + (lines[to] as string).length <= LIMITS.lineEntryUnits))
      size += (lines[to++] as string).length;
    entries.push({ key: sortableWhole(begin + from), text: `${to - from} ${at}\n${lines.slice(from, to).join("\n")}` });
    from = to;
  }
  return entries;
}

/** Lines with their numbers. */
export interface NumberedLines {
  readonly numbers: readonly number[];
  readonly lines: readonly string[];
}

/** Lines from a number on, or from the first that is left, for as long as they are wanted. */
export function linesFrom(
  store: ShardStore,
  collection: string,
  from: number,
  wanted: (line: string, taken: number) => boolean,
): NumberedLines {
  const before = entryOf(store, collection, from);
  const lines: string[] = [];
  const numbers: number[] = [];
  let page = store.range(collection, { from: before?.[0] ?? sortableWhole(from), limit: PAGE });
  while (page.length > 0) {
    for (const [key, text] of page) {
      const begin = numberOf(key);
      const [, ...all] = text.split("\n");
      for (let at = Math.max(0, from - begin); at < all.length; at++) {
        const line = all[at] as string;
        if (line === GONE) continue;
        if (!wanted(line, lines.length)) return { numbers, lines };
        lines.push(line);
        numbers.push(begin + at);
      }
    }
    const last = page.at(-1)?.[0] as string;
    page = page.length < PAGE ? [] : store.range(collection, { from: `${last}\u0000`, limit: PAGE });
  }
  return { numbers, lines };
}

/** What stands for a line that was taken out. JSON is never empty. */
const GONE = "";

/** The last entry that begins with a number, or before it: it may reach beyond it. */
function entryOf(store: ShardStore, collection: string, number: number): readonly [string, string] | undefined {
  return store.range(collection, { to: `${sortableWhole(number)}\u0000`, limit: 1, reverse: true })[0];
}

/** Takes a line out; null when it is not there (any more). The others keep their numbers. */
export function takeLine(store: ShardStore, collection: string, number: number): string | null {
  const entry = entryOf(store, collection, number);
  if (entry === undefined) return null;
  const [key, text] = entry;
  const lines = text.split("\n");
  // Behind the entry's head.
  const at = number - numberOf(key) + 1;
  const line = lines[at];
  if (line === undefined || line === GONE) return null;
  lines[at] = GONE;
  // The last one says where numbers go on.
  const isLast = store.range(collection, { from: `${key}\u0000`, limit: 1 }).length === 0;
  store.put(collection, key, isEmpty(lines) && !isLast ? null : lines.join("\n"));
  return line;
}

/** Whether an entry has such a line. */
export function hasLine(text: string, isOne: (line: string) => boolean): boolean {
  return text.split("\n").some((line, place) => place > 0 && line !== GONE && isOne(line));
}

/** An entry without such lines; the others keep their numbers. Null when none is left, and the entry is not the last. */
export function withoutLines(text: string, isGone: (line: string) => boolean, isLast: () => boolean): string | null {
  const lines = text.split("\n").map((line, place) => (place > 0 && line !== GONE && isGone(line) ? GONE : line));
  return isEmpty(lines) && !isLast() ? null : lines.join("\n");
}

/** Whether nothing is left behind its head. */
function isEmpty(lines: readonly string[]): boolean {
  return lines.every((each, place) => place === 0 || each === GONE);
}

/** Drops the oldest entries for as long as they are to go, at most so many. Returns the characters that they had. */
export function dropLines(
  store: ShardStore,
  collection: string,
  isGone: (entry: { readonly end: number; readonly at: number }) => boolean,
  most: number,
): number {
  let units = 0;
  let from = "";
  for (let dropped = 0; dropped < most; dropped++) {
    const [oldest] = store.range(collection, { from, limit: 1 });
    if (oldest === undefined) break;
    const [key, text] = oldest;
    const { count, at } = headOf(text);
    if (!isGone({ end: numberOf(key) + count, at })) break;
    store.put(collection, key, null);
    units += text.length;
    from = `${key}\u0000`;
  }
  return units;
}

/** Number behind that of the last line; 0 where there is none. */
export function endOfLines(store: ShardStore, collection: string): number {
  const [last] = store.range(collection, { limit: 1, reverse: true });
  return last === undefined ? 0 : numberOf(last[0]) + headOf(last[1]).count;
}

function headOf(text: string): { readonly count: number; readonly at: number } {
  const [count, at] = text.slice(0, text.indexOf("\n")).split(" ").map(Number) as [number, number];
  return { count, at };
}

function numberOf(key: string): number {
  return Number(fromSortableWhole(key));
}
