/** Twin of SHA-256 (FIPS 180-4), on numbers and arrays. */

/** The first 32 bits of the fractional part of a root of `n`. */
function fraction(n: number, root: (n: number) => number): number {
  const value = root(n);
  return Math.floor((value - Math.floor(value)) * 2 ** 32);
}

const PRIMES = Array.from({ length: 312 }, (_, n) => n).filter(
  (n) => n > 1 && Array.from({ length: n - 2 }, (_, m) => m + 2).every((m) => n % m !== 0),
);
const CONSTANTS = PRIMES.map((prime) => fraction(prime, Math.cbrt));
const START = PRIMES.slice(0, 8).map((prime) => fraction(prime, Math.sqrt));

/** The hash as 64 hex digits. */
export function sha256(text: Uint8Array): string {
  const padded = new Uint8Array(Math.ceil((text.length + 9) / 64) * 64);
  padded.set(text);
  padded[text.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(text.length) * 8n);
  let hash = START;
  for (let block = 0; block < padded.length; block += 64) hash = compress(hash, view, block);
  return hash.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

function compress(hash: readonly number[], view: DataView, block: number): number[] {
  const words = Array.from({ length: 16 }, (_, n) => view.getUint32(block + 4 * n));
  for (let n = 16; n < 64; n++) {
    const [w16, w15, w7, w2] = [16, 15, 7, 2].map((back) => words[n - back] as number) as Four;
    const s0 = rotated(w15, 7) ^ rotated(w15, 18) ^ (w15 >>> 3);
    const s1 = rotated(w2, 17) ^ rotated(w2, 19) ^ (w2 >>> 10);
    words.push((w16 + s0 + w7 + s1) | 0);
  }
  let state = [...hash];
  for (const [n, word] of words.entries()) {
    const [a, b, c, d] = state.slice(0, 4) as Four;
    const [e, f, g, h] = state.slice(4) as Four;
    const s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (CONSTANTS[n] as number) + word) | 0;
    const s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    state = [(t1 + t2) | 0, a, b, c, (d + t1) | 0, e, f, g];
  }
  return state.map((word, n) => (word + (hash[n] as number)) | 0);
}
type Four = [number, number, number, number];

function rotated(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}
