/** Lists of number tuples as text, "1:2,3:4": what a row of fixed columns has no room for. The empty list is the empty text. */
import { CorruptError } from "../../../core-wasm/types.ts";

const NUMBER = /^\d{1,16}$/;

/** Refuses what a peer sent. Bytes from outside are not this instance's own memory, so this is no broken invariant of it. */
export function malformed(detail: string): never {
  throw new CorruptError("kind", detail);
}

export function formatTuples(tuples: Iterable<readonly number[]>): string {
  const parts: string[] = [];
  for (const tuple of tuples) parts.push(tuple.join(":"));
  return parts.join(",");
}

/** Calls back for each tuple rather than returning them: most callers build something else of them. @throws CorruptError */
export function eachTuple(text: string, width: number, use: (tuple: readonly number[]) => void): void {
  if (text === "") return;
  for (const part of text.split(",")) {
    const tuple = part.split(":").map(parseNumber);
    if (tuple.length !== width) malformed(`a tuple of ${tuple.length} where ${width} belong`);
    use(tuple);
  }
}

export function parsePairs(text: string): Array<readonly [number, number]> {
  const pairs: Array<readonly [number, number]> = [];
  eachTuple(text, 2, ([first = 0, second = 0]) => void pairs.push([first, second]));
  return pairs;
}

/** @throws CorruptError also for a key that occurs twice. */
export function parseMap(text: string): Map<number, number> {
  const pairs = parsePairs(text);
  const map = new Map(pairs);
  if (map.size !== pairs.length) malformed("a peer occurs twice");
  return map;
}

function parseNumber(text: string): number {
  const value = NUMBER.test(text) ? Number(text) : -1;
  return Number.isSafeInteger(value) && value >= 0 ? value : malformed("a number is expected in a list");
}
