/** Comparing and hashing short byte strings, 16 bytes at a time. Reads up to 16 bytes past the end, which SLACK_BYTES allows. */

/** 16 set bytes, 16 clear ones, 16 set ones. */
const MASKS = memory.data<u64>([0xffffffffffffffff, 0xffffffffffffffff, 0, 0, 0xffffffffffffffff, 0xffffffffffffffff]);
/**
 * The seed of this instance's hashes. Who knows it can make keys of one hash, and a search would go through all of them; so the host draws it at
 * random and tells nobody. Until then it is the golden ratio, and xxh64's second prime. Both stay odd, so that multiplying with them loses nothing,
 * and are never 1.
 */
export let seed0: u64 = 0x9e3779b97f4a7c15;
export let seed1: u64 = 0xc2b2ae3d27d4eb4f;

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

/** Takes the seed, four words: once, before there is any table. Zeros leave it as it is. */
export function seedTables(a: u32, b: u32, c: u32, d: u32): void {
  seed0 ^= (((<u64>a) << 32) | b) & ~(<u64>3);
  seed1 ^= (((<u64>c) << 32) | d) & ~(<u64>3);
}

/** The halves of the 128-bit product, one over the other, as wyhash has it. */
function fold(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const bLow = b & 0xffffffff;
  const middle = (a >> 32) * bLow + ((aLow * bLow) >> 32);
  const other = aLow * (b >> 32) + (middle & 0xffffffff);
  return (a * b) ^ ((a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32));
}

/** Hash of a byte string; for tables in memory only, never stored or sent. */
export function hashBytes(at: usize, length: usize): u32 {
  let hash = (<u64>length * seed1) ^ seed0;
  while (length > 16) {
    hash = fold(hash ^ load<u64>(at), load<u64>(at, 8) ^ seed1);
    at += 16;
    length -= 16;
  }
  const last = v128.and(v128.load(at), maskOf(length));
  hash = fold(hash ^ v128.extract_lane<u64>(last, 0), v128.extract_lane<u64>(last, 1) ^ seed1);
  // Without this texts that are nearly alike lie in long rows for one seed in a hundred.
  return <u32>(((hash ^ (hash >> 32)) * seed0) >> 32);
}
