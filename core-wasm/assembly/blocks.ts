/**
 * Sorted blocks: packed tables of one column (flags) and two fields (key, text), rows ascending by the bytes of their keys. Search within
 * one, and the merge of newer blocks over older ones; docs/formats.md has the layout.
 */
import { FILTER_BITS_PER_KEY, FILTER_CLEARED_SALT, FILTER_PROBES } from "../limits";
import { compareBytes, sameBytes } from "./bytes";
import { scratch } from "./memory";
import { murmur3 } from "./murmur3";
import { sealTable, TABLE_HEADER, tableChecksum } from "./table";

const MAGIC: u32 = 0x31544754;
const SHAPE: u32 = 1 | (2 << 16);
const DELETED: u32 = 1;
const CLEARED: u32 = 2;
/** Bytes of a row beside its texts. */
const ROW_BYTES: u32 = 12;
const STEP_FACTOR: u32 = 0x9e3779b1;

/** A row: flags u32 | key u32 | its length u32 | text u32 | its length u32 | 4 unused. */
const ITEM: usize = 24;
/** A block that was made: address u32 | length u32 | filter u32 | its bytes u32. */
const MADE: usize = 16;

let merged: usize = 0;
let mergedCount: u32 = 0;
let rest: usize = 0;
let restCount: u32 = 0;
let made: usize = 0;

/**
 * Verifies a block; 0, or what is wrong, as `verifyTable` says it. Of a sound block the lengths of the fields become the offsets of their
 * ends in the heap, in bytes.
 */
export function blockOpen(block: usize, length: usize, label: u32): u32 {
  if (length < TABLE_HEADER) return 4;
  if (load<u32>(block) != MAGIC) return 1;
  const found = load<u32>(block, 4);
  if (((found ^ label) & 0xffff) != 0) return 2;
  if (found != label) return 3;
  if (load<u32>(block, 12) != SHAPE) return 4;
  const rows: u64 = load<u32>(block, 8);
  const heapBytes: u64 = load<u32>(block, 16);
  const tailBytes: u64 = load<u32>(block, 20);
  if (<u64>TABLE_HEADER + rows * ROW_BYTES + heapBytes + tailBytes != <u64>length) return 4;
  if (load<u64>(block, 24) != tableChecksum(block, length)) return 5;
  let sum: u64 = 0;
  const ends = block + TABLE_HEADER + <usize>(rows << 2);
  const last = ends + <usize>(rows << 3);
  for (let at = ends; at < last; at += 4) {
    sum += load<u32>(at);
    if (sum > heapBytes) return 4;
    store<u32>(at, <u32>sum);
  }
  return sum == heapBytes ? 0 : 4;
}

function rowsOf(block: usize): u32 {
  return load<u32>(block, 8);
}

/** Writes the row of an opened block as an item. */
function itemOf(block: usize, row: u32, item: usize): void {
  const rows = <usize>rowsOf(block);
  const ends = block + TABLE_HEADER + (rows << 2);
  const heap = ends + (rows << 3);
  const start: u32 = row == 0 ? 0 : load<u32>(ends + ((<usize>row) << 3) - 4);
  const keyEnd = load<u32>(ends + ((<usize>row) << 3));
  const textEnd = load<u32>(ends + ((<usize>row) << 3), 4);
  store<u32>(item, load<u32>(block + TABLE_HEADER + ((<usize>row) << 2)));
  store<u32>(item, <u32>heap + start, 4);
  store<u32>(item, keyEnd - start, 8);
  store<u32>(item, <u32>heap + keyEnd, 12);
  store<u32>(item, textEnd - keyEnd, 16);
}

/** Number of the first row of an opened block whose key is not below this one. */
export function blockSeek(block: usize, key: usize, keyLength: u32): u32 {
  const rows = <usize>rowsOf(block);
  const ends = block + TABLE_HEADER + (rows << 2);
  const heap = ends + (rows << 3);
  let low: u32 = 0;
  let high: u32 = <u32>rows;
  while (low < high) {
    const row = (low + high) >>> 1;
    const start: u32 = row == 0 ? 0 : load<u32>(ends + ((<usize>row) << 3) - 4);
    const end = load<u32>(ends + ((<usize>row) << 3));
    if (compareBytes(heap + start, end - start, key, keyLength) < 0) low = row + 1;
    else high = row;
  }
  return low;
}

/** Whether the row's key is this one. */
export function blockHas(block: usize, row: u32, key: usize, keyLength: u32): bool {
  if (row >= rowsOf(block)) return false;
  const item = scratch(ITEM);
  itemOf(block, row, item);
  return load<u32>(item, 8) == keyLength && sameBytes(load<u32>(item, 4), key, keyLength);
}

/** The rows of opened blocks, whose addresses are u32 at `list`, as items. */
function itemsOf(list: usize, count: u32, total: u32): usize {
  const items = scratch(<usize>total * ITEM);
  let item = items;
  for (let i: u32 = 0; i < count; i++) {
    const block: usize = load<u32>(list + ((<usize>i) << 2));
    const rows = rowsOf(block);
    for (let row: u32 = 0; row < rows; row++, item += ITEM) itemOf(block, row, item);
  }
  return items;
}

function totalOf(list: usize, count: u32): u32 {
  let total: u32 = 0;
  for (let i: u32 = 0; i < count; i++) total += rowsOf(load<u32>(list + ((<usize>i) << 2)));
  return total;
}

function compareItems(a: usize, b: usize): i32 {
  return compareBytes(load<u32>(a, 4), load<u32>(a, 8), load<u32>(b, 4), load<u32>(b, 8));
}

/** Where the rows at or above `until` begin. */
function splitAt(items: usize, end: usize, until: usize, untilLength: u32): usize {
  for (; items < end; items += ITEM) {
    if (compareBytes(load<u32>(items, 4), load<u32>(items, 8), until, untilLength) >= 0) return items;
  }
  return end;
}

function push(item: usize, flags: u32, bottom: bool): void {
  if (bottom) {
    if (flags & DELETED) return;
    flags = 0;
  }
  const to = merged + <usize>mergedCount * ITEM;
  memory.copy(to, item, ITEM);
  store<u32>(to, flags);
  mergedCount++;
}

/** Whether an item's key begins with a cleared one, which there is none of at 0. */
function isUnder(item: usize, clear: usize, clearLength: u32): bool {
  return clear != 0 && load<u32>(item, 8) >= clearLength && sameBytes(load<u32>(item, 4), clear, clearLength);
}

/**
 * Merges opened blocks, whose addresses are u32 in the lists: newer ones (`upper`) over older ones. Upper rows at or above `until`, where
 * `hasUntil`, are left over. What comes of it is written by `blocksWrite`.
 */
export function blocksMerge(
  upper: usize,
  upperCount: u32,
  lower: usize,
  lowerCount: u32,
  until: usize,
  untilLength: u32,
  hasUntil: bool,
  bottom: bool,
): void {
  const upperRows = totalOf(upper, upperCount);
  const lowerRows = totalOf(lower, lowerCount);
  let u = itemsOf(upper, upperCount, upperRows);
  let l = itemsOf(lower, lowerCount, lowerRows);
  const upperEnd = u + <usize>upperRows * ITEM;
  const lowerEnd = l + <usize>lowerRows * ITEM;
  const end = hasUntil ? splitAt(u, upperEnd, until, untilLength) : upperEnd;
  rest = end;
  restCount = <u32>((upperEnd - end) / ITEM);
  merged = scratch(<usize>(upperRows + lowerRows) * ITEM);
  mergedCount = 0;
  let clear: usize = 0;
  let clearLength: u32 = 0;
  while (u < end || l < lowerEnd) {
    const order = u >= end ? 1 : l >= lowerEnd ? -1 : compareItems(u, l);
    if (order > 0) {
      if (!isUnder(l, clear, clearLength)) push(l, load<u32>(l), bottom);
      l += ITEM;
      continue;
    }
    let flags = load<u32>(u);
    const isVoid = isUnder(u, clear, clearLength);
    // What is cleared under a cleared key is void already; the outer one goes on.
    if ((flags & CLEARED) != 0 && !isVoid) {
      clear = load<u32>(u, 4);
      clearLength = load<u32>(u, 8);
    }
    if (order == 0) {
      if (!isVoid) flags |= load<u32>(l) & CLEARED;
      l += ITEM;
    }
    push(u, flags, bottom);
    u += ITEM;
  }
}

function sizeOf(item: usize): u32 {
  return ROW_BYTES + load<u32>(item, 8) + load<u32>(item, 16);
}

/** Writes what was merged, or with `left` what was left over, as blocks of about the same size, at most `blockBytes` each and a row more. Their number; `blocksMade` says where. */
export function blocksWrite(left: bool, blockBytes: u32, label: u32, tail: usize, tailBytes: u32): u32 {
  const items = left ? rest : merged;
  const end = items + <usize>(left ? restCount : mergedCount) * ITEM;
  let total: u64 = 0;
  for (let item = items; item < end; item += ITEM) total += sizeOf(item);
  if (total == 0) return 0;
  const wanted = (total + blockBytes - 1) / blockBytes;
  const share = (total + wanted - 1) / wanted;
  made = scratch(<usize>(wanted + 1) * MADE);
  let count: u32 = 0;
  let bytes: u64 = 0;
  let start = items;
  for (let item = items; item < end; item += ITEM) {
    bytes += sizeOf(item);
    if (bytes < share && item + ITEM < end) continue;
    writeBlock(start, item + ITEM, label, tail, tailBytes, made + <usize>count * MADE);
    count++;
    start = item + ITEM;
    bytes = 0;
  }
  return count;
}

/** The list of the blocks that `blocksWrite` made: address, length, filter and its bytes, u32 each. */
export function blocksMade(): usize {
  return made;
}

function writeBlock(items: usize, end: usize, label: u32, tail: usize, tailBytes: u32, entry: usize): void {
  const rows = <u32>((end - items) / ITEM);
  let heapBytes: u32 = 0;
  let entries = rows;
  for (let item = items; item < end; item += ITEM) {
    heapBytes += load<u32>(item, 8) + load<u32>(item, 16);
    if (load<u32>(item) & CLEARED) entries++;
  }
  const length = TABLE_HEADER + <usize>rows * ROW_BYTES + heapBytes + tailBytes;
  const block = scratch(length);
  let flags = block + TABLE_HEADER;
  let lengths = flags + ((<usize>rows) << 2);
  let heap = lengths + ((<usize>rows) << 3);
  const filterBytes = max<u32>(8, ((entries * FILTER_BITS_PER_KEY + 63) >>> 6) << 3);
  const filter = scratch(filterBytes);
  memory.fill(filter, 0, filterBytes);
  for (let item = items; item < end; item += ITEM) {
    const keyLength = load<u32>(item, 8);
    const textLength = load<u32>(item, 16);
    const hash = murmur3(load<u32>(item, 4), keyLength);
    addToFilter(filter, filterBytes << 3, hash);
    if (load<u32>(item) & CLEARED) addToFilter(filter, filterBytes << 3, hash ^ <u32>FILTER_CLEARED_SALT);
    store<u32>(flags, load<u32>(item));
    store<u32>(lengths, keyLength);
    store<u32>(lengths, textLength, 4);
    memory.copy(heap, load<u32>(item, 4), keyLength);
    memory.copy(heap + keyLength, load<u32>(item, 12), textLength);
    flags += 4;
    lengths += 8;
    heap += keyLength + textLength;
  }
  memory.copy(heap, tail, tailBytes);
  sealTable(block, length, label, SHAPE, rows, heapBytes, tailBytes);
  store<u32>(entry, <u32>block);
  store<u32>(entry, <u32>length, 4);
  store<u32>(entry, <u32>filter, 8);
  store<u32>(entry, filterBytes, 12);
}

function addToFilter(filter: usize, bits: u32, hash: u32): void {
  const step = rotl<u32>(hash * STEP_FACTOR, 15) | 1;
  let at = hash;
  for (let probe = 0; probe < FILTER_PROBES; probe++, at += step) {
    const bit = at % bits;
    const byte = filter + (bit >>> 3);
    store<u8>(byte, load<u8>(byte) | <u8>((<u32>1) << (bit & 7)));
  }
}
