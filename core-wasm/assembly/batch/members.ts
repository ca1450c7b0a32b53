/** Scans one line of a batch: a JSON object of which five members matter, each kept as a span of the text. */
import { NOT_OBJECT, TRAILING_BYTES, fail } from "../json/fault";
import { scanString, stringEscaped } from "../json/string";
import { atEnd, skipSpace, unexpected } from "../json/text";
import { unescapeString } from "../json/unescape";
import { scanValue } from "../json/value";

export const SERVICE: i32 = 0;
export const KEY: i32 = 1;
export const FUNCTION: i32 = 2;
export const INPUT: i32 = 3;
export const ID: i32 = 4;
const UNKNOWN: i32 = -1;

// Per member: from u32, to u32 (for strings: inside the quotes), first byte of the value u32 (0: absent), escaped u32.
const spans = memory.data(80, 16);
/** The longest escaped spelling of a member's name: 8 characters of 6 bytes. */
const LONGEST_NAME: usize = 48;
const unescaped = memory.data(128);

export function memberFrom(member: i32): usize {
  return load<u32>(spans + ((<usize>member) << 4));
}
export function memberTo(member: i32): usize {
  return load<u32>(spans + ((<usize>member) << 4), 4);
}
/** First byte of the value, which tells its type; 0 when the line has no such member. */
export function memberKind(member: i32): u32 {
  return load<u32>(spans + ((<usize>member) << 4), 8);
}
export function memberEscaped(member: i32): bool {
  return load<u32>(spans + ((<usize>member) << 4), 12) != 0;
}

function clearMembers(): void {
  for (let i: usize = 8; i < 80; i += 16) store<u32>(spans + i, 0);
}

/** The member whose name and closing quote follow the quote at `p`; UNKNOWN for any other, escaped spellings included. */
function plainName(p: usize): i32 {
  const word = load<u64>(p);
  // Little endian: the quote is the lowest byte.
  if (word == 0x6563697672657322) return load<u8>(p, 8) == 0x22 ? SERVICE : UNKNOWN;
  if ((word & 0xffffffffff) == 0x2279656b22) return KEY;
  if (word == 0x6f6974636e756622) return load<u16>(p, 8) == 0x226e ? FUNCTION : UNKNOWN;
  if ((word & 0xffffffffffffff) == 0x227475706e6922) return INPUT;
  if ((word & 0xffffffff) == 0x22646922) return ID;
  return UNKNOWN;
}

/** Bytes of a plain name with both quotes. */
function nameBytes(member: i32): usize {
  // 9, 5, 10, 7 and 4, from the lowest nibble.
  return ((0x47a59 >>> (member << 2)) & 15) as usize;
}

/** The member that an escaped name between `from` and `to` spells, or UNKNOWN. */
function escapedName(from: usize, to: usize): i32 {
  if (to - from > LONGEST_NAME) return UNKNOWN;
  store<u8>(unescaped, 0x22);
  const end = unescapeString(from, to, unescaped + 1);
  if (end == 0) return UNKNOWN;
  store<u8>(end, 0x22);
  const member = plainName(unescaped);
  return member >= 0 && nameBytes(member) == end + 1 - unescaped ? member : UNKNOWN;
}

/** Behind the value at `p`, which becomes `member`'s, or 0. */
function takeValue(p: usize, member: i32): usize {
  const kind: u32 = load<u8>(p);
  let from = p;
  let to: usize;
  let escaped = false;
  let next: usize;
  if (kind == 0x22) {
    from = p + 1;
    to = scanString(from);
    if (to == 0) return 0;
    escaped = stringEscaped();
    next = to + 1;
    if (member == INPUT) {
      from = p;
      to = next;
    }
  } else {
    to = scanValue(p, 1);
    if (to == 0) return 0;
    next = to;
  }
  if (member >= 0) {
    const span = spans + ((<usize>member) << 4);
    store<u32>(span, <u32>from);
    store<u32>(span, <u32>to, 4);
    store<u32>(span, kind, 8);
    store<u32>(span, escaped ? 1 : 0, 12);
  }
  return next;
}

/** Behind the member whose name's quote is at `p`, or 0. */
function takeMember(p: usize): usize {
  if (load<u8>(p) != 0x22) return unexpected(p);
  let member = plainName(p);
  if (member >= 0) p += nameBytes(member);
  else {
    const from = p + 1;
    const to = scanString(from);
    if (to == 0) return 0;
    if (stringEscaped()) member = escapedName(from, to);
    p = to + 1;
  }
  p = skipSpace(p);
  if (load<u8>(p) != 0x3a) return unexpected(p);
  return takeValue(skipSpace(p + 1), member);
}

/** The end of the line that begins at `p` (white space skipped, not blank) when it is one JSON object, whose members are then kept; else 0 with the fault. */
export function scanLine(p: usize): usize {
  clearMembers();
  const start = p;
  const isObject = load<u8>(p) == 0x7b;
  if (!isObject) p = scanValue(p, 0);
  else {
    p = skipSpace(p + 1);
    if (load<u8>(p) == 0x7d) p++;
    else {
      while (true) {
        p = takeMember(p);
        if (p == 0) return 0;
        p = skipSpace(p);
        const next: u32 = load<u8>(p++);
        if (next == 0x7d) break;
        if (next != 0x2c) return unexpected(p - 1);
        p = skipSpace(p);
      }
    }
  }
  if (p == 0) return 0;
  p = skipSpace(p);
  if (!atEnd(p)) return fail(TRAILING_BYTES, p);
  return isObject ? p : fail(NOT_OBJECT, start);
}
