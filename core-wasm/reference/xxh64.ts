/** Twin of the checksum: xxh64 as its specification reads, in BigInt. */

const MASK = (1n << 64n) - 1n;
const PRIMES = [
  0n,
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const;
const STRIPE = 32;

/** The hash of the bytes, 0 to 2^64 - 1. */
export function xxh64(bytes: Uint8Array, seed = 0n): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let hash = seed + PRIMES[5];
  if (bytes.length >= STRIPE) {
    const lanes = [seed + PRIMES[1] + PRIMES[2], seed + PRIMES[2], seed, seed - PRIMES[1]];
    for (; at + STRIPE <= bytes.length; at += STRIPE) {
      for (const [i, lane] of lanes.entries()) lanes[i] = round(lane, view.getBigUint64(at + 8 * i, true));
    }
    const rotations = [1n, 7n, 12n, 18n];
    hash = lanes.reduce((sum, lane, i) => sum + rotate(lane, rotations[i] ?? 0n), 0n);
    for (const lane of lanes) hash = (hash ^ round(0n, lane)) * PRIMES[1] + PRIMES[4];
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) {
    hash = rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * PRIMES[1] + PRIMES[4];
  }
  if (at + 4 <= bytes.length) {
    hash = rotate(hash ^ (BigInt(view.getUint32(at, true)) * PRIMES[1]), 23n) * PRIMES[2] + PRIMES[3];
    at += 4;
  }
  for (; at < bytes.length; at++) hash = rotate(hash ^ (BigInt(view.getUint8(at)) * PRIMES[5]), 11n) * PRIMES[1];
  hash &= MASK;
  hash = ((hash ^ (hash >> 33n)) * PRIMES[2]) & MASK;
  hash = ((hash ^ (hash >> 29n)) * PRIMES[3]) & MASK;
  return hash ^ (hash >> 32n);
}

/** 16 lower-case hex digits of a 64-bit value. */
export function hex64(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}

function round(lane: bigint, word: bigint): bigint {
  return (rotate(lane + word * PRIMES[2], 31n) * PRIMES[1]) & MASK;
}

function rotate(value: bigint, bits: bigint): bigint {
  const word = value & MASK;
  return ((word << bits) | (word >> (64n - bits))) & MASK;
}
