/** SHA-256 (FIPS 180-4) of two texts, one behind the other: request ids that nobody can aim at, although everything that they come of is known. */

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
// prettier-ignore
const CONSTANTS = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
  0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
  0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
  0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
  0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
  0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const BLOCK_BYTES: usize = 64;
/** A block as it is, then its 64 words. */
const block = memory.data(64);
const words = memory.data(256);

let h0: u32 = 0;
let h1: u32 = 0;
let h2: u32 = 0;
let h3: u32 = 0;
let h4: u32 = 0;
let h5: u32 = 0;
let h6: u32 = 0;
let h7: u32 = 0;
/** Bytes that were taken, and those of them that wait in the block. */
let taken: u64 = 0;
let waiting: usize = 0;

function begin(): void {
  h0 = 0x6a09e667;
  h1 = 0xbb67ae85;
  h2 = 0x3c6ef372;
  h3 = 0xa54ff53a;
  h4 = 0x510e527f;
  h5 = 0x9b05688c;
  h6 = 0x1f83d9ab;
  h7 = 0x5be0cd19;
  taken = 0;
  waiting = 0;
}

function expand(): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(words + i, bswap(load<u32>(block + i)));
  for (let i: usize = 64; i < 256; i += 4) {
    const near = load<u32>(words + i - 8);
    const far = load<u32>(words + i - 60);
    const s1 = rotr(near, 17) ^ rotr(near, 19) ^ (near >>> 10);
    const s0 = rotr(far, 7) ^ rotr(far, 18) ^ (far >>> 3);
    store<u32>(words + i, s1 + load<u32>(words + i - 28) + s0 + load<u32>(words + i - 64));
  }
}

function compress(): void {
  expand();
  let a = h0;
  let b = h1;
  let c = h2;
  let d = h3;
  let e = h4;
  let f = h5;
  let g = h6;
  let h = h7;
  for (let i: usize = 0; i < 256; i += 4) {
    const s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    const t1 = h + s1 + ((e & f) ^ (~e & g)) + load<u32>(CONSTANTS + i) + load<u32>(words + i);
    const s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  h0 += a;
  h1 += b;
  h2 += c;
  h3 += d;
  h4 += e;
  h5 += f;
  h6 += g;
  h7 += h;
}

function take(at: usize, length: usize): void {
  taken += length;
  while (length > 0) {
    const some = min(length, BLOCK_BYTES - waiting);
    memory.copy(block + waiting, at, some);
    at += some;
    length -= some;
    waiting += some;
    if (waiting < BLOCK_BYTES) return;
    compress();
    waiting = 0;
  }
}

function end(): void {
  store<u8>(block + waiting, 0x80);
  memory.fill(block + waiting + 1, 0, BLOCK_BYTES - waiting - 1);
  // The length takes the last 8 bytes, behind the mark.
  if (waiting >= BLOCK_BYTES - 8) {
    compress();
    memory.fill(block, 0, BLOCK_BYTES);
  }
  store<u64>(block, bswap(taken * 8), 56);
  compress();
}

/** Stores the first 16 bytes of the hash at `out`, as two numbers whose digits are those of the hash. */
export function sha256Half(out: usize, first: usize, firstLength: usize, second: usize, secondLength: usize): void {
  begin();
  take(first, firstLength);
  take(second, secondLength);
  end();
  store<u64>(out, ((<u64>h0) << 32) | h1);
  store<u64>(out, ((<u64>h2) << 32) | h3, 8);
}
