/**
 * The header that columns frames and window groups share with packed tables, and its checksum.
 *
 * ```
 * 0 magic u32 | 4 kind u16 | 6 version u16 | 8 rows u32 | 12 shape u32 | 16 size u32 | 20 more u32 | 24 checksum u64 | 32 body
 * ```
 */
import { xxh64 } from "./xxh64";

export const FRAME_HEADER: usize = 32;
const CHECKSUM_AT: usize = 24;

/** What is wrong with a frame; facade/frames.ts has the same numbers. */
export const OK: u32 = 0;
export const WRONG_MAGIC: u32 = 1;
export const WRONG_KIND: u32 = 2;
export const WRONG_VERSION: u32 = 3;
export const WRONG_LENGTH: u32 = 4;
export const WRONG_CHECKSUM: u32 = 5;

function frameChecksum(frame: usize, length: usize): u64 {
  return xxh64(frame + FRAME_HEADER, length - FRAME_HEADER, xxh64(frame, CHECKSUM_AT, 0));
}

/** Writes the header but for the checksum. */
export function putHeader(frame: usize, magic: u32, label: u32, rows: u32, shape: u32, size: u32, more: u32): void {
  store<u32>(frame, magic);
  store<u32>(frame, label, 4);
  store<u32>(frame, rows, 8);
  store<u32>(frame, shape, 12);
  store<u32>(frame, size, 16);
  store<u32>(frame, more, 20);
}

/** Writes the header; the body is in place. */
export function sealFrame(
  frame: usize,
  length: usize,
  magic: u32,
  label: u32,
  rows: u32,
  shape: u32,
  size: u32,
  more: u32,
): void {
  putHeader(frame, magic, label, rows, shape, size, more);
  store<u64>(frame, frameChecksum(frame, length), CHECKSUM_AT);
}

/** Checks magic, kind, version and checksum of `length` bytes; `label` is `kind | version << 16`. Whether the lengths inside add up is for the caller. */
export function checkFrame(frame: usize, length: usize, magic: u32, label: u32): u32 {
  if (length < FRAME_HEADER) return WRONG_LENGTH;
  if (load<u32>(frame) != magic) return WRONG_MAGIC;
  const found = load<u32>(frame, 4);
  if ((found & 0xffff) != (label & 0xffff)) return WRONG_KIND;
  if (found != label) return WRONG_VERSION;
  if (load<u64>(frame, CHECKSUM_AT) != frameChecksum(frame, length)) return WRONG_CHECKSUM;
  return OK;
}

/** Whether `count` u32 at `ends` never fall and the last is `total`: the ends of strings that fill a heap. */
export function endsFill(ends: usize, count: u32, total: u32): bool {
  let last: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const end = load<u32>(ends + ((<usize>i) << 2));
    if (end < last) return false;
    last = end;
  }
  return last == total;
}
