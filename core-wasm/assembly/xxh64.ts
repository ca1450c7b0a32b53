/** xxh64 (Yann Collet, xxHash specification 0.1.1), whole and in slices: the checksum of everything that is stored or sent. */

const PRIME1: u64 = 0x9e3779b185ebca87;
const PRIME2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME3: u64 = 0x165667b19e3779f9;
const PRIME4: u64 = 0x85ebca77c2b2ae63;
const PRIME5: u64 = 0x27d4eb2f165667c5;

let lane1: u64 = 0;
let lane2: u64 = 0;
let lane3: u64 = 0;
let lane4: u64 = 0;
let seeded: u64 = 0;
let hashed: u64 = 0;
let digest: u64 = 0;

function round(lane: u64, word: u64): u64 {
  return rotl(lane + word * PRIME2, 31) * PRIME1;
}

function merge(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * PRIME1 + PRIME4;
}

/** Starts a hash over several slices. */
export function xxh64Begin(seed: u64): void {
  seeded = seed;
  hashed = 0;
  lane1 = seed + PRIME1 + PRIME2;
  lane2 = seed + PRIME2;
  lane3 = seed;
  lane4 = seed - PRIME1;
}

/** Takes a slice that is not the last; its length must be a multiple of 32. */
export function xxh64Stripes(at: usize, length: usize): void {
  if (length & 31) unreachable();
  let a = lane1;
  let b = lane2;
  let c = lane3;
  let d = lane4;
  const end = at + length;
  for (let p = at; p < end; p += 32) {
    a = round(a, load<u64>(p));
    b = round(b, load<u64>(p, 8));
    c = round(c, load<u64>(p, 16));
    d = round(d, load<u64>(p, 24));
  }
  lane1 = a;
  lane2 = b;
  lane3 = c;
  lane4 = d;
  hashed += length;
}

function converge(): u64 {
  let hash = rotl(lane1, 1) + rotl(lane2, 7) + rotl(lane3, 12) + rotl(lane4, 18);
  hash = merge(hash, lane1);
  hash = merge(hash, lane2);
  hash = merge(hash, lane3);
  return merge(hash, lane4);
}

/** The words, half word and bytes that fill no stripe, and the final mix. */
function finish(start: u64, at: usize, end: usize): u64 {
  let hash = start;
  let p = at;
  for (; p + 8 <= end; p += 8) hash = rotl(hash ^ round(0, load<u64>(p)), 27) * PRIME1 + PRIME4;
  if (p + 4 <= end) {
    hash = rotl(hash ^ (<u64>load<u32>(p) * PRIME1), 23) * PRIME2 + PRIME3;
    p += 4;
  }
  for (; p < end; p++) hash = rotl(hash ^ (<u64>load<u8>(p) * PRIME5), 11) * PRIME1;
  hash = (hash ^ (hash >>> 33)) * PRIME2;
  hash = (hash ^ (hash >>> 29)) * PRIME3;
  return hash ^ (hash >>> 32);
}

/** Takes the last slice, of any length, and returns the hash of all of them. */
export function xxh64End(at: usize, length: usize): u64 {
  const stripes = length & ~31;
  if (stripes) xxh64Stripes(at, stripes);
  const start = hashed ? converge() : seeded + PRIME5;
  hashed += length - stripes;
  return finish(start + hashed, at + stripes, at + length);
}

/** The hash of `length` bytes at `at`. Reads no byte beyond them. */
export function xxh64(at: usize, length: usize, seed: u64): u64 {
  if (length < 32) return finish(seed + PRIME5 + length, at, at + length);
  xxh64Begin(seed);
  return xxh64End(at, length);
}

/** As `xxh64End`, for JavaScript: the hash is left for `digestLow` and `digestHigh`, since an i64 would cross as a BigInt. */
export function digestEnd(at: usize, length: usize): void {
  digest = xxh64End(at, length);
}

/** As `xxh64Begin` with seed 0, for JavaScript. */
export function digestBegin(): void {
  xxh64Begin(0);
}

/** The same, seeded by the hash of `length` bytes at `at`, fewer than 32: how headers go into the checksums of what follows them. */
export function digestSeeded(at: usize, length: usize): void {
  assert(length < 32);
  xxh64Begin(xxh64(at, length, 0));
}

export function digestLow(): u32 {
  return <u32>digest;
}

export function digestHigh(): u32 {
  return <u32>(digest >>> 32);
}
