/** The key-group map: every key has one partition, and the map does not change behind anybody's back. */
import { describe, expect, test } from "vitest";
import { murmur3 } from "../../core-wasm/reference/murmur3.ts";
import { decideMap } from "../../protocol/coordinator/key-group-map.ts";
import {
  decodeMap,
  encodeMap,
  groupOfHash,
  initialMap,
  KEY_GROUPS,
  partitionOfHash,
} from "../../protocol/keygroups/map.ts";

describe("the first map", () => {
  test.each([1, 2, 3, 4, 7, 255, 256])("of %i partitions gives each an equal share, in ranges", (partitions) => {
    const { groups } = initialMap(partitions);
    const shares = new Array<number>(partitions).fill(0);
    for (const partition of groups) shares[partition] = (shares[partition] ?? 0) + 1;
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    expect([...groups]).toEqual([...groups].sort((a, b) => a - b));
  });
});

test("a key's partition follows from its hash's lowest bits alone", () => {
  const map = initialMap(4);
  for (let n = 0; n < 5_000; n++) {
    const hash = murmur3(`key-${n}`);
    expect(groupOfHash(hash)).toBe(hash % KEY_GROUPS);
    expect(partitionOfHash(map, hash)).toBe(map.groups[hash % KEY_GROUPS]);
    expect(partitionOfHash(map, (hash ^ (1 << 31)) >>> 0)).toBe(partitionOfHash(map, hash));
  }
});

test("a map that is stored comes back as it was", () => {
  const map = { ...initialMap(7), version: 12 };
  expect(decodeMap(encodeMap(map))).toEqual(map);
});

test("a map of another format or length is refused", () => {
  const stored = JSON.parse(encodeMap(initialMap(4))) as Record<string, unknown>;
  expect(() => decodeMap(JSON.stringify({ ...stored, format: 2 }))).toThrow(/format 2/);
  expect(() => decodeMap(JSON.stringify({ ...stored, groups: [0] }))).toThrow(/wrong length/);
});

describe("the coordinator", () => {
  test("makes the first map and keeps it", () => {
    const made = decideMap(undefined, 4);
    if (made.kind !== "made") throw new Error(made.kind);
    expect(decideMap(made.stored, 4)).toEqual({ kind: "kept", map: made.map });
  });

  test("refuses another count, naming both", () => {
    const refused = decideMap(encodeMap(initialMap(4)), 5);
    expect(refused.kind).toBe("refused");
    expect(JSON.stringify(refused)).toMatch(/4 partitions.*says 5.*back to 4/);
  });
});
