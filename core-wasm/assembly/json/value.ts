/** Scans any JSON value without recursion: one byte of stack per open container. */
import { MAX_NESTING } from "../../limits";
import { TOO_DEEP, fail } from "./fault";
import { scanNumber } from "./number";
import { scanString } from "./string";
import { skipSpace, unexpected } from "./text";

const ARRAY: u8 = 0;
const OBJECT: u8 = 1;
const containers = memory.data(512); // MAX_NESTING

/** Behind the literal at `p` (true, false or null), or 0; the fault is at its first byte. */
export function scanLiteral(p: usize): usize {
  const word = load<u32>(p);
  if (word == 0x65757274 || word == 0x6c6c756e) return p + 4;
  if (word == 0x736c6166 && load<u8>(p, 4) == 0x65) return p + 5;
  return unexpected(p);
}

/** From a member's opening quote at `p` to the first byte of its value, or 0. */
function scanName(p: usize): usize {
  if (load<u8>(p) != 0x22) return unexpected(p);
  p = scanString(p + 1);
  if (p == 0) return 0;
  p = skipSpace(p + 1);
  if (load<u8>(p) != 0x3a) return unexpected(p);
  return skipSpace(p + 1);
}

/** Behind the string, number or literal at `p`, or 0. */
function scanScalar(p: usize, first: u32): usize {
  if (first == 0x22) {
    p = scanString(p + 1);
    return p ? p + 1 : 0;
  }
  if (first == 0x2d || first - 0x30 <= 9) return scanNumber(p);
  return scanLiteral(p);
}

/** Behind the value whose first byte is at `p` (white space already skipped), or 0. `outer` containers are open around it. */
export function scanValue(p: usize, outer: i32): usize {
  let depth = outer;
  while (true) {
    const first: u32 = load<u8>(p);
    if (first == 0x7b || first == 0x5b) {
      if (depth == MAX_NESTING) return fail(TOO_DEEP, p);
      p = skipSpace(p + 1);
      // The closing brackets are two above the opening ones.
      if (load<u8>(p) != first + 2) {
        store<u8>(containers + depth++, first == 0x7b ? OBJECT : ARRAY);
        if (first == 0x7b) {
          p = scanName(p);
          if (p == 0) return 0;
        }
        continue;
      }
      p++;
    } else {
      p = scanScalar(p, first);
      if (p == 0) return 0;
    }
    while (true) {
      if (depth == outer) return p;
      p = skipSpace(p);
      const next: u32 = load<u8>(p);
      const inObject = load<u8>(containers + depth - 1) == OBJECT;
      if (next == 0x2c) {
        p = skipSpace(p + 1);
        if (inObject) {
          p = scanName(p);
          if (p == 0) return 0;
        }
        break;
      }
      if (next != <u32>(inObject ? 0x7d : 0x5d)) return unexpected(p);
      p++;
      depth--;
    }
  }
}
