/** Events to typed columns: every byte validated in one pass, the body taken in slices so that memory follows the columns, not the body. */
import {
  addColumn,
  builtFrame,
  closeBuilder,
  finishFrame,
  makeRoom,
  mostRows,
  openBuilder,
  roomForRows,
} from "./builder";
import { BOOL, CHECKED, OPTIONAL } from "./columns";
import { attributeAt, attributeLength, wantAttribute, resetAttributes } from "./attributes";
import { checkJson } from "./json/check";
import {
  COLUMNS_TOO_LARGE,
  EMPTY,
  NOT_OBJECT,
  TRAILING_BYTES,
  UNEXPECTED_BYTE,
  UNEXPECTED_END,
  faultAddress,
  faultCode,
} from "./json/fault";
import { beginText, skipSpace } from "./json/text";
import { scanValue } from "./json/value";
import { alloc, blockBytes, free } from "./memory";
import { ATTRIBUTE, declareMember, declareObject, placeMembers, resetMembers } from "./members";
import { addRowColumn, faultColumn, faultWhere, faultWhy, readRow, refuseRow, resetRow, NO_COLUMN } from "./row";
import { SLACK_BYTES } from "../limits";
import { beginFingerprint, fingerprint, fingerprintSlice, fingerprintTo, finishSlice } from "./fingerprint";
import { xxh64 } from "./xxh64";

const COMMA: u32 = 0x2c;
const LINE_FEED: u32 = 0x0a;
const OPENING_BRACE: u32 = 0x7b;
const OPENING_BRACKET: u32 = 0x5b;
const CLOSING_BRACKET: u32 = 0x5d;

/** How events stand in a body; facade/declaration.ts has the same numbers. */
const LINES: u32 = 0;
/** One JSON text: an array of events, or an event alone. */
const ARRAY_OR_ONE: u32 = 1;
const ARRAY: u32 = 2;
const ONE: u32 = 3;

/** Rows that a longer body gets room for before it is known how long its lines are. */
const FIRST_ROWS: usize = 1024;
/** For so many times the rows that there are room is made at most: those to come may be much longer. */
const MOST_GROWTH: u64 = 16;
/** A token that the end of a slice has cut is at fault at most so far before it: at the backslash of an escape, or at a literal. */
const LONGEST_CUT: usize = 8;

let names: usize = 0;

/** Input: the unfinished event of earlier slices, then the present slice. */
let buffer: usize = 0;
let held: usize = 0;
/** Offset in the body of the buffer's first byte, and length of the whole body. */
let bodyAt: usize = 0;
let bodyLength: usize = 0;

let rows: usize = 0;
let line: u32 = 0;
let framing: u32 = LINES;

/** What may come next in a JSON text. */
const TEXT_START: u32 = 0;
const FIRST_EVENT: u32 = 1;
const NEXT_EVENT: u32 = 2;
const SEPARATOR: u32 = 3;
const NOTHING: u32 = 4;
let awaited: u32 = TEXT_START;

/** Offset of the fault in the body. */
let faultOffset: usize = 0;
/** What is to be added to an address in the last event for its offset in the body. */
let lastShift: usize = 0;

/** Starts a body of `length` bytes; `mayRepeat` allows dictionaries to have a string several times. Declarations follow, then slices by `eventsRoom` and `eventsTake`, then `eventsEnd`; at the end always `eventsClose`. Returns where the declared names' bytes are to be written. */
export function eventsBegin(length: usize, nameBytes: usize, form: u32, mayRepeat: bool): usize {
  assert(names == 0);
  held = 0;
  bodyAt = 0;
  bodyLength = length;
  rows = 0;
  line = 0;
  framing = form;
  awaited = TEXT_START;
  names = alloc(nameBytes + SLACK_BYTES);
  resetMembers();
  resetAttributes();
  resetRow();
  openBuilder(mayRepeat);
  beginFingerprint();
  return names;
}

/** Declares an object, a member of the scope's object, in which there are columns; returns its scope. The event's own is 0. */
export function eventsObject(scope: u32, name: usize, length: usize): u32 {
  return declareObject(scope, name, length);
}

/**
 * Declares the next column: a member of the scope's object. `type` has OPTIONAL added where there may be no value, and CHECKED where the
 * frame is not to have it. `hash` is that of the column's own name.
 */
export function eventsColumn(type: u32, scope: u32, name: usize, length: usize, hash: u32): void {
  const plain = type & ~(OPTIONAL | CHECKED);
  assert(plain - 1 < BOOL);
  const optional = (type & OPTIONAL) != 0;
  const kept = (type & CHECKED) == 0;
  declareMember(scope, name, length, addRowColumn(plain, optional, kept), plain);
  addColumn(plain, optional, kept, hash);
}

/** Declares an attribute of the envelope that events come in: see attributes.ts. */
export function eventsAttribute(index: u32, name: usize, length: usize): void {
  declareMember(0, name, length, index, ATTRIBUTE);
  wantAttribute(index);
}

/** The hash by which a frame names its columns. */
export function columnHash(name: usize, length: usize): u32 {
  const hash = <u32>xxh64(name, length, 0);
  // Longer names' hashes go through the state of the body's.
  beginFingerprint();
  return hash;
}

/** Where the next `bytes` bytes of the body are to be written. */
export function eventsRoom(bytes: usize): usize {
  const need = held + bytes + SLACK_BYTES;
  if (buffer == 0 || blockBytes(buffer) < need) {
    // Of a long event all that is left of the body may be needed, and nothing more.
    const larger = alloc(max(need, min(held << 1, bodyLength - bodyAt + SLACK_BYTES)));
    if (buffer != 0) {
      memory.copy(larger, buffer, held);
      free(buffer);
    }
    buffer = larger;
  }
  return buffer + held;
}

/** Bytes of an event that earlier slices have begun: a slice of as many more keeps the whole linear. */
export function eventsHeld(): usize {
  return held;
}

/** Reads the events that `bytes` more bytes complete; a slice but the last is a multiple of 32 long. 0, or the code of the fault. */
export function eventsTake(bytes: usize, last: bool): u32 {
  const from = buffer + held;
  let end = from + bytes;
  fingerprintSlice(from, bytes, last);
  let behind: usize;
  if (framing == LINES) {
    if (last) {
      store<u8>(end, LINE_FEED);
      if (end != buffer && load<u8>(end - 1) != LINE_FEED) end++;
    } else {
      while (end > from && load<u8>(end - 1) != LINE_FEED) end--;
      if (end == from) end = buffer;
    }
    beginText(end, true);
    behind = readLines(buffer, end);
  } else {
    store<u8>(end, 0);
    beginText(end, false);
    behind = readText(buffer, end, last);
  }
  if (behind == 0) return faultWhy();
  finishSlice();
  const rest: usize = last ? 0 : from + bytes - behind;
  memory.copy(buffer, behind, rest);
  bodyAt += behind - buffer;
  held = rest;
  return 0;
}

/** Reads whole lines, each with its LF. Returns `end`, or 0. */
function readLines(at: usize, end: usize): usize {
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
    if (byte != OPENING_BRACE) return refuse(NOT_OBJECT, at);
    if (rows == roomForRows() && !growRows(at)) return refuse(COLUMNS_TOO_LARGE, at);
    const behind = readRow(at, rows, 0, true);
    if (behind == 0) return faultColumn() != NO_COLUMN ? refused() : diagnose(at);
    rows++;
    at = behind + 1;
    fingerprintTo(at);
  }
  return end;
}

/** Reads what is complete of one JSON text. Returns the address behind it, or 0. */
function readText(at: usize, end: usize, last: bool): usize {
  while (true) {
    at = skipSpace(at);
    if (at >= end) break;
    const byte: u32 = load<u8>(at);
    if (awaited == NOTHING) return refuse(TRAILING_BYTES, at);
    if (awaited == SEPARATOR) {
      if (byte != COMMA && byte != CLOSING_BRACKET) return refuse(UNEXPECTED_BYTE, at);
      awaited = byte == COMMA ? NEXT_EVENT : NOTHING;
      at++;
      continue;
    }
    if (awaited == TEXT_START && byte == OPENING_BRACKET && framing != ONE) {
      awaited = FIRST_EVENT;
      at++;
      continue;
    }
    if (awaited == FIRST_EVENT && byte == CLOSING_BRACKET) {
      awaited = NOTHING;
      at++;
      continue;
    }
    if (byte != OPENING_BRACE || (awaited == TEXT_START && framing == ARRAY)) {
      return refuse(startsValue(byte) ? NOT_OBJECT : UNEXPECTED_BYTE, at);
    }
    if (rows == roomForRows() && !growRows(at)) return refuse(COLUMNS_TOO_LARGE, at);
    const behind = readRow(at, rows, awaited == TEXT_START ? 0 : 1, false);
    if (behind == 0) {
      if (faultColumn() != NO_COLUMN) return refused();
      const sound = scanValue(at, awaited == TEXT_START ? 0 : 1);
      assert(sound == 0);
      if (!last && faultAddress() + LONGEST_CUT >= end) return at;
      return refuse(faultCode(), faultAddress());
    }
    rows++;
    lastShift = bodyAt - buffer;
    awaited = awaited == TEXT_START ? NOTHING : SEPARATOR;
    at = behind;
    fingerprintTo(at);
  }
  if (last && awaited != NOTHING) return refuse(awaited == TEXT_START ? EMPTY : UNEXPECTED_END, end);
  return end;
}

function startsValue(byte: u32): bool {
  if (byte == OPENING_BRACE || byte == OPENING_BRACKET || byte == 0x22 || byte == 0x2d || byte - 0x30 <= 9) return true;
  return byte == 0x74 || byte == 0x66 || byte == 0x6e;
}

/** Makes room for as many rows as the body will have if it goes on as it began. False where there may be no more of them. */
function growRows(at: usize): bool {
  const most = mostRows();
  if (rows >= most) return false;
  const taken = <u64>(bodyAt + (at - buffer)) + 1;
  const expected: u64 = rows == 0 ? min(FIRST_ROWS, bodyLength >> 3) : (<u64>rows * bodyLength) / taken;
  const room = expected + (expected >> 5) + 1;
  makeRoom(rows, <usize>(rows == 0 ? room : min(room, rows * MOST_GROWTH)), most);
  placeMembers();
  return true;
}

function refuse(why: u32, at: usize): usize {
  refuseRow(why, at, NO_COLUMN);
  return refused();
}

function refused(): usize {
  faultOffset = bodyAt + (faultWhere() - buffer);
  return 0;
}

/** Finds out what is wrong with the line at `at`, of which the fast path only knows that it is not JSON. */
function diagnose(at: usize): usize {
  let end = at;
  while (load<u8>(end) != LINE_FEED) end++;
  const sound = checkJson(at, end - at);
  assert(sound == 0);
  return refuse(faultCode(), faultAddress());
}

/** Packs the frame; returns its length. A frame above `whole` bytes is left in pieces: see builder.ts. The input is gone where it was long. */
export function eventsEnd(whole: usize, keepBuffer: usize): usize {
  dropBuffer(keepBuffer);
  return finishFrame(rows, whole);
}

function dropBuffer(keep: usize): void {
  if (buffer == 0 || blockBytes(buffer) <= keep) return;
  free(buffer);
  buffer = 0;
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

/** Line of the fault, where events stand in lines. */
export function eventsFaultLine(): u32 {
  return line;
}

/** Offset of the fault in the body. */
export function eventsFaultAt(): u32 {
  return <u32>faultOffset;
}

/** Index of the column that refused its value; -2 less the index of an attribute; -1 when the JSON itself is at fault. */
export function eventsFaultColumn(): i32 {
  return faultColumn();
}

/** Offset in the body of the inside of an attribute's string in the last event, as it is written there. */
export function eventsAttributeAt(index: u32): u32 {
  return <u32>(attributeAt(index) + lastShift);
}

export function eventsAttributeLength(index: u32): u32 {
  return attributeLength(index);
}

/** Gives back all memory of the call, except what is at most so long: the input buffer, and the frame, which stays at `keptFrame`. Safe after a fault. */
export function eventsClose(keepBuffer: usize, keepFrame: usize): void {
  closeBuilder(keepFrame);
  if (names != 0) free(names);
  names = 0;
  dropBuffer(keepBuffer);
}
