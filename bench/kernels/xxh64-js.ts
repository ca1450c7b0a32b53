/** xxh64 in JavaScript with 32-bit halves, as fast as that goes without BigInt: values are pairs of words (low, high). */

type Prime = readonly [low: number, high: number];
const P1: Prime = [0x85ebca87, 0x9e3779b1];
const P2: Prime = [0x27d4eb4f, 0xc2b2ae3d];
const P3: Prime = [0x9e3779f9, 0x165667b1];
const P4: Prime = [0xc2b2ae63, 0x85ebca77];
const P5: Prime = [0x165667c5, 0x27d4eb2f];

// The value being worked on.
let low = 0;
let high = 0;

function set(newLow: number, newHigh: number): void {
  low = newLow | 0;
  high = newHigh | 0;
}

function add(addLow: number, addHigh: number): void {
  const sum = (low >>> 0) + (addLow >>> 0);
  high = (high + addHigh + (sum > 0xffffffff ? 1 : 0)) | 0;
  low = sum | 0;
}

/** Times a prime, modulo 2^64. */
function times([primeLow, primeHigh]: Prime): void {
  const a = low & 0xffff;
  const b = low >>> 16;
  const c = primeLow & 0xffff;
  const d = primeLow >>> 16;
  const middle = b * c + ((a * c) >>> 16);
  const carried = b * d + Math.floor(middle / 65536) + Math.floor(((middle & 0xffff) + a * d) / 65536);
  high = (carried + Math.imul(low, primeHigh) + Math.imul(high, primeLow)) | 0;
  low = Math.imul(low, primeLow);
}

/** Rotates left by less than 32 bits. */
function rotate(bits: number): void {
  const wasLow = low;
  low = (low << bits) | (high >>> (32 - bits));
  high = (high << bits) | (wasLow >>> (32 - bits));
}

function xor(otherLow: number, otherHigh: number): void {
  low ^= otherLow;
  high ^= otherHigh;
}

function xorShifted(bits: number): void {
  if (bits === 32) low ^= high;
  else xor((low >>> bits) | (high << (32 - bits)), high >>> bits);
}

/** rotate(lane + word * P2, 31) * P1, where the word is the value. */
function round(laneLow: number, laneHigh: number): void {
  times(P2);
  add(laneLow, laneHigh);
  rotate(31);
  times(P1);
}

/** The value becomes (hash ^ round(0, value)), of which the caller makes its next step. */
function absorb(hashLow: number, hashHigh: number): void {
  round(0, 0);
  xor(hashLow, hashHigh);
}

function stripes(words: Uint32Array, end: number): void {
  const lanes = new Int32Array(8);
  set(...P1);
  add(...P2);
  lanes.set([low, high, ...P2, 0, 0]);
  set(~P1[0], ~P1[1]);
  add(1, 0);
  lanes.set([low, high], 6);
  for (let at = 0; at < end; at += 8) {
    for (let lane = 0; lane < 8; lane += 2) {
      set(words[at + lane] as number, words[at + lane + 1] as number);
      round(lanes[lane] as number, lanes[lane + 1] as number);
      lanes[lane] = low;
      lanes[lane + 1] = high;
    }
  }
  let sum: [number, number] = [0, 0];
  for (const [lane, bits] of [1, 7, 12, 18].entries()) {
    set(lanes[2 * lane] as number, lanes[2 * lane + 1] as number);
    rotate(bits);
    add(...sum);
    sum = [low, high];
  }
  for (let lane = 0; lane < 8; lane += 2) {
    set(lanes[lane] as number, lanes[lane + 1] as number);
    absorb(...sum);
    times(P1);
    add(...P4);
    sum = [low, high];
  }
}

/** The hash with seed 0 as 16 hex digits; the bytes must begin at a multiple of four in their buffer. */
export function xxh64Halves(bytes: Uint8Array): string {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  let word = (bytes.length >> 5) << 3;
  if (word > 0) stripes(words, word);
  else set(...P5);
  add(bytes.length, 0);
  for (; word + 2 <= words.length; word += 2) {
    const before = [low, high] as const;
    set(words[word] as number, words[word + 1] as number);
    absorb(...before);
    rotate(27);
    times(P1);
    add(...P4);
  }
  const finals: [number, Prime, number, Prime][] = [];
  if (word < words.length) finals.push([words[word] as number, P1, 23, P2]);
  for (const byte of bytes.subarray(words.length * 4)) finals.push([byte, P5, 11, P1]);
  for (const [value, first, bits, second] of finals) {
    const before = [low, high] as const;
    set(value, 0);
    times(first);
    xor(...before);
    rotate(bits);
    times(second);
    if (second === P2) add(...P3);
  }
  for (const [bits, prime] of [
    [33, P2],
    [29, P3],
  ] as const) {
    if (bits === 33) low ^= high >>> 1;
    else xorShifted(bits);
    times(prime);
  }
  xorShifted(32);
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}
