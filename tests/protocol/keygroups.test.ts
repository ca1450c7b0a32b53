/** The key-group map: every key has one partition, and the map does not change behind anybody's back. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { murmur3 } from "../../core-wasm/reference/murmur3.ts";
import {
  decodeMap,
  encodeMap,
  groupOfHash,
  initialMap,
  mapOfText,
  mapToText,
  movesBetween,
  KEY_GROUPS,
  partitionOfHash,
  rescaledMap,
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

describe("the map of another number of partitions", () => {
  const partitions = fc.integer({ min: 1, max: 256 });

  test("gives each an equal share, moves as little as that takes, and nobody both gives and gets", () => {
    fc.assert(
      fc.property(fc.array(partitions, { minLength: 2, maxLength: 5 }), ([first, ...later]) => {
        let map = initialMap(first as number);
        for (const count of later) {
          const next = rescaledMap(map, count);
          const shares = new Array<number>(count).fill(0);
          for (const partition of next.groups) shares[partition] = (shares[partition] ?? 0) + 1;
          expect(shares.length).toBe(count);
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
          const moves = movesBetween(map, next);
          const given = [...moves.values()].flatMap((targets) => [...targets]);
          const had = new Array<number>(Math.max(count, map.partitions)).fill(0);
          for (const partition of map.groups) had[partition] = (had[partition] ?? 0) + 1;
          const lacking = shares.reduce((sum, share, at) => sum + Math.max(0, share - (had[at] ?? 0)), 0);
          expect(given.reduce((sum, [, groups]) => sum + groups.size, 0)).toBe(lacking);
          for (const [target] of given) expect(moves.has(target)).toBe(false);
          expect(next.version).toBe(map.version + 1);
          map = next;
        }
      }),
    );
  });

  test("comes back from the text that messages carry", () => {
    fc.assert(
      fc.property(partitions, partitions, (before, after) => {
        const map = rescaledMap(initialMap(before), after);
        expect(mapOfText(mapToText(map))).toEqual(map);
      }),
    );
    expect(() => mapOfText("1,2,0*1023")).toThrow(/no coordinator writes/);
    expect(() => mapOfText("1,2,0*1023,2*1")).toThrow(/no coordinator writes/);
  });
});
