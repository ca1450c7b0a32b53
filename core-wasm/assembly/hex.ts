/** Lower-case hexadecimal digits, eight at a time in one 64-bit word. */

/** Writes the 8 digits of `value` at `out`, the most significant first. */
export function putHex32(out: usize, value: u32): void {
  // Spread the nibbles so that the most significant lies in the lowest byte, then add '0', and 'a' - '0' - 10 where above 9.
  let x: u64 = bswap(value);
  x = (x | (x << 16)) & 0x0000ffff0000ffff;
  x = (x | (x << 8)) & 0x00ff00ff00ff00ff;
  x = ((x >>> 4) | (x << 8)) & 0x0f0f0f0f0f0f0f0f;
  const letters = ((x + 0x0606060606060606) >>> 4) & 0x0101010101010101;
  store<u64>(out, x + 0x3030303030303030 + letters * 0x27);
}

/** Writes the 16 digits of `value` at `out`. */
export function putHex64(out: usize, value: u64): void {
  putHex32(out, <u32>(value >>> 32));
  putHex32(out + 8, <u32>value);
}
