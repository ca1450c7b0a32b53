/** Turns a scanned line into a row: its strings unescaped, its key hashed, its request id and fingerprint derived. */
import { MAX_KEY_BYTES, MAX_TABLE_BYTES } from "../../limits";
import { EMPTY_MEMBER, KEY_TOO_LARGE, LINE_TOO_LARGE, MISSING, WRONG_TYPE, fail } from "../json/fault";
import { unescapeString } from "../json/unescape";
import { sha256Half } from "../sha256";
import { xxh64 } from "../xxh64";
import { copyShort } from "./copy";
import { FUNCTION, ID, INPUT, KEY, SERVICE, memberEscaped, memberFrom, memberKind, memberTo } from "./members";

/*
 * A row while its slice is routed (64 bytes):
 *  0 u32 its text: service NUL key NUL function NUL input
 *  4 u32 bytes of service   8 u32 of key   12 u32 of function   16 u32 of input
 * 20 u32 line   24 u32 partition   28 u32 next row of the partition
 * 32 u64 fingerprint   40 u64 48 u64 request id, when derived from the client's
 */
export const ROW_BYTES: usize = 64;
export const ROW_LENGTHS: usize = 4;
export const ROW_LINE: usize = 20;
export const ROW_PARTITION: usize = 24;
export const ROW_NEXT: usize = 28;
export const ROW_FINGERPRINT: usize = 32;
export const ROW_ID: usize = 40;
/** Of what makes a client's request ids its own. */
const SCOPE_BYTES: usize = 16;

/** Bytes that a row adds to a frame besides its service, key, function and input: 4 columns, 5 lengths, the request id. */
export const ROW_OVERHEAD: usize = 4 * 4 + 5 * 4 + 32;

// What an id is derived from begins with a byte that says what it is, so that line 1, id 1 and id "1" differ.
const FROM_LINE: u8 = 0x6c; // l
const FROM_INTEGER: u8 = 0x69; // i
const FROM_STRING: u8 = 0x73; // s

let faulty: i32 = -1;

/** The member at fault in the last `makeRow` that failed. */
export function faultyMember(): i32 {
  return faulty;
}

function wrong(code: u32, member: i32, at: usize): usize {
  faulty = member;
  return fail(code, at);
}

/** Address of the value itself, quote included. */
function valueStart(member: i32): usize {
  return memberKind(member) == 0x22 && member != INPUT ? memberFrom(member) - 1 : memberFrom(member);
}

/** Writes a string member at `out`; the end of it, or 0 with the fault. */
function putText(member: i32, out: usize): usize {
  const from = memberFrom(member);
  const to = memberTo(member);
  if (!memberEscaped(member)) return copyShort(out, from, to - from);
  faulty = member;
  return unescapeString(from, to, out);
}

/** Writes a required string and a NUL at `out`, and its length at `length`; the end, or 0 with the fault. */
function putRequired(member: i32, out: usize, length: usize, line: usize): usize {
  const kind = memberKind(member);
  if (kind == 0) return wrong(MISSING, member, line);
  if (kind != 0x22) return wrong(WRONG_TYPE, member, valueStart(member));
  const end = putText(member, out);
  if (end == 0) return 0;
  if (end == out) return wrong(EMPTY_MEMBER, member, valueStart(member));
  if (member == KEY && end - out > <usize>MAX_KEY_BYTES) return wrong(KEY_TOO_LARGE, member, valueStart(member));
  store<u32>(length, <u32>(end - out));
  store<u8>(end, 0);
  return end + 1;
}

function isInteger(from: usize, to: usize): bool {
  for (let p = from; p < to; p++) {
    const byte: u32 = load<u8>(p);
    if (byte - 0x30 > 9 && byte != 0x2d) return false;
  }
  return true;
}

function putDecimal(out: usize, value: u32): usize {
  let digits: usize = 1;
  for (let rest = value; rest >= 10; rest /= 10) digits++;
  for (let p = out + digits; p > out; value /= 10) store<u8>(--p, <u8>(0x30 + (value % 10)));
  return out + digits;
}

/** Writes at `out` what the request id is derived from; the end, or 0 with the fault. */
function putIdSource(out: usize, line: u32): usize {
  const kind = memberKind(ID);
  if (kind == 0) {
    store<u8>(out, FROM_LINE);
    return putDecimal(out + 1, line);
  }
  if (kind == 0x22) {
    if (memberFrom(ID) == memberTo(ID)) return wrong(EMPTY_MEMBER, ID, valueStart(ID));
    store<u8>(out, FROM_STRING);
    return putText(ID, out + 1);
  }
  const from = memberFrom(ID);
  const to = memberTo(ID);
  if ((kind != 0x2d && kind - 0x30 > 9) || !isInteger(from, to)) return wrong(WRONG_TYPE, ID, from);
  store<u8>(out, FROM_INTEGER);
  return copyShort(out + 1, from, to - from);
}

/**
 * Fills `row` from the scanned line that begins at `start`, its text at `text`. `scope` is the client's 16 bytes, or 0.
 * Returns the end of the row's text, or 0 with the fault (and `faultyMember`). What it writes is never longer than the
 * line, but for the few bytes of a derived line number, which slack holds.
 */
export function makeRow(row: usize, text: usize, start: usize, line: u32, scope: usize): usize {
  faulty = -1;
  store<u32>(row, <u32>text);
  let out = putRequired(SERVICE, text, row + ROW_LENGTHS, start);
  if (out == 0) return 0;
  out = putRequired(KEY, out, row + ROW_LENGTHS + 4, start);
  if (out == 0) return 0;
  out = putRequired(FUNCTION, out, row + ROW_LENGTHS + 8, start);
  if (out == 0) return 0;
  const input = memberKind(INPUT) ? memberTo(INPUT) - memberFrom(INPUT) : 0;
  store<u32>(row, <u32>input, ROW_LENGTHS + 12);
  const end = copyShort(out, memberFrom(INPUT), input);
  const source = putIdSource(end, line);
  if (source == 0) return 0;
  if (end - text + ROW_OVERHEAD + 64 > <usize>MAX_TABLE_BYTES) return wrong(LINE_TOO_LARGE, -1, start);
  if (scope) {
    sha256Half(row + ROW_ID, scope, SCOPE_BYTES, end, source - end);
  }
  store<u32>(row, line, ROW_LINE);
  const fingerprint = xxh64(text, end - text, 0);
  // 0 is that of what has none, and fits everything.
  store<u64>(row, fingerprint ? fingerprint : 1, ROW_FINGERPRINT);
  return end;
}
