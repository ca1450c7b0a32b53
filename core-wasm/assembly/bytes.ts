/** Comparing and hashing short byte strings, 16 bytes at a time. Reads up to 16 bytes past the end, which SLACK_BYTES allows. */

/** 16 set bytes, 16 clear ones, 16 set ones. */
const MASKS = memory.data<u64>([0xffffffffffffffff, 0xffffffffffffffff, 0, 0, 0xffffffffffffffff, 0xffffffffffffffff]);
// Odd constants with well mixed bits: the golden ratio, and xxh64's second and third primes.
const K0: u64 = 0x9e3779b97f4a7c15;
const K1: u64 = 0xc2b2ae3d27d4eb4f;
const K2: u64 = 0x165667b19e3779f9;

/** The first `length` (0 to 16) bytes set, the others clear. */
export function maskOf(length: usize): v128 {
  return v128.load(MASKS + 16 - length);
}

/** The last `length` (0 to 16) bytes set, the others clear. */
export function lastMaskOf(length: usize): v128 {
  return v128.load(MASKS + 16 + length);
}

/** Whether two byte strings of the same length are equal. */
export function sameBytes(a: usize, b: usize, length: usize): bool {
  while (length > 16) {
    if (v128.any_true(v128.xor(v128.load(a), v128.load(b)))) return false;
    a += 16;
    b += 16;
    length -= 16;
  }
  return !v128.any_true(v128.and(v128.xor(v128.load(a), v128.load(b)), maskOf(length)));
}

/** Copies a short byte string; writes up to 15 bytes behind it. */
export function copyBytes(to: usize, from: usize, length: usize): void {
  for (const end = from + length; from < end; from += 16, to += 16) v128.store(to, v128.load(from));
}

/** Byte order, which for UTF-8 is the order of code points: below, above or equal to 0. */
export function compareBytes(a: usize, aLength: usize, b: usize, bLength: usize): i32 {
  const order = memory.compare(a, b, min(aLength, bLength));
  return order != 0 ? order : <i32>aLength - <i32>bLength;
}

/** Mixes two 64-bit words into a hash; for tables in memory only, never stored or sent. */
export function mixWords(low: u64, high: u64): u32 {
  let hash = (low ^ K0) * K1;
  hash = (rotl(hash, 32) ^ high) * K2;
  hash ^= hash >> 32;
  hash *= K0;
  return <u32>(hash >> 32);
}

/** Hash of a byte string; for tables in memory only, never stored or sent. */
export function hashBytes(at: usize, length: usize): u32 {
  let hash = <u64>length * K0;
  while (length > 16) {
    hash = (rotl(hash ^ load<u64>(at), 29) * K1) ^ load<u64>(at, 8);
    at += 16;
    length -= 16;
  }
  const last = v128.and(v128.load(at), maskOf(length));
  return mixWords(hash ^ v128.extract_lane<u64>(last, 0), v128.extract_lane<u64>(last, 1));
}
