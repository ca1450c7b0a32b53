/** Scans JSON numbers for their grammar only; their values are the business of numbers.ts. */
import { BAD_NUMBER, fail } from "./fault";

function isDigit(p: usize): bool {
  return <u32>load<u8>(p) - 0x30 <= 9;
}

/** Behind the digits at `p`, of which there must be one. Counts 16 at a time: a loop over digits mispredicts its end each time. */
function scanDigits(p: usize): usize {
  const start = p;
  while (true) {
    const offsets = i8x16.sub(v128.load(p), i8x16.splat(0x30));
    const others = ~i8x16.bitmask(i8x16.lt_u(offsets, i8x16.splat(10)));
    p += min<u32>(ctz(others), 16);
    if (others & 0xffff) return p == start ? fail(BAD_NUMBER, p) : p;
  }
}

/** Behind the number that starts at `p` (a digit or a minus), or 0 with the fault at the first byte that breaks the grammar. */
export function scanNumber(p: usize): usize {
  if (load<u8>(p) == 0x2d) p++;
  if (load<u8>(p) == 0x30) {
    if (isDigit(++p)) return fail(BAD_NUMBER, p);
  } else {
    p = scanDigits(p);
    if (p == 0) return 0;
  }
  if (load<u8>(p) == 0x2e) {
    p = scanDigits(p + 1);
    if (p == 0) return 0;
  }
  if ((load<u8>(p) | 0x20) == 0x65) {
    p++;
    const sign: u32 = load<u8>(p);
    if (sign == 0x2b || sign == 0x2d) p++;
    p = scanDigits(p);
  }
  return p;
}
