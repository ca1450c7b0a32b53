/** The key hash and the checksum, against published vectors and against their twins. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HASH_SLICE_BYTES } from "../../core-wasm/limits.ts";
import { hex64, xxh64 } from "../../core-wasm/reference/xxh64.ts";
import { random } from "./support/random.ts";
import { both, twin, utf8, wasm } from "./support/subjects.ts";

// Wikipedia, "MurmurHash", test vectors with seed 0; the others from SMHasher's verification by common ports.
const MURMUR3 = [
  ["", 0],
  ["test", 0xba6bd213],
  ["Hello, world!", 0xc0363e43],
  ["The quick brown fox jumps over the lazy dog", 0x2e4ff723],
  ["hello", 0x248bfa47],
  ["hello, world", 0x149bbb7f],
] as const;

// cespare/xxhash and python-xxhash.
const XXH64 = [
  ["", "ef46db3751d8e999"],
  ["a", "d24ec4f1a98c6e5b"],
  ["as", "1c330fb2d66be179"],
  ["asd", "631c37ce72a97393"],
  ["asdf", "415872f599cea71e"],
  ["abc", "44bc2cf5ad770999"],
  ["xxhash", "32dd38952c4bc720"],
  ["Call me Ishmael. Some years ago--never mind how long precisely-", "02a2e85470d6fd96"],
] as const;

describe.each(both)("%s", (_name, kernels) => {
  it.each(MURMUR3)("hashes the key %j as published", (key, hash) => {
    expect(kernels.hashKey(key)).toBe(hash);
  });

  it.each(XXH64)("checksums %j as published", (text, digest) => {
    expect(kernels.checksum(utf8(text))).toBe(digest);
  });
});

describe("key hash", () => {
  it("is the twin's for any string, lone surrogates included", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (key) => {
        expect(wasm.hashKey(key)).toBe(twin.hashKey(key));
      }),
      { numRuns: 2000 },
    );
    for (const key of ["\ud83d", "\ude00a", "a\ud83d\ude00", "é".repeat(600), "\0"]) {
      expect(wasm.hashKey(key)).toBe(twin.hashKey(key));
    }
  });

  it("does not depend on what was hashed before", () => {
    const fresh = twin.hashKey("ab");
    wasm.hashKey("a much longer key than the next one");
    expect(wasm.hashKey("ab")).toBe(fresh);
  });
});

describe("checksum", () => {
  it("takes a seed as published", () => {
    expect(hex64(xxh64(utf8("xxhash"), 20141025n))).toBe("b559b98d844e0635");
  });

  it("is the twin's at every length around its stripes", () => {
    const source = random(7).bytes(200);
    for (let length = 0; length <= source.length; length++) {
      for (const start of [0, 1, 3]) {
        const bytes = source.subarray(start, length);
        expect(wasm.checksum(bytes)).toBe(twin.checksum(bytes));
      }
    }
  });

  it("is the same whatever the slices in which it crosses into Wasm", () => {
    const bytes = new Uint8Array(HASH_SLICE_BYTES + 77).fill(3);
    bytes[HASH_SLICE_BYTES] = 9;
    for (const length of [HASH_SLICE_BYTES - 1, HASH_SLICE_BYTES, HASH_SLICE_BYTES + 1, bytes.length]) {
      expect(wasm.checksum(bytes.subarray(0, length))).toBe(twin.checksum(bytes.subarray(0, length)));
    }
  });
});
