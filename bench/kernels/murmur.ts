/** The key hash in JavaScript, tuned: over bytes, and over strings while they are ASCII. */

function mix(word: number): number {
  const product = Math.imul(word, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

function step(hash: number, word: number): number {
  const mixed = hash ^ mix(word);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number, length: number): number {
  let h = hash ^ length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** murmur3 x86 32-bit, seed 0, of the bytes from `from` to `to`. */
export function murmurBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0;
  let p = from;
  const whole = to - ((to - from) & 3);
  for (; p < whole; p += 4) {
    const low = (bytes[p] as number) | ((bytes[p + 1] as number) << 8);
    hash = step(hash, low | ((bytes[p + 2] as number) << 16) | ((bytes[p + 3] as number) << 24));
  }
  let word = 0;
  for (let i = to - 1; i >= p; i--) word = (word << 8) | (bytes[i] as number);
  return finish(hash ^ mix(word), to - from);
}

const encoder = new TextEncoder();

/** The same of a string's UTF-8, without encoding it while it is ASCII. */
export function murmurText(text: string): number {
  const { length } = text;
  let hash = 0;
  let seen = 0;
  let p = 0;
  for (const whole = length & ~3; p < whole; p += 4) {
    const a = text.charCodeAt(p);
    const b = text.charCodeAt(p + 1);
    const c = text.charCodeAt(p + 2);
    const d = text.charCodeAt(p + 3);
    seen |= a | b | c | d;
    hash = step(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let word = 0;
  for (let i = length - 1; i >= p; i--) {
    const unit = text.charCodeAt(i);
    seen |= unit;
    word = (word << 8) | unit;
  }
  if (seen < 0x80) return finish(hash ^ mix(word), length);
  const bytes = encoder.encode(text);
  return murmurBytes(bytes, 0, bytes.length);
}
