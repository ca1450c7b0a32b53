/**
 * The columns frame: a batch of events as typed columns. docs/formats.md has the layout with its diagram.
 *
 * ```
 * header: magic "TGC1", kind 1, rows, shape = columns, size = all bytes, more = 0, checksum
 * per column, 16 bytes: type u32 (256 is added when it is optional) | name hash u32 | strings u32 | string bytes u32
 * per column: rows * 8 bytes (i64, f64), rows * 4 bytes (text: codes) or rows bytes (bool), then zeros to a multiple of 8;
 *   when it is optional, a bit for each row, set where there is a value, then zeros to a multiple of 8
 * per text column: ends u32 * strings, string bytes, then zeros to a multiple of 8
 * ```
 */
import { Dictionary } from "./dictionary";
import { FRAME_HEADER, OK, WRONG_KIND, WRONG_LENGTH, checkFrame, endsFill, putHeader, sealFrame } from "./frame";

/** Column types; facade/plan.ts has the same numbers. */
export const I64: u32 = 1;
export const F64: u32 = 2;
export const TEXT: u32 = 3;
export const BOOL: u32 = 4;
/** Added to the type of a column that may be without a value; where it is, the cell is zero, or the empty string. */
export const OPTIONAL: u32 = 256;
/** Added to the type of a column of events that is checked and not kept: frames do not have it. */
export const CHECKED: u32 = 512;

const MAGIC: u32 = 0x31434754; // "TGC1"
const LABEL: u32 = 1 | (1 << 16);
/** Of frames with optional or bool columns, which readers of version 1 do not know. */
const LABEL2: u32 = 1 | (2 << 16);
/** Of frames in whose dictionaries a string may be several times. */
const LABEL3: u32 = 1 | (3 << 16);
export const MAX_COLUMNS: u32 = 32;
export const DESCRIPTOR: usize = 16;

/** Where a verified frame has the parts of a column. */
@unmanaged
export class Column {
  type: u32;
  name: u32;
  /** `rows` i64, f64 or u32 codes; 4-byte aligned at least. */
  data: usize;
  strings: u32;
  ends: usize;
  heap: usize;
  /** A bit for each row; 0 when every row has a value. */
  valid: usize;
  unused: u32;
}

const opened = memory.data(1024); // MAX_COLUMNS * offsetof<Column>()

/** A column of the frame that `openFrame` verified last. */
export function columnAt(index: u32): Column {
  return changetype<Column>(opened + ((<usize>index) << 5));
}

export function frameRows(frame: usize): u32 {
  return load<u32>(frame, 8);
}

export function widthOf(type: u32): usize {
  return type == TEXT ? 4 : type == BOOL ? 1 : 8;
}

/** Bytes of an optional column's bits. */
export function validBytes(rows: u64): u64 {
  return padded((rows + 7) >>> 3);
}

let repeats: bool = false;

/** Whether the dictionaries of the frame that `openFrame` verified last may have a string several times. */
export function hasRepeats(): bool {
  return repeats;
}

/** The label of a frame that has a column of this type: the highest of all columns counts. */
export function labelFor(type: u32): u32 {
  return type > TEXT ? LABEL2 : LABEL;
}

/** Whether an optional column has a value in the row. */
export function isValid(column: Column, row: usize): bool {
  return column.valid == 0 || ((load<u8>(column.valid + (row >> 3)) >>> <u32>(row & 7)) & 1) != 0;
}

export function padded(bytes: u64): u64 {
  return (bytes + 7) & ~7;
}

/** Address of string `code` of an opened text column. */
export function stringAt(column: Column, code: u32): usize {
  return column.heap + (code == 0 ? 0 : <usize>load<u32>(column.ends + ((<usize>(code - 1)) << 2)));
}

/** Address behind string `code`. */
export function stringEnd(column: Column, code: u32): usize {
  return column.heap + load<u32>(column.ends + ((<usize>code) << 2));
}

/** Places the columns by their descriptors; false when they do not fill the frame exactly. All sums are 64-bit: a crafted count cannot wrap. */
function placeColumns(frame: usize, length: usize, columns: u32): bool {
  const rows: u64 = frameRows(frame);
  let at: u64 = FRAME_HEADER + <usize>columns * DESCRIPTOR;
  for (let i: u32 = 0; i < columns; i++) {
    const from = frame + FRAME_HEADER + <usize>i * DESCRIPTOR;
    const column = columnAt(i);
    const type = load<u32>(from);
    column.type = type & ~OPTIONAL;
    column.name = load<u32>(from, 4);
    column.strings = load<u32>(from, 8);
    if (column.type - I64 > BOOL - I64) return false;
    column.data = frame + <usize>at;
    at += padded(rows * widthOf(column.type));
    column.valid = type & OPTIONAL ? frame + <usize>at : 0;
    if (type & OPTIONAL) at += validBytes(rows);
    if (at > length) return false;
  }
  for (let i: u32 = 0; i < columns; i++) {
    const bytes = load<u32>(frame + FRAME_HEADER + <usize>i * DESCRIPTOR, 12);
    const column = columnAt(i);
    if (column.type != TEXT) {
      if (column.strings | bytes) return false;
      continue;
    }
    column.ends = frame + <usize>at;
    column.heap = column.ends + ((<usize>column.strings) << 2);
    at += padded(((<u64>column.strings) << 2) + bytes);
    if (at > length || !endsFill(column.ends, column.strings, bytes)) return false;
  }
  return at == length;
}

/** Whether every code of a text column names a string. */
function codesInside(column: Column, rows: u32): bool {
  let at = column.data;
  const end = at + ((<usize>rows) << 2);
  const bound = i32x4.splat(<i32>column.strings);
  let sound = i32x4.splat(-1);
  for (; at + 16 <= end; at += 16) sound = v128.and(sound, i32x4.lt_u(v128.load(at), bound));
  let all = i32x4.all_true(sound);
  for (; at < end; at += 4) all = all && load<u32>(at) < column.strings;
  return all;
}

/** Whether all floats of a column are finite, as JSON's are: filters rely on it. */
function floatsFinite(column: Column, rows: u32): bool {
  for (let at = column.data, end = at + ((<usize>rows) << 3); at < end; at += 8) {
    if (!isFinite(load<f64>(at))) return false;
  }
  return true;
}

function boolsSound(column: Column, rows: u32): bool {
  for (let at = column.data, end = at + rows; at < end; at++) if (load<u8>(at) > 1) return false;
  return true;
}

/** Whether rows without a value have zero, or the empty string: who does not ask for the bits relies on it. */
function absentCellsEmpty(column: Column, rows: u32): bool {
  for (let row: usize = 0; row < rows; row++) {
    if (isValid(column, row)) continue;
    let empty: bool;
    if (column.type == TEXT) {
      const code = load<u32>(column.data + (row << 2));
      empty = stringAt(column, code) == stringEnd(column, code);
    } else if (column.type == BOOL) empty = load<u8>(column.data + row) == 0;
    else empty = load<u64>(column.data + (row << 3)) == 0;
    if (!empty) return false;
  }
  return true;
}

/** Verifies a frame, unless it is `own`, just built in this memory; 0, or what is wrong. Its columns are then at `columnAt` until the next call. */
export function openFrame(frame: usize, length: usize, own: bool): u32 {
  if (!own) {
    const label = length >= FRAME_HEADER ? load<u32>(frame, 4) : LABEL;
    const wrong = checkFrame(frame, length, MAGIC, label == LABEL2 || label == LABEL3 ? label : LABEL);
    if (wrong != OK) return wrong;
  }
  repeats = load<u32>(frame, 4) == LABEL3;
  const columns = load<u32>(frame, 12);
  if (load<u32>(frame, 16) != <u32>length || load<u32>(frame, 20) != 0) return WRONG_LENGTH;
  if (columns > MAX_COLUMNS || FRAME_HEADER + <usize>columns * DESCRIPTOR > length) return WRONG_LENGTH;
  if (!placeColumns(frame, length, columns)) return WRONG_LENGTH;
  for (let i: u32 = 0; i < columns; i++) {
    const column = columnAt(i);
    if (column.type == TEXT && !codesInside(column, frameRows(frame))) return WRONG_LENGTH;
    if (column.type == F64 && !floatsFinite(column, frameRows(frame))) return WRONG_LENGTH;
    if (column.type == BOOL && !boolsSound(column, frameRows(frame))) return WRONG_LENGTH;
    if (column.valid != 0 && !absentCellsEmpty(column, frameRows(frame))) return WRONG_LENGTH;
  }
  return OK;
}

/** Whether the opened frame has these columns: `expected` is a list of type u32 | name hash u32. */
export function columnsMatch(frame: usize, expected: usize, columns: u32): u32 {
  if (load<u32>(frame, 12) != columns) return WRONG_KIND;
  for (let i: u32 = 0; i < columns; i++) {
    const column = columnAt(i);
    const at = expected + ((<usize>i) << 3);
    const type = column.type | (column.valid != 0 ? OPTIONAL : 0);
    if (type != load<u32>(at) || column.name != load<u32>(at, 4)) return WRONG_KIND;
  }
  return OK;
}

/** Bytes that a dictionary takes in a frame. */
export function dictionarySection(d: Dictionary): u64 {
  return padded(((<u64>d.count) << 2) + d.heapUsed);
}

/** Writes the ends of a dictionary's strings at `at`; returns the address behind them. */
export function putEnds(d: Dictionary, at: usize): usize {
  let end: u32 = 0;
  for (let id: u32 = 0; id < d.count; id++) {
    end += load<u32>(d.entries + ((<usize>id) << 4), 4);
    store<u32>(at, end);
    at += 4;
  }
  return at;
}

/** Writes a dictionary's ends, strings and padding at `at`; returns the address behind it. */
export function putDictionary(d: Dictionary, at: usize): usize {
  at = putEnds(d, at);
  memory.copy(at, d.heap, d.heapUsed);
  at += d.heapUsed;
  const behind = <usize>padded(at);
  memory.fill(at, 0, behind - at);
  return behind;
}

function labelOf(frame: usize, columns: u32, repeated: bool): u32 {
  if (repeated) return LABEL3;
  let label = LABEL;
  for (let i: u32 = 0; i < columns; i++) {
    label = max(label, labelFor(load<u32>(frame + FRAME_HEADER + <usize>i * DESCRIPTOR)));
  }
  return label;
}

/** Writes the header of a frame whose descriptors and columns are in place; `repeated` when a dictionary may have a string several times. */
export function sealColumns(frame: usize, length: usize, rows: u32, columns: u32, repeated: bool): void {
  sealFrame(frame, length, MAGIC, labelOf(frame, columns, repeated), rows, columns, <u32>length, 0);
}

/** The same without the checksum, of a frame that is put together elsewhere. */
export function labelColumns(frame: usize, length: usize, rows: u32, columns: u32, repeated: bool): void {
  putHeader(frame, MAGIC, labelOf(frame, columns, repeated), rows, columns, <u32>length, 0);
}
