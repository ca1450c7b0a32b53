/** Scans JSON numbers for their grammar only; their values are the business of numbers.ts. */
import { BAD_NUMBER, fail } from "./fault";

function isDigit(p: usize): bool {
  return <u32>load<u8>(p) - 0x30 <= 9;
}

function scanDigits(p: usize): usize {
  if (!isDigit(p)) return fail(BAD_NUMBER, p);
  while (isDigit(++p));
  return p;
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
