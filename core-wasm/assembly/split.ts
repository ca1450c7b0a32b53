/**
 * Splits a columns frame by the key group of a column: each partition gets a frame of its rows, in their order. Keys are hashed as
 * the key of a service would be that is the value's text, so that events are where the state of that name is.
 */
import {
  BOOL,
  Column,
  DESCRIPTOR,
  F64,
  I64,
  OPTIONAL,
  TEXT,
  columnAt,
  columnsMatch,
  frameRows,
  hasRepeats,
  isValid,
  openFrame,
  padded,
  sealColumns,
  stringAt,
  stringEnd,
  validBytes,
  widthOf,
} from "./columns";
import { copyBytes } from "./bytes";
import { FRAME_HEADER, OK } from "./frame";
import { scratch } from "./memory";
import { murmur3 } from "./murmur3";

/** Characters of the longest int64. */
const INTEGER_CHARS: usize = 20;
const decimal = memory.data(32);
const TRUE = memory.data<u8>([0x74, 0x72, 0x75, 0x65]);
const FALSE = memory.data<u8>([0x66, 0x61, 0x6c, 0x73, 0x65]);

let frame: usize = 0;
let columns: u32 = 0;
let partitions: u32 = 0;
/** Per partition: where its rows begin in `order`; one more at the end. */
let starts: usize = 0;
/** Rows by partition, each partition's in their order. */
let order: usize = 0;
/** Per string of the largest dictionary: its code in the column being made, and the number of that column among all, for which it holds. */
let renamed: usize = 0;
let columnsMade: u32 = 0;
/** Strings of the frame being made, by code. */
let named: usize = 0;

/** The hash of a number's decimal text. */
function hashInteger(value: i64): u32 {
  let at = decimal + INTEGER_CHARS;
  let left = value < 0 ? 0 - <u64>value : <u64>value;
  do {
    at--;
    const tenth = left / 10;
    store<u8>(at, <u8>(0x30 + (left - tenth * 10)));
    left = tenth;
  } while (left != 0);
  if (value < 0) store<u8>(--at, 0x2d);
  return murmur3(at, <u32>(decimal + INTEGER_CHARS - at));
}

/** The partition of each string of a text column, u16 by code. */
function partitionsOfStrings(key: Column, groups: usize, mask: u32): usize {
  const found = scratch((<usize>key.strings) << 1);
  for (let code: u32 = 0; code < key.strings; code++) {
    const at = stringAt(key, code);
    const group = murmur3(at, <u32>(stringEnd(key, code) - at)) & mask;
    store<u16>(found + ((<usize>code) << 1), load<u16>(groups + ((<usize>group) << 1)));
  }
  return found;
}

/** Writes the partition of each row, u16 each. A row without a key is where the empty text is. */
function placeRows(key: Column, rows: usize, groups: usize, mask: u32, out: usize): void {
  if (key.type == TEXT) {
    const found = partitionsOfStrings(key, groups, mask);
    for (let row: usize = 0; row < rows; row++) {
      const code = <usize>load<u32>(key.data + (row << 2));
      store<u16>(out + (row << 1), load<u16>(found + (code << 1)));
    }
    return;
  }
  const none = murmur3(decimal, 0);
  for (let row: usize = 0; row < rows; row++) {
    let hash = none;
    if (isValid(key, row)) {
      if (key.type == I64) hash = hashInteger(load<i64>(key.data + (row << 3)));
      else hash = load<u8>(key.data + row) ? murmur3(TRUE, 4) : murmur3(FALSE, 5);
    }
    store<u16>(out + (row << 1), load<u16>(groups + ((<usize>(hash & mask)) << 1)));
  }
}

/** A stable counting sort of the rows by partition. */
function sortRows(rows: usize, places: usize): void {
  starts = scratch((<usize>partitions + 2) << 2);
  memory.fill(starts, 0, (<usize>partitions + 2) << 2);
  // Shifted by one, so that the second pass leaves each start where its partition begins.
  for (let row: usize = 0; row < rows; row++) {
    const at = starts + ((<usize>load<u16>(places + (row << 1)) + 2) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  for (let p: usize = 2; p <= <usize>partitions + 1; p++) {
    store<u32>(starts + (p << 2), load<u32>(starts + (p << 2)) + load<u32>(starts + ((p - 1) << 2)));
  }
  order = scratch(rows << 2);
  for (let row: usize = 0; row < rows; row++) {
    const at = starts + ((<usize>load<u16>(places + (row << 1)) + 1) << 2);
    const next = load<u32>(at);
    store<u32>(order + ((<usize>next) << 2), <u32>row);
    store<u32>(at, next + 1);
  }
}

/**
 * Verifies a frame of the expected columns (type u32 | name hash u32 each) and finds the partition of every row. `groups` is the
 * partition of each key group, u16, `mask` their number less one. 0, or what is wrong with the frame.
 */
export function splitOpen(
  at: usize,
  length: usize,
  own: bool,
  expected: usize,
  count: u32,
  key: u32,
  groups: usize,
  mask: u32,
  most: u32,
): u32 {
  let wrong = openFrame(at, length, own);
  if (wrong == OK) wrong = columnsMatch(at, expected, count);
  if (wrong != OK) return wrong;
  assert(columnAt(key).type != F64);
  frame = at;
  columns = count;
  partitions = most;
  const rows: usize = frameRows(at);
  const places = scratch(rows << 1);
  placeRows(columnAt(key), rows, groups, mask, places);
  sortRows(rows, places);
  let strings: u32 = 0;
  for (let i: u32 = 0; i < columns; i++) strings = max(strings, columnAt(i).strings);
  renamed = scratch((<usize>strings) << 3);
  memory.fill(renamed, 0, (<usize>strings) << 3);
  columnsMade = 0;
  named = scratch((<usize>strings) << 2);
  return OK;
}

/** Rows of a partition. */
export function splitRows(partition: u32): u32 {
  const at = starts + ((<usize>partition) << 2);
  return load<u32>(at, 4) - load<u32>(at);
}

/** Writes a text column's codes in the new frame, and notes its strings in `named`; returns how many there are. */
function renameCodes(column: Column, from: usize, rows: usize, out: usize): u32 {
  const mine = ++columnsMade;
  let count: u32 = 0;
  for (let i: usize = 0; i < rows; i++) {
    const row = <usize>load<u32>(from + (i << 2));
    const code = load<u32>(column.data + (row << 2));
    const slot = renamed + ((<usize>code) << 3);
    if (load<u32>(slot, 4) != mine) {
      store<u32>(slot, count);
      store<u32>(slot, mine, 4);
      store<u32>(named + ((<usize>count) << 2), code);
      count++;
    }
    store<u32>(out + (i << 2), load<u32>(slot));
  }
  return count;
}

/** Writes the strings that `named` has; returns the address behind them. */
function putStrings(column: Column, count: u32, at: usize): usize {
  let end: u32 = 0;
  const heap = at + ((<usize>count) << 2);
  for (let i: usize = 0; i < <usize>count; i++) {
    const code = load<u32>(named + (i << 2));
    const from = stringAt(column, code);
    const length = stringEnd(column, code) - from;
    copyBytes(heap + end, from, length);
    end += <u32>length;
    store<u32>(at + (i << 2), end);
  }
  return heap + end;
}

function gather(column: Column, from: usize, rows: usize, out: usize): void {
  if (column.type == BOOL) {
    for (let i: usize = 0; i < rows; i++) {
      store<u8>(out + i, load<u8>(column.data + <usize>load<u32>(from + (i << 2))));
    }
    return;
  }
  for (let i: usize = 0; i < rows; i++) {
    store<u64>(out + (i << 3), load<u64>(column.data + ((<usize>load<u32>(from + (i << 2))) << 3)));
  }
}

function gatherValid(column: Column, from: usize, rows: usize, out: usize): void {
  memory.fill(out, 0, <usize>validBytes(rows));
  for (let i: usize = 0; i < rows; i++) {
    if (!isValid(column, load<u32>(from + (i << 2)))) continue;
    const byte = out + (i >> 3);
    store<u8>(byte, load<u8>(byte) | <u8>((<u32>1) << (<u32>(i & 7))));
  }
}

/** Bytes that the partition's frame takes at most: dictionaries are counted whole. */
export function splitBound(partition: u32): usize {
  const rows: u64 = splitRows(partition);
  let bytes: u64 = FRAME_HEADER + <usize>columns * DESCRIPTOR;
  for (let i: u32 = 0; i < columns; i++) {
    const column = columnAt(i);
    bytes += padded(rows * widthOf(column.type));
    if (column.valid != 0) bytes += validBytes(rows);
    if (column.type != TEXT) continue;
    const heap: usize = column.strings == 0 ? 0 : stringEnd(column, column.strings - 1) - column.heap;
    bytes += padded(((<u64>min<u64>(rows, column.strings)) << 2) + heap);
  }
  assert(bytes < 0x40000000);
  return <usize>bytes;
}

/** Writes the partition's frame at `out`, where there are `splitBound` bytes and slack; returns its length. */
export function splitWrite(partition: u32, out: usize): usize {
  const rows: usize = splitRows(partition);
  const from = order + ((<usize>load<u32>(starts + ((<usize>partition) << 2))) << 2);
  // Texts lie behind all columns, and their strings are known when their codes are written.
  let fixed = out + FRAME_HEADER + <usize>columns * DESCRIPTOR;
  let texts = fixed;
  for (let i: u32 = 0; i < columns; i++) {
    const column = columnAt(i);
    texts += <usize>padded(<u64>rows * widthOf(column.type));
    if (column.valid != 0) texts += <usize>validBytes(rows);
  }
  for (let i: u32 = 0; i < columns; i++) {
    const column = columnAt(i);
    const width = widthOf(column.type);
    let strings: u32 = 0;
    let heap: u32 = 0;
    if (column.type == TEXT) {
      strings = renameCodes(column, from, rows, fixed);
      const behind = putStrings(column, strings, texts);
      heap = <u32>(behind - texts - ((<usize>strings) << 2));
      texts = pad(behind);
    } else gather(column, from, rows, fixed);
    fixed = pad(fixed + rows * width);
    if (column.valid != 0) {
      gatherValid(column, from, rows, fixed);
      fixed += <usize>validBytes(rows);
    }
    const descriptor = out + FRAME_HEADER + <usize>i * DESCRIPTOR;
    store<u32>(descriptor, column.type | (column.valid != 0 ? OPTIONAL : 0));
    store<u32>(descriptor, column.name, 4);
    store<u32>(descriptor, strings, 8);
    store<u32>(descriptor, heap, 12);
  }
  sealColumns(out, texts - out, <u32>rows, columns, hasRepeats());
  return texts - out;
}

/** Clears up to the next multiple of 8; the frame itself begins at one. */
function pad(at: usize): usize {
  const behind = <usize>padded(at);
  memory.fill(at, 0, behind - at);
  return behind;
}
