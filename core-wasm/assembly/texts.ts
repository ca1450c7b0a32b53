/** Functions over texts that are ranges of one piece of UTF-8: a start and an end for each, u32 offsets, all starts before all ends. */
import { sameBytes } from "./bytes";

/** Address of the first needle that is whole between `at` and `end`, or 0: 16 bytes at a time by its first byte. */
function findBytes(at: usize, end: usize, needle: usize, length: usize): usize {
  if (at + length > end) return 0;
  const last = end - length;
  const first = i8x16.splat(load<i8>(needle));
  while (true) {
    for (let left = i8x16.bitmask(i8x16.eq(v128.load(at), first)); left != 0; left &= left - 1) {
      const found = at + <usize>ctz(left);
      if (found > last) return 0;
      if (length == 1 || sameBytes(found + 1, needle + 1, length - 1)) return found;
    }
    at += 16;
    if (at > last) return 0;
  }
}

/** Puts the range of a part of each text in the place of the text's own; an empty one at its end where it has not so many parts. */
export function splitTexts(
  heap: usize,
  bytes: usize,
  ranges: usize,
  count: usize,
  needle: usize,
  length: usize,
  part: u32,
): void {
  const toEnd = count << 2;
  for (let at = ranges, behind = ranges + toEnd; at < behind; at += 4) {
    const end = <usize>load<u32>(at + toEnd);
    let start = heap + <usize>load<u32>(at);
    assert(start <= heap + end && end <= bytes);
    let separator: usize = 0;
    for (let left = part; left != 0; left--) {
      separator = findBytes(start, heap + end, needle, length);
      start = separator == 0 ? heap + end : separator + length;
      if (separator == 0) break;
    }
    // Behind the last separator there may be nothing but an empty part.
    separator = findBytes(start, heap + end, needle, length);
    store<u32>(at, <u32>(start - heap));
    if (separator != 0) store<u32>(at + toEnd, <u32>(separator - heap));
  }
}

/** Puts the number of needles in each text, `most` at most, in the place of the text's start. */
export function countInTexts(
  heap: usize,
  bytes: usize,
  ranges: usize,
  count: usize,
  needle: usize,
  length: usize,
  most: u32,
): void {
  const toEnd = count << 2;
  for (let at = ranges, behind = ranges + toEnd; at < behind; at += 4) {
    const end = heap + <usize>load<u32>(at + toEnd);
    let start = heap + <usize>load<u32>(at);
    assert(start <= end && end <= heap + bytes);
    let found: u32 = 0;
    while (found < most) {
      const next = findBytes(start, end, needle, length);
      if (next == 0) break;
      found++;
      start = next + length;
    }
    store<u32>(at, found);
  }
}
