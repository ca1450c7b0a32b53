/** NDJSON events to typed columns: every byte validated in one pass, the body taken in slices so that memory follows the columns, not the body. */
import {
  addColumn,
  builtFrame,
  closeBuilder,
  columnData,
  columnDictionary,
  finishFrame,
  makeRoom,
  openBuilder,
  roomForRows,
} from "./builder";
import { F64, I64, TEXT } from "./columns";
import { intern } from "./dictionary";
import { checkJson } from "./json/check";
import { BAD_SURROGATE, MISSING, NOT_OBJECT, OUT_OF_RANGE, WRONG_TYPE, faultAddress, faultCode } from "./json/fault";
import { scanString, stringEscaped } from "./json/string";
import { beginText, skipSpace } from "./json/text";
import { unescapeString } from "./json/unescape";
import { scanValue } from "./json/value";
import { alloc, blockBytes, free } from "./memory";
import {
  Member,
  START,
  UNDECLARED,
  declareMember,
  memberAt,
  metMember,
  predicted,
  readName,
  resetMembers,
} from "./members";
import {
  BEYOND_RANGE,
  FITS,
  asFloat,
  asInteger,
  float,
  integer,
  scanNumber,
  shortFloat,
  shortInteger,
  shortNumber,
} from "./numbers";
import { SLACK_BYTES } from "../limits";
import { xxh64, xxh64Begin, xxh64End, xxh64Stripes } from "./xxh64";

const QUOTE: u32 = 0x22;
const COMMA: u32 = 0x2c;
const CLOSING_BRACE: u32 = 0x7d;
const LINE_FEED: u32 = 0x0a;
const ESCAPED: u32 = 0x80000000;

// As loads these cost one instruction; V8 builds a literal anew, in three, at each use.
const QUOTES = memory.data<u64>([0x2222222222222222, 0x2222222222222222]);
const BACKSLASHES = memory.data<u64>([0x5c5c5c5c5c5c5c5c, 0x5c5c5c5c5c5c5c5c]);
const SPACES = memory.data<u64>([0x2020202020202020, 0x2020202020202020]);

/** Rows that a longer body gets room for before it is known how long its lines are. */
const FIRST_ROWS: usize = 1024;

/** Per column, of the row being read: why it was refused, and where its value is. */
@unmanaged
class Cell {
  why: u32;
  at: usize;
  /** Text only: length of the string's inside, with ESCAPED when that is not its value yet. */
  length: u32;
  unused: u32;
}
const cells = memory.data(512); // MAX_COLUMNS * offsetof<Cell>()

let columns: u32 = 0;
let names: usize = 0;
/** Bits of all columns, and of the text columns. */
let wanted: u32 = 0;
let texts: u32 = 0;

/** Input: the unfinished line of earlier slices, then the present slice. */
let buffer: usize = 0;
let held: usize = 0;
/** Offset in the body of the buffer's first byte, and length of the whole body. */
let bodyAt: usize = 0;
let bodyLength: usize = 0;

let rows: usize = 0;
let line: u32 = 0;
let fingerprint: u64 = 0;

let faultWhy: u32 = 0;
let faultAt: usize = 0;
let faultColumn: i32 = -1;

function cellAt(column: u32): Cell {
  return changetype<Cell>(cells + ((<usize>column) << 4));
}

/** Starts a body of `length` bytes. Columns follow by `eventsColumn`, then slices by `eventsRoom` and `eventsTake`, then `eventsEnd`; at the end always `eventsClose`. */
export function eventsBegin(length: usize, nameBytes: usize): usize {
  assert(names == 0);
  columns = 0;
  wanted = 0;
  texts = 0;
  held = 0;
  bodyAt = 0;
  bodyLength = length;
  rows = 0;
  line = 0;
  faultWhy = 0;
  faultColumn = -1;
  names = alloc(nameBytes + SLACK_BYTES);
  resetMembers();
  openBuilder();
  xxh64Begin(0);
  return names;
}

/** Declares the next column, whose name's bytes are where `eventsBegin` said. */
export function eventsColumn(type: u32, name: usize, length: usize): void {
  const bit: u32 = 1 << columns;
  declareMember(name, length, columns, type);
  addColumn(type, <u32>xxh64(name, length, 0));
  wanted |= bit;
  if (type == TEXT) texts |= bit;
  columns++;
  // The names' hashes went through the state of the body's.
  xxh64Begin(0);
}

/** Where the next `bytes` bytes of the body are to be written. */
export function eventsRoom(bytes: usize): usize {
  const need = held + bytes + SLACK_BYTES;
  if (buffer == 0 || blockBytes(buffer) < need) {
    const larger = alloc(max(need, held << 1));
    if (buffer != 0) {
      memory.copy(larger, buffer, held);
      free(buffer);
    }
    buffer = larger;
  }
  return buffer + held;
}

/** Reads the lines that `bytes` more bytes complete; a slice but the last is a multiple of 32 long. 0, or the code of the fault. */
export function eventsTake(bytes: usize, last: bool): u32 {
  const from = buffer + held;
  let end = from + bytes;
  if (last) {
    fingerprint = xxh64End(from, bytes);
    store<u8>(end, LINE_FEED);
    if (end != buffer && load<u8>(end - 1) != LINE_FEED) end++;
  } else {
    xxh64Stripes(from, bytes);
    while (end > from && load<u8>(end - 1) != LINE_FEED) end--;
    if (end == from) end = buffer;
  }
  if (end != buffer) {
    beginText(end, true);
    if (!readLines(buffer, end)) return faultWhy;
  }
  const rest: usize = last ? 0 : from + bytes - end;
  memory.copy(buffer, end, rest);
  bodyAt += end - buffer;
  held = rest;
  return 0;
}

function readLines(at: usize, end: usize): bool {
  while (at < end) {
    line++;
    let byte: u32 = load<u8>(at);
    if (byte <= 0x20) {
      at = skipSpace(at);
      byte = load<u8>(at);
      if (byte == LINE_FEED) {
        at++;
        continue;
      }
    }
    if (byte != 0x7b) return refuse(NOT_OBJECT, at, -1);
    if (rows == roomForRows()) growRows(at);
    const behind = readEvent(at);
    if (behind == 0) return faultColumn >= 0 ? false : diagnose(at);
    rows++;
    at = behind + 1;
  }
  return true;
}

/** Makes room for as many rows as the body will have if it goes on as it began. */
function growRows(at: usize): void {
  const taken = <u64>(bodyAt + (at - buffer)) + 1;
  const expected: u64 = rows == 0 ? min(FIRST_ROWS, bodyLength >> 3) : (<u64>rows * bodyLength) / taken;
  makeRoom(rows, <usize>(expected + (expected >> 5) + 1));
  for (let i: u32 = 0; i < columns; i++) memberAt(i).data = columnData(i);
}

function refuse(why: u32, at: usize, column: i32): bool {
  faultWhy = why;
  faultAt = bodyAt + (at - buffer);
  faultColumn = column;
  return false;
}

/** Finds out what is wrong with the line at `at`, of which the fast path only knows that it is not JSON. */
function diagnose(at: usize): bool {
  let end = at;
  while (load<u8>(end) != LINE_FEED) end++;
  const sound = checkJson(at, end - at);
  assert(sound == 0);
  return refuse(faultCode(), faultAddress(), -1);
}

/** Address of the quote that closes the string at `at`, 0 when it is not sound; 32 bytes at a time, as most strings are shorter. */
function closingQuote(at: usize): usize {
  const quotes = v128.load(QUOTES);
  const backslashes = v128.load(BACKSLASHES);
  const spaces = v128.load(SPACES);
  let stops: u32 = 0;
  while (true) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    // As signed bytes, control characters and everything above ASCII are below a space.
    const inA = v128.or(v128.or(i8x16.eq(a, quotes), i8x16.eq(a, backslashes)), i8x16.gt_s(spaces, a));
    const inB = v128.or(v128.or(i8x16.eq(b, quotes), i8x16.eq(b, backslashes)), i8x16.gt_s(spaces, b));
    stops = <u32>i8x16.bitmask(inA) | ((<u32>i8x16.bitmask(inB)) << 16);
    if (stops != 0) break;
    at += 32;
  }
  at += <usize>ctz(stops);
  if (load<u8>(at) != QUOTE) return slowClosingQuote(at);
  escaped = false;
  return at;
}

let escaped: bool = false;

function slowClosingQuote(at: usize): usize {
  const quote = scanString(at);
  escaped = stringEscaped();
  return quote;
}

function startsNumber(byte: u32): bool {
  return byte - 0x30 <= 9 || byte == 0x2d;
}

/** Notes why a column's value is refused; it counts only if no later duplicate replaces it. */
function spoil(column: u32, why: u32, at: usize): void {
  const cell = cellAt(column);
  cell.why = why;
  cell.at = at;
  spoilt |= 1 << column;
}

/** Bits of the row's columns that `spoil` was called for. */
let spoilt: u32 = 0;

/** Whether the member's column has the value that was read last. */
let fits: bool = false;

/** Behind the string at `at`. */
function readString(at: usize, member: Member): usize {
  const quote = closingQuote(at + 1);
  if (quote == 0) return 0;
  const type = member.type;
  if (type == UNDECLARED) return quote + 1;
  fits = type == TEXT;
  if (fits) {
    const cell = cellAt(member.column);
    cell.at = at + 1;
    cell.length = <u32>(quote - at - 1) | (escaped ? ESCAPED : 0);
  } else spoil(member.column, WRONG_TYPE, at);
  return quote + 1;
}

/** Behind a number that is not a short plain integer. */
function readLongNumber(at: usize, member: Member): usize {
  const behind = scanNumber(at);
  if (behind == 0 || member.type == UNDECLARED) return behind;
  const cell = member.data + (rows << 3);
  let why = WRONG_TYPE;
  if (member.type == I64) {
    const fit = asInteger();
    fits = fit == FITS;
    if (fits) store<i64>(cell, integer);
    else if (fit == BEYOND_RANGE) why = OUT_OF_RANGE;
  } else if (member.type == F64) {
    fits = asFloat();
    if (fits) store<f64>(cell, float);
    else why = OUT_OF_RANGE;
  } else fits = false;
  if (!fits) spoil(member.column, why, at);
  return behind;
}

/** Behind the number at `at`. */
function readNumber(at: usize, member: Member): usize {
  const behind = shortNumber(at);
  if (behind == 0) return readLongNumber(at, member);
  const type = member.type;
  if (type == UNDECLARED) return behind;
  fits = true;
  if (type == I64) store<i64>(member.data + (rows << 3), shortInteger(at, behind));
  else if (type == F64) store<f64>(member.data + (rows << 3), shortFloat(at, behind));
  else {
    fits = false;
    spoil(member.column, WRONG_TYPE, at);
  }
  return behind;
}

/** Behind a value that no column can have: an object, an array or a literal. */
function readOther(at: usize, member: Member): usize {
  fits = false;
  if (member.type != UNDECLARED) spoil(member.column, WRONG_TYPE, at);
  return scanValue(at, 1);
}

/** Whether the object whose inside begins at `at` has no members. */
function isEmpty(at: usize): bool {
  if (load<u8>(at) == QUOTE) return false;
  return load<u8>(skipSpace(at)) == CLOSING_BRACE;
}

/** Reads the object at `at` into the next row; returns the address of its line's LF, or 0 when it is not sound or a column refuses it. */
function readEvent(at: usize): usize {
  let got: u32 = 0;
  spoilt = 0;
  let member = START;
  let p = at + 1;
  if (isEmpty(p)) p = skipSpace(p) + 1;
  else {
    while (true) {
      const next = member.next;
      const behind = predicted(p, next);
      if (behind != 0) {
        p = behind;
        member = next;
      } else {
        p = readName(p, member);
        if (p == 0) return 0;
        member = metMember();
      }
      let byte: u32 = load<u8>(p);
      if (byte <= 0x20) {
        p = skipSpace(p);
        byte = load<u8>(p);
      }
      if (byte == QUOTE) p = readString(p, member);
      else if (startsNumber(byte)) p = readNumber(p, member);
      else p = readOther(p, member);
      if (p == 0) return 0;
      if (member.type != UNDECLARED) {
        const bit: u32 = 1 << member.column;
        if (fits) got |= bit;
        else got &= ~bit;
      }
      byte = load<u8>(p);
      if (byte <= 0x20) {
        p = skipSpace(p);
        byte = load<u8>(p);
      }
      p++;
      if (byte == COMMA) continue;
      if (byte == CLOSING_BRACE) break;
      return 0;
    }
  }
  if (load<u8>(p) != LINE_FEED) {
    p = skipSpace(p);
    if (load<u8>(p) != LINE_FEED) return 0;
  }
  if (texts) {
    got = storeTexts(got);
  }
  if (got != wanted) {
    refuseRow(at, got);
    return 0;
  }
  return p;
}

/** Gives the row's texts their codes. Escapes are resolved in place: the line is known to be sound and is not read again. */
function storeTexts(got: u32): u32 {
  for (let left = got & texts; left != 0; left &= left - 1) {
    const column = <u32>ctz(left);
    const cell = cellAt(column);
    let length = <usize>(cell.length & ~ESCAPED);
    if (cell.length & ESCAPED) {
      const end = unescapeString(cell.at, cell.at + length, cell.at);
      if (end == 0) {
        spoil(column, BAD_SURROGATE, faultAddress());
        got &= ~((<u32>1) << column);
        continue;
      }
      length = end - cell.at;
    }
    store<u32>(columnData(column) + (rows << 2), intern(columnDictionary(column), cell.at, length));
  }
  return got;
}

/** The fault of a sound line: of its first column, in declared order, that has no value. */
function refuseRow(at: usize, got: u32): void {
  const column = <u32>ctz(wanted & ~got);
  const cell = cellAt(column);
  if ((spoilt >> column) & 1) refuse(cell.why, cell.at, <i32>column);
  else refuse(MISSING, at, <i32>column);
}

/** Packs the frame; returns its length. */
export function eventsEnd(): usize {
  return finishFrame(rows);
}

/** Address of the frame; valid until `eventsClose`. */
export function eventsFrame(): usize {
  return builtFrame();
}

export function eventsRows(): u32 {
  return <u32>rows;
}

export function eventsFingerprintLow(): u32 {
  return <u32>fingerprint;
}

export function eventsFingerprintHigh(): u32 {
  return <u32>(fingerprint >> 32);
}

export function eventsFaultLine(): u32 {
  return line;
}

/** Offset of the fault in the body. */
export function eventsFaultAt(): u32 {
  return <u32>faultAt;
}

/** Index of the column that refused its value; -1 when the JSON itself is at fault. */
export function eventsFaultColumn(): i32 {
  return faultColumn;
}

/** Gives back all memory of the call, except what is at most so long: the input buffer, and the frame, which stays at `keptFrame`. Safe after a fault. */
export function eventsClose(keepBuffer: usize, keepFrame: usize): void {
  closeBuilder(keepFrame);
  if (names != 0) free(names);
  names = 0;
  if (buffer != 0 && blockBytes(buffer) > keepBuffer) {
    free(buffer);
    buffer = 0;
  }
}
