/** Scans JSON strings, 16 bytes at a time where they are plain ASCII: escapes, control characters and UTF-8 are checked, nothing is built. */
import { BAD_ESCAPE, BAD_UTF8, CONTROL_CHARACTER, UNTERMINATED_STRING, fail } from "./fault";
import { atEnd } from "./text";

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;

let escaped: bool = false;

/** Whether the string of the last `scanString` holds an escape, so that its bytes differ from its value. */
export function stringEscaped(): bool {
  return escaped;
}

function isHex(byte: u32): bool {
  return byte - 0x30 <= 9 || (byte | 0x20) - 0x61 <= 5;
}

/** Behind the escape whose backslash is at `p`, or 0. */
function scanEscape(p: usize): usize {
  const kind: u32 = load<u8>(p, 1);
  if (kind == 0x75) {
    if (isHex(load<u8>(p, 2)) && isHex(load<u8>(p, 3)) && isHex(load<u8>(p, 4)) && isHex(load<u8>(p, 5))) return p + 6;
    return fail(BAD_ESCAPE, p);
  }
  if (kind == QUOTE || kind == BACKSLASH || kind == 0x2f) return p + 2;
  // b f n r t
  if (kind - 0x62 <= 0x12 && (0x51011 >>> (kind - 0x62)) & 1) return p + 2;
  if (atEnd(p + 1)) return fail(UNTERMINATED_STRING, p + 1);
  return fail(BAD_ESCAPE, p);
}

/** Behind the run of well-formed non-ASCII sequences that starts at `p` (Unicode 17, table 3-7), or 0. */
export function scanUtf8(p: usize): usize {
  while (true) {
    const lead: u32 = load<u8>(p);
    if (lead < 0x80) return p;
    const second: u32 = load<u8>(p, 1);
    if (lead >= 0xc2 && lead < 0xe0) {
      if ((second & 0xc0) != 0x80) return fail(BAD_UTF8, p);
      p += 2;
    } else if (lead >= 0xe0 && lead < 0xf0) {
      const low: u32 = lead == 0xe0 ? 0xa0 : 0x80;
      const high: u32 = lead == 0xed ? 0x9f : 0xbf;
      if (second < low || second > high || (load<u8>(p, 2) & 0xc0) != 0x80) return fail(BAD_UTF8, p);
      p += 3;
    } else if (lead >= 0xf0 && lead < 0xf5) {
      const low: u32 = lead == 0xf0 ? 0x90 : 0x80;
      const high: u32 = lead == 0xf4 ? 0x8f : 0xbf;
      if (second < low || second > high || (load<u16>(p, 2) & 0xc0c0) != 0x8080) return fail(BAD_UTF8, p);
      p += 4;
    } else return fail(BAD_UTF8, p);
  }
}

/** Address of the closing quote of the string whose first byte (behind the opening quote) is at `p`, or 0. Sets `stringEscaped`. */
export function scanString(p: usize): usize {
  const quotes = i8x16.splat(<i8>QUOTE);
  const backslashes = i8x16.splat(<i8>BACKSLASH);
  const spaces = i8x16.splat(0x20);
  escaped = false;
  while (true) {
    const block = v128.load(p);
    // As signed bytes, control characters and everything above ASCII are below a space.
    const stops = i8x16.bitmask(
      v128.or(v128.or(i8x16.eq(block, quotes), i8x16.eq(block, backslashes)), i8x16.lt_s(block, spaces)),
    );
    if (stops == 0) {
      p += 16;
      continue;
    }
    p += ctz(stops);
    const byte: u32 = load<u8>(p);
    if (byte == QUOTE) return p;
    if (byte == BACKSLASH) {
      escaped = true;
      p = scanEscape(p);
    } else if (byte >= 0x80) p = scanUtf8(p);
    else return fail(atEnd(p) ? UNTERMINATED_STRING : CONTROL_CHARACTER, p);
    if (p == 0) return 0;
  }
}
