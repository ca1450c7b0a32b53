/** What a join keeps of a key against lists: rows by chance, with memory lost between any two batches, and with what is over dropped. */
import { expect, test } from "vitest";
import { OWN_ROWS_UNITS } from "../../dataflow/limits.ts";
import { JoinKey, type SideNumber } from "../../dataflow/operators/join-key.ts";
import { encodeKept, type Kept } from "../../dataflow/operators/pairs.ts";
import { createRandom, type Random } from "../../sim/random.ts";
import { storeOf } from "../protocol/support/flow-bench.ts";

const SIDES = [0, 1] as const;
const KEEP = 50;

const seen = (key: JoinKey, side: SideNumber): Kept[] => {
  const rows: Kept[] = [];
  key.each(side, (row) => void rows.push(row));
  return rows;
};

function rowOf(random: Random, time: number): Kept {
  const text = random.pick(["x", "é", "\n"]).repeat(random.oneIn(10) ? OWN_ROWS_UNITS : random.int(40));
  return [time, text, random.pick([1, 2n ** 60n, null, -0.5])];
}

/** Some time behind the last of them. */
const over = (rows: readonly Kept[]): number => Math.max(...rows.map(([time]) => time)) + KEEP + 1;

function play(seed: number): { chunks: number } {
  const random = createRandom(seed);
  const entries = new Map<string, string>();
  const store = storeOf(entries);
  const model: [Kept[], Kept[]] = [[], []];
  let key = JoinKey.read("n1", store);
  let chunks = 0;
  for (let batch = 0; batch < 60; batch++) {
    const now = batch * 10;
    if (random.oneIn(4)) key = JoinKey.read("n1", store);
    const fresh: [number, number] = [0, 0];
    for (let n = random.int(6); n > 0; n--) {
      const side = random.pick(SIDES);
      const row = rowOf(random, now + random.int(30));
      key.add(side, row);
      model[side].push(row);
      fresh[side] += 1;
    }
    for (const side of SIDES) expect(key.fresh(side)).toEqual(fresh[side] === 0 ? [] : model[side].slice(-fresh[side]));
    key.keep(store);
    if (random.oneIn(3)) {
      for (const side of SIDES) {
        const next = key.expire(side, now, over, store);
        const left = seen(key, side);
        // Only what is over is gone, and of what is left something is not.
        expect(model[side].filter((row) => over([row]) > now)).toEqual(left.filter((row) => over([row]) > now));
        expect(next).toBeGreaterThan(now);
        expect(next === Infinity).toBe(left.length === 0);
        model[side] = left;
      }
      key.keep(store);
    }
    chunks = Math.max(chunks, entries.size - 1);
    for (const side of SIDES) {
      expect(seen(key, side)).toEqual(model[side]);
      expect(seen(JoinKey.read("n1", store), side)).toEqual(model[side]);
    }
  }
  for (const side of SIDES) expect(key.expire(side, 1_000_000, over, store)).toBe(Infinity);
  key.keep(store);
  expect([key.isEmpty, entries.size]).toEqual([true, 0]);
  return { chunks };
}

test("every row is there in its order until it is over, and nothing is left behind", () => {
  let most = 0;
  for (let seed = 1; seed <= 30; seed++) most = Math.max(most, play(seed).chunks);
  expect(most).toBeGreaterThan(4);
});

test("of a key with few rows there is one entry; what has become a chunk is not written again", () => {
  const entries = new Map<string, string>();
  const store = storeOf(entries);
  const key = JoinKey.read("n1", store);
  key.add(0, [1, "a"]);
  key.keep(store);
  key.add(1, [2, "b"]);
  key.keep(store);
  expect(entries.size).toBe(1);
  key.add(0, [3, "x".repeat(OWN_ROWS_UNITS)]);
  key.keep(store);
  key.add(0, [4, "c"]);
  key.keep(store);
  expect([...entries.keys()].toSorted()).toEqual(["l|n1\u00038000000000000000", "m|n1"]);
  expect(entries.get("m|n1")).toBe('[0,1,0,0,[[4,"c"]],[[2,"b"]]]');
});

test("what an older version has stored, all of it in chunks, is found", () => {
  const entries = new Map([
    ["m|n1", "[0,0,3,5]"],
    ["r|n1\u00038000000000000003", encodeKept([[1, "a"]])],
    ["r|n1\u00038000000000000004", encodeKept([[2, 2n ** 60n]])],
  ]);
  const store = storeOf(entries);
  const key = JoinKey.read("n1", store);
  expect([seen(key, 0), seen(key, 1)]).toEqual([
    [],
    [
      [1, "a"],
      [2, 2n ** 60n],
    ],
  ]);
  key.add(1, [3, "x".repeat(OWN_ROWS_UNITS)]);
  key.keep(store);
  expect(entries.get("m|n1")).toBe("[0,0,3,6]");
});
