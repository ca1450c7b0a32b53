/** Short copies and line ends for the batch kernels, 16 bytes at a time. */

const LONG: usize = 128;

/** Copies `length` bytes; may overwrite up to 31 bytes behind the target and read as many behind the source. Returns the target's end. */
export function copyShort(to: usize, from: usize, length: usize): usize {
  // Most texts are shorter than this, and two vectors cost less than a mispredicted branch.
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
  if (length > 32) copyLong(to, from, length);
  return to + length;
}

function copyLong(to: usize, from: usize, length: usize): void {
  if (length > LONG) memory.copy(to, from, length);
  else for (let i: usize = 32; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}

/** The first LF at or after `p`, or `end`. Relies on slack behind `end`. */
export function lineEnd(p: usize, end: usize): usize {
  const feed = i8x16.splat(10);
  for (; p < end; p += 16) {
    const feeds = i8x16.bitmask(i8x16.eq(v128.load(p), feed));
    if (feeds) return min(end, p + ctz(feeds));
  }
  return end;
}

/** Lines of the text: its LFs, and one more when something follows the last. */
export function countLines(text: usize, length: usize): u32 {
  if (length == 0) return 0;
  const feed = i8x16.splat(10);
  const end = text + length;
  let lines: u32 = 0;
  let p = text;
  for (; p + 16 <= end; p += 16) lines += popcnt(<u32>i8x16.bitmask(i8x16.eq(v128.load(p), feed)));
  for (; p < end; p++) lines += load<u8>(p) == 10 ? 1 : 0;
  return lines + (load<u8>(end - 1) == 10 ? 0 : 1);
}
