/** One event to a row of the columns: every member in one pass, whichever order they come in; of duplicates the last counts. */
import {
  attributeAtFault,
  attributeFaultAt,
  beginAttributes,
  checkAttributes,
  noteNull,
  noteOther,
  noteString,
} from "./attributes";
import { columnData, columnDictionary, rowMasks } from "./builder";
import { BOOL, F64, I64, TEXT } from "./columns";
import { internOrAdd } from "./dictionary";
import { finishSlice } from "./fingerprint";
import { BAD_SURROGATE, MISSING, OUT_OF_RANGE, WRONG_TYPE, faultAddress } from "./json/fault";
import { scanString, stringEscaped } from "./json/string";
import { skipSpace } from "./json/text";
import { unescapeString } from "./json/unescape";
import { scanLiteral, scanValue } from "./json/value";
import { ATTRIBUTE, Member, OBJECT, UNDECLARED, metMember, predicted, readName, startOf } from "./members";
import {
  BEYOND_RANGE,
  FITS,
  asFloat,
  asInteger,
  float,
  integer,
  scanNumber,
  shortInteger,
  shortNumber,
} from "./numbers";

const QUOTE: u32 = 0x22;
const COMMA: u32 = 0x2c;
const CLOSING_BRACE: u32 = 0x7d;
const OPENING_BRACE: u32 = 0x7b;
const OPENING_BRACKET: u32 = 0x5b;
const LINE_FEED: u32 = 0x0a;
const MINUS: u32 = 0x2d;
const LETTER_N: u32 = 0x6e;
const LETTER_T: u32 = 0x74;
const ESCAPED: u32 = 0x80000000;

/** Stands for no column in `faultColumn`. */
export const NO_COLUMN: i32 = -1;

// As loads these cost one instruction; V8 builds a literal anew, in three, at each use.
const QUOTES = memory.data<u64>([0x2222222222222222, 0x2222222222222222]);
const BACKSLASHES = memory.data<u64>([0x5c5c5c5c5c5c5c5c, 0x5c5c5c5c5c5c5c5c]);
const SPACES = memory.data<u64>([0x2020202020202020, 0x2020202020202020]);

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
/** Type of each column. */
const types = memory.data(32);

let columns: u32 = 0;
/** Bits of all columns, of those that must have a value, and of the text columns that are kept, or only checked. */
let wanted: u32 = 0;
let required: u32 = 0;
let texts: u32 = 0;
let checkedTexts: u32 = 0;
/** Whether rows must say which optional columns have a value: some of them are kept. */
let masked: bool = false;

let row: usize = 0;
/** Bits of the row's columns that have a value, and of those that `spoil` was called for. */
let got: u32 = 0;
let spoilt: u32 = 0;

let why: u32 = 0;
let where: usize = 0;
let column: i32 = NO_COLUMN;

export function faultWhy(): u32 {
  return why;
}

/** Address of the fault. */
export function faultWhere(): usize {
  return where;
}

/** Column of the fault; NO_COLUMN when it has none, -2 less its index for an attribute. */
export function faultColumn(): i32 {
  return column;
}

/** Notes what is wrong. */
export function refuseRow(reason: u32, at: usize, index: i32): void {
  why = reason;
  where = at;
  column = index;
}

/** Starts a body: there are no columns. */
export function resetRow(): void {
  columns = 0;
  wanted = 0;
  required = 0;
  texts = 0;
  checkedTexts = 0;
  masked = false;
  why = 0;
  column = NO_COLUMN;
}

/** Adds a column, of which values are kept or only checked; returns its index. */
export function addRowColumn(type: u32, optional: bool, kept: bool): u32 {
  const bit: u32 = 1 << columns;
  wanted |= bit;
  if (!optional) required |= bit;
  else if (kept) masked = true;
  if (type == TEXT) {
    if (kept) texts |= bit;
    else checkedTexts |= bit;
  }
  store<u8>(types + columns, <u8>type);
  return columns++;
}

/** Reads the object at `at`, around which `outside` containers are open, into row `index`; returns the address behind it, in lines that of its LF. 0 when it is not sound, or when `faultColumn` refuses it. */
export function readRow(at: usize, index: usize, outside: i32, inLine: bool): usize {
  row = index;
  got = 0;
  spoilt = 0;
  beginAttributes();
  let p = readObject(at, 0, outside + 1);
  if (p == 0) return 0;
  if (inLine && load<u8>(p) != LINE_FEED) {
    p = skipSpace(p);
    if (load<u8>(p) != LINE_FEED) return 0;
  }
  const wrong = checkAttributes();
  if (wrong != 0) {
    refuseRow(wrong, attributeFaultAt == 0 ? at : attributeFaultAt, -2 - <i32>attributeAtFault);
    return 0;
  }
  if (texts) storeTexts();
  if (checkedTexts) checkTexts();
  const absent = wanted & ~got;
  if (absent) {
    if (absent & (required | spoilt)) {
      refuseCell(at, absent & (required | spoilt));
      return 0;
    }
    clearCells(absent);
  }
  if (masked) store<u32>(rowMasks() + (index << 2), got);
  return p;
}

/** Reads the scope's object at `at`, with which `depth` containers are open; returns the address behind it, or 0. */
function readObject(at: usize, scope: u32, depth: i32): usize {
  let member = startOf(scope);
  let mine: u32 = 0;
  let p = at + 1;
  if (isEmpty(p)) return skipSpace(p) + 1;
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
    else if (byte - 0x30 <= 9) p = readNumber(p, member);
    else if (byte == MINUS) p = readNegative(p, member);
    else p = readOther(p, byte, member, depth);
    if (p == 0) return 0;
    const type = member.type;
    if (type - 1 < BOOL) {
      const bit: u32 = 1 << member.column;
      if (fits) mine |= bit;
      else mine &= ~bit;
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
  got |= mine;
  return p;
}

function cellAt(index: u32): Cell {
  return changetype<Cell>(cells + ((<usize>index) << 4));
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

/** Notes why a column's value is refused; it counts only if no later duplicate replaces it. */
function spoilColumn(index: u32, reason: u32, at: usize): void {
  const cell = cellAt(index);
  cell.why = reason;
  cell.at = at;
  spoilt |= 1 << index;
}

/** Notes why what a declared member stands for is refused: its column, all columns in it, or an attribute. */
function spoil(member: Member, reason: u32, at: usize): void {
  const type = member.type;
  if (type == ATTRIBUTE) noteOther(member.column, at);
  else if (type == OBJECT) {
    clearObject(member);
    for (let left = member.mask; left != 0; left &= left - 1) spoilColumn(<u32>ctz(left), reason, at);
  } else {
    fits = false;
    spoilColumn(member.column, reason, at);
  }
}

/** Whether the member's column has the value that was read last. */
let fits: bool = false;

/** Behind the string at `at`. */
function readString(at: usize, member: Member): usize {
  const quote = closingQuote(at + 1);
  if (quote == 0) return 0;
  const type = member.type;
  if (type == UNDECLARED) return quote + 1;
  if (type == TEXT) {
    fits = true;
    const cell = cellAt(member.column);
    cell.at = at + 1;
    cell.length = <u32>(quote - at - 1) | (escaped ? ESCAPED : 0);
  } else if (type == ATTRIBUTE) noteString(member.column, at + 1, quote - at - 1);
  else spoil(member, WRONG_TYPE, at);
  return quote + 1;
}

/** Behind a number that is not a short plain integer. */
function readLongNumber(at: usize, member: Member): usize {
  const behind = scanNumber(at);
  if (behind == 0 || member.type == UNDECLARED) return behind;
  const cell = member.data + (row << 3);
  let reason = WRONG_TYPE;
  fits = false;
  if (member.type == I64) {
    const fit = asInteger();
    fits = fit == FITS;
    if (fits) store<i64>(cell, integer);
    else if (fit == BEYOND_RANGE) reason = OUT_OF_RANGE;
  } else if (member.type == F64) {
    fits = asFloat();
    if (fits) store<f64>(cell, float);
    else reason = OUT_OF_RANGE;
  }
  if (!fits) spoil(member, reason, at);
  return behind;
}

/** Behind the number at `at`, which begins with a digit. */
function readNumber(at: usize, member: Member): usize {
  const behind = shortNumber(at);
  if (behind == 0) return readLongNumber(at, member);
  const type = member.type;
  if (type == UNDECLARED) return behind;
  fits = true;
  if (type == I64) store<i64>(member.data + (row << 3), shortInteger(at, behind));
  else if (type == F64) store<f64>(member.data + (row << 3), <f64>shortInteger(at, behind));
  else spoil(member, WRONG_TYPE, at);
  return behind;
}

/** Behind the number at `at`, which begins with a minus. A float that is zero keeps it. */
function readNegative(at: usize, member: Member): usize {
  const behind = shortNumber(at + 1);
  if (behind == 0) return readLongNumber(at, member);
  const type = member.type;
  if (type == UNDECLARED) return behind;
  fits = true;
  if (type == I64) store<i64>(member.data + (row << 3), -shortInteger(at + 1, behind));
  else if (type == F64) store<f64>(member.data + (row << 3), -(<f64>shortInteger(at + 1, behind)));
  else spoil(member, WRONG_TYPE, at);
  return behind;
}

/** Behind a literal, an object or an array. */
function readOther(at: usize, byte: u32, member: Member, depth: i32): usize {
  const type = member.type;
  if (byte == OPENING_BRACE || byte == OPENING_BRACKET) {
    if (type == OBJECT && byte == OPENING_BRACE) {
      clearObject(member);
      return readObject(at, member.inner, depth + 1);
    }
    if (type != UNDECLARED) spoil(member, WRONG_TYPE, at);
    return scanValue(at, depth);
  }
  const behind = scanLiteral(at);
  if (behind == 0 || type == UNDECLARED) return behind;
  if (byte == LETTER_N) readNull(at, member);
  else if (type == BOOL) {
    fits = true;
    store<u8>(member.data + row, <u8>(byte == LETTER_T));
  } else spoil(member, WRONG_TYPE, at);
  return behind;
}

/** A null is as good as nothing where there may be nothing. */
function readNull(at: usize, member: Member): void {
  const type = member.type;
  if (type == ATTRIBUTE) noteNull(member.column);
  else if (type == OBJECT) clearObject(member);
  else {
    const bit: u32 = 1 << member.column;
    if (required & bit) spoil(member, WRONG_TYPE, at);
    else {
      fits = false;
      spoilt &= ~bit;
    }
  }
}

/** What an earlier duplicate of the object held is void. */
function clearObject(member: Member): void {
  got &= ~member.mask;
  spoilt &= ~member.mask;
}

/** Whether the object whose inside begins at `at` has no members. */
function isEmpty(at: usize): bool {
  if (load<u8>(at) == QUOTE) return false;
  return load<u8>(skipSpace(at)) == CLOSING_BRACE;
}

/** Gives the row's texts their codes. Escapes are resolved in place: the event is known to be sound and is not read again. */
function storeTexts(): void {
  for (let left = got & texts; left != 0; left &= left - 1) {
    const index = <u32>ctz(left);
    const cell = cellAt(index);
    let length = <usize>(cell.length & ~ESCAPED);
    if (cell.length & ESCAPED) {
      const end = unescaped(index);
      if (end == 0) continue;
      length = end - cell.at;
    }
    store<u32>(columnData(index) + (row << 2), internOrAdd(columnDictionary(index), cell.at, length));
  }
}

/** Looks for texts that no UTF-8 can hold among those that are not kept. */
function checkTexts(): void {
  for (let left = got & checkedTexts; left != 0; left &= left - 1) {
    const index = <u32>ctz(left);
    if (cellAt(index).length & ESCAPED) unescaped(index);
  }
}

/** Resolves the escapes of a text; returns the address behind it, or 0 where it is none: then its column has no value. */
function unescaped(index: u32): usize {
  const cell = cellAt(index);
  finishSlice();
  const end = unescapeString(cell.at, cell.at + <usize>(cell.length & ~ESCAPED), cell.at);
  if (end != 0) return end;
  spoilColumn(index, BAD_SURROGATE, faultAddress());
  got &= ~((<u32>1) << index);
  return 0;
}

/** Gives optional columns without a value what stands for it. */
function clearCells(absent: u32): void {
  for (let left = absent; left != 0; left &= left - 1) {
    const index = <u32>ctz(left);
    const type: u32 = load<u8>(types + index);
    if (type == TEXT) {
      if ((texts >> index) & 1)
        store<u32>(columnData(index) + (row << 2), internOrAdd(columnDictionary(index), cells, 0));
    } else if (type == BOOL) store<u8>(columnData(index) + row, 0);
    else store<u64>(columnData(index) + (row << 3), 0);
  }
}

/** The fault of a sound event: of the first of its refused columns in declared order. */
function refuseCell(at: usize, refused: u32): void {
  const index = <u32>ctz(refused);
  const cell = cellAt(index);
  if ((spoilt >> index) & 1) refuseRow(cell.why, cell.at, <i32>index);
  else refuseRow(MISSING, at, <i32>index);
}
