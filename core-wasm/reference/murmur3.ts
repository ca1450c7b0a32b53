/** Twin of the key hash: murmur3 x86 32-bit, seed 0, in plain integer arithmetic. */

/** The hash of the key's UTF-8 bytes, as an unsigned number. */
export function murmur3(key: string): number {
  const bytes = new TextEncoder().encode(key);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const wholeWords = bytes.length >> 2;
  let hash = 0;
  for (let i = 0; i < wholeWords; i++) {
    hash ^= scramble(view.getUint32(i * 4, true));
    hash = (Math.imul(rotate(hash, 13), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let i = bytes.length - 1; i >= wholeWords * 4; i--) rest = (rest << 8) | view.getUint8(i);
  hash ^= scramble(rest) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(word: number): number {
  return Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
