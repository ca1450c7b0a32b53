/** murmur3 x86 32-bit, seed 0 (Austin Appleby, SMHasher, MurmurHash3.cpp): decides the key group of a key, so it must never change. */

function mix(word: u32): u32 {
  return rotl(word * 0xcc9e2d51, 15) * 0x1b873593;
}

/** The hash of `length` bytes at `at`. Reads no byte beyond them. */
export function murmur3(at: usize, length: u32): u32 {
  let hash: u32 = 0;
  let p = at;
  const blocksEnd = at + (length & ~3);
  for (; p < blocksEnd; p += 4) hash = rotl(hash ^ mix(load<u32>(p)), 13) * 5 + 0xe6546b64;
  const rest = length & 3;
  if (rest) {
    let word: u32 = load<u8>(p);
    if (rest > 1) word |= (<u32>load<u8>(p, 1)) << 8;
    if (rest > 2) word |= (<u32>load<u8>(p, 2)) << 16;
    hash ^= mix(word);
  }
  hash ^= length;
  hash = (hash ^ (hash >>> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >>> 13)) * 0xc2b2ae35;
  return hash ^ (hash >>> 16);
}
