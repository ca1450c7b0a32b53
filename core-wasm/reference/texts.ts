/** Twin of the functions over texts in bytes. */
import { checkNeedle } from "../text-ranges.ts";
import type { TextRanges } from "../types.ts";

/** Where the needle is first whole between `from` and `to`, or -1. */
function indexOf(bytes: Uint8Array, needle: Uint8Array, from: number, to: number): number {
  for (let at = from; at + needle.length <= to; at++) if (needle.every((byte, i) => bytes[at + i] === byte)) return at;
  return -1;
}

/** See {@link Kernels.splitTexts}. */
export function splitTexts(
  bytes: Uint8Array,
  texts: TextRanges,
  separator: Uint8Array,
  part: number,
): { starts: Uint32Array; ends: Uint32Array } {
  checkNeedle(separator);
  const [starts, ends] = [texts.starts.slice(), texts.ends.slice()];
  for (let at = 0; at < starts.length; at++) {
    const end = ends[at] as number;
    let start = starts[at] as number;
    for (let left = part; left > 0 && start < end; left--) {
      const found = indexOf(bytes, separator, start, end);
      start = found < 0 ? end : found + separator.length;
    }
    const next = indexOf(bytes, separator, start, end);
    starts[at] = start;
    if (next >= 0) ends[at] = next;
  }
  return { starts, ends };
}

/** See {@link Kernels.countInTexts}. */
export function countInTexts(bytes: Uint8Array, texts: TextRanges, needle: Uint8Array, most: number): Uint32Array {
  checkNeedle(needle);
  return texts.starts.map((start, text) => {
    const end = texts.ends[text] as number;
    let count = 0;
    for (let at = start; count < most; count++) {
      const found = indexOf(bytes, needle, at, end);
      if (found < 0) break;
      at = found + needle.length;
    }
    return count;
  });
}
