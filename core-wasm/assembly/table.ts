/** Packed tables: lays them out, checksums and verifies them; docs/formats.md has the layout. */
import { xxh64 } from "./xxh64";

export const TABLE_HEADER: usize = 32;
/** "TGT1" */
const MAGIC: u32 = 0x31544754;
const CHECKSUM_AT: usize = 24;

const OK: u32 = 0;
const WRONG_MAGIC: u32 = 1;
const WRONG_KIND: u32 = 2;
const WRONG_VERSION: u32 = 3;
const WRONG_LENGTH: u32 = 4;
const WRONG_CHECKSUM: u32 = 5;

/** A boundary between two fields falls between the surrogates of a pair. */
const SPLIT_PAIR: u32 = 0xffffffff;

/** Checksum of a table: the body's hash, seeded by the hash of the header before the checksum. */
export function tableChecksum(table: usize, length: usize): u64 {
  return xxh64(table + TABLE_HEADER, length - TABLE_HEADER, xxh64(table, CHECKSUM_AT, 0));
}

/** Writes the header of a table of `length` bytes whose body is in place. `shape` is `columns | fields << 16`, `label` is `kind | version << 16`. */
export function sealTable(
  table: usize,
  length: usize,
  label: u32,
  shape: u32,
  rows: u32,
  heapBytes: u32,
  tailBytes: u32,
): void {
  const cells = <u64>rows * ((shape & 0xffff) + (shape >>> 16));
  if (<u64>TABLE_HEADER + (cells << 2) + heapBytes + tailBytes != <u64>length) unreachable();
  store<u32>(table, MAGIC);
  store<u32>(table, label, 4);
  store<u32>(table, rows, 8);
  store<u32>(table, shape, 12);
  store<u32>(table, heapBytes, 16);
  store<u32>(table, tailBytes, 20);
  store<u64>(table, tableChecksum(table, length), CHECKSUM_AT);
}

/** UTF-8 bytes that begin at `p` and hold `units` UTF-16 code units, or SPLIT_PAIR. The text is well-formed. */
function bytesOfUnits(p: usize, units: u32): u32 {
  const start = p;
  let left = <i32>units;
  const continuation = i8x16.splat(<i8>0xbf);
  const four = i8x16.splat(<i8>0xf0);
  while (left > 16) {
    // A unit for each byte that begins a sequence, and a second one for sequences of four bytes.
    const block = v128.load(p);
    left -= popcnt(<i32>i8x16.bitmask(i8x16.gt_s(block, continuation)));
    left -= popcnt(<i32>i8x16.bitmask(i8x16.ge_u(block, four)));
    p += 16;
  }
  while (true) {
    const byte: u32 = load<u8>(p);
    if ((byte & 0xc0) == 0x80) {
      p++;
      continue;
    }
    if (left <= 0) break;
    left -= byte >= 0xf0 ? 2 : 1;
    p++;
  }
  return left < 0 ? SPLIT_PAIR : <u32>(p - start);
}

/** Turns `count` lengths in UTF-16 units at `lengths` into lengths in bytes of the texts that fill the heap. False for a split pair. Clears the byte behind the heap. */
export function unitsToBytes(lengths: usize, count: u32, heap: usize, heapBytes: usize): bool {
  const heapEnd = heap + heapBytes;
  store<u8>(heapEnd, 0);
  const end = lengths + ((<usize>count) << 2);
  for (let at = lengths; at < end; at += 4) {
    const bytes = bytesOfUnits(heap, load<u32>(at));
    if (bytes == SPLIT_PAIR) return false;
    store<u32>(at, bytes);
    heap += bytes;
  }
  if (heap != heapEnd) unreachable();
  return true;
}

/** UTF-16 units of the `bytes` bytes at `p`; may read up to 15 bytes beyond them. */
function unitsOfBytes(p: usize, bytes: u32): u32 {
  const continuation = i8x16.splat(<i8>0xbf);
  const four = i8x16.splat(<i8>0xf0);
  let units: i32 = 0;
  for (let left = <i32>bytes; left > 0; left -= 16, p += 16) {
    const mask = left < 16 ? (1 << left) - 1 : 0xffff;
    const block = v128.load(p);
    units += popcnt(<i32>i8x16.bitmask(i8x16.gt_s(block, continuation)) & mask);
    units += popcnt(<i32>i8x16.bitmask(i8x16.ge_u(block, four)) & mask);
  }
  return units;
}

/** Replaces `count` lengths at `at` by the offsets of the texts' ends, counted in UTF-16 units; 0 when the lengths do not fill the heap exactly. */
function placeTexts(at: usize, count: u64, heap: usize, heapBytes: u64): bool {
  const ascii = isAscii(heap, <usize>heapBytes);
  const end = at + <usize>(count << 2);
  let sum: u64 = 0;
  let units: u32 = 0;
  for (; at < end; at += 4) {
    const bytes = load<u32>(at);
    if (sum + bytes > heapBytes) return false;
    units += ascii ? bytes : unitsOfBytes(heap + <usize>sum, bytes);
    sum += bytes;
    store<u32>(at, units);
  }
  return sum == heapBytes;
}

/**
 * Verifies the table of `length` bytes at `table`; 0, or what is wrong (1 magic, 2 kind, 3 version, 4 length, 5 checksum).
 * Of a sound table the fields' lengths are replaced by the offsets of their ends, in UTF-16 units of the whole heap's text.
 */
export function verifyTable(table: usize, length: usize, label: u32, shape: u32): u32 {
  const checksum = length < TABLE_HEADER ? 0 : tableChecksum(table, length);
  return verify(table, length, label, shape, checksum);
}

/** The same of a table of which only what stands before the tail is at `table`; the checksum of all of it was found already. */
export function verifyHead(table: usize, length: usize, label: u32, shape: u32, low: u32, high: u32): u32 {
  return verify(table, length, label, shape, <u64>low | ((<u64>high) << 32));
}

function verify(table: usize, length: usize, label: u32, shape: u32, checksum: u64): u32 {
  if (length < TABLE_HEADER) return WRONG_LENGTH;
  if (load<u32>(table) != MAGIC) return WRONG_MAGIC;
  const found = load<u32>(table, 4);
  if (((found ^ label) & 0xffff) != 0) return WRONG_KIND;
  if (found != label) return WRONG_VERSION;
  if (load<u32>(table, 12) != shape) return WRONG_LENGTH;
  const rows: u64 = load<u32>(table, 8);
  const columns = rows * (shape & 0xffff);
  const fields = rows * (shape >>> 16);
  const heapBytes: u64 = load<u32>(table, 16);
  const tailBytes: u64 = load<u32>(table, 20);
  const fixed = <u64>TABLE_HEADER + ((columns + fields) << 2);
  if (fixed + heapBytes + tailBytes != <u64>length) return WRONG_LENGTH;
  if (load<u64>(table, CHECKSUM_AT) != checksum) return WRONG_CHECKSUM;
  const lengths = table + TABLE_HEADER + <usize>(columns << 2);
  return placeTexts(lengths, fields, table + <usize>fixed, heapBytes) ? OK : WRONG_LENGTH;
}

/** Whether `length` bytes at `at` are all ASCII; may read up to 15 bytes beyond them. */
function isAscii(at: usize, length: usize): bool {
  const end = at + length;
  let p = at;
  let seen = i8x16.splat(0);
  for (; p + 16 <= end; p += 16) seen = v128.or(seen, v128.load(p));
  if (i8x16.bitmask(seen)) return false;
  const rest = <i32>(end - p);
  return (i8x16.bitmask(v128.load(p)) & ((1 << rest) - 1)) == 0;
}
