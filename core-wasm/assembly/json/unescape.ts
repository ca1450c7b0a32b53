/** Turns the inside of a scanned JSON string into the UTF-8 of its value. */
import { BAD_SURROGATE, fail } from "./fault";

function hexValue(byte: u32): u32 {
  return (byte & 0x0f) + (byte >>> 6) * 9;
}

/** Code unit of the `\uXXXX` whose backslash is at `p`; the digits were checked by the scan. */
function codeUnit(p: usize): u32 {
  return (
    (hexValue(load<u8>(p, 2)) << 12) |
    (hexValue(load<u8>(p, 3)) << 8) |
    (hexValue(load<u8>(p, 4)) << 4) |
    hexValue(load<u8>(p, 5))
  );
}

function shortEscape(kind: u32): u8 {
  switch (kind) {
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return <u8>kind;
  }
}

function putUtf8(out: usize, point: u32): usize {
  if (point < 0x80) {
    store<u8>(out, <u8>point);
    return out + 1;
  }
  if (point < 0x800) {
    store<u8>(out, <u8>(0xc0 | (point >>> 6)));
    store<u8>(out, <u8>(0x80 | (point & 0x3f)), 1);
    return out + 2;
  }
  if (point < 0x10000) {
    store<u8>(out, <u8>(0xe0 | (point >>> 12)));
    store<u8>(out, <u8>(0x80 | ((point >>> 6) & 0x3f)), 1);
    store<u8>(out, <u8>(0x80 | (point & 0x3f)), 2);
    return out + 3;
  }
  store<u8>(out, <u8>(0xf0 | (point >>> 18)));
  store<u8>(out, <u8>(0x80 | ((point >>> 12) & 0x3f)), 1);
  store<u8>(out, <u8>(0x80 | ((point >>> 6) & 0x3f)), 2);
  store<u8>(out, <u8>(0x80 | (point & 0x3f)), 3);
  return out + 4;
}

/**
 * Writes the value of the string between `from` and `to` (quotes excluded, already scanned) at `out`, and returns the end of it.
 * The value is never longer than its text. A lone surrogate escape has no UTF-8: 0, with the fault at its backslash.
 */
export function unescapeString(from: usize, to: usize, out: usize): usize {
  let p = from;
  while (p < to) {
    const byte = load<u8>(p);
    if (byte != 0x5c) {
      store<u8>(out++, byte);
      p++;
      continue;
    }
    const kind: u32 = load<u8>(p, 1);
    if (kind != 0x75) {
      store<u8>(out++, shortEscape(kind));
      p += 2;
      continue;
    }
    let point = codeUnit(p);
    if ((point & 0xf800) == 0xd800) {
      const paired = (point & 0xfc00) == 0xd800 && p + 12 <= to && load<u16>(p, 6) == 0x755c;
      const low = paired ? codeUnit(p + 6) : 0;
      if ((low & 0xfc00) != 0xdc00) return fail(BAD_SURROGATE, p);
      point = 0x10000 + ((point & 0x3ff) << 10) + (low & 0x3ff);
      p += 6;
    }
    out = putUtf8(out, point);
    p += 6;
  }
  return out;
}
