/** Results as bytes: the same as a map of objects would have them, whatever their texts are and in whatever order they go. */
import { expect, test } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { ResultTable } from "../../protocol/results/result-table.ts";
import type { StoredResult } from "../../protocol/results/stored-result.ts";
import { createRandom, type Random } from "../../sim/random.ts";

interface Kept {
  readonly result: StoredResult;
  readonly seq: number;
  readonly at: number;
}

/** What the table is held against. A key that is set again comes last. */
class Model {
  readonly kept = new Map<string, Kept>();

  set(result: StoredResult, seq: number, at: number): void {
    this.kept.delete(result.requestId);
    this.kept.set(result.requestId, { result, seq, at });
  }
}

const TEXTS = [
  "",
  "{}",
  `{"balance":12345,"to":"account-7"}`,
  "größer",
  "\ud800 alone",
  "x".repeat(5000),
  "y".repeat(LIMITS.resultChunkBytes / 4 - 32),
];

function drawn(random: Random, id: number): StoredResult {
  return {
    requestId: `e${id.toString(16).padStart(31, "0")}`,
    status: random.pick([200, 404, 409, 500]),
    fingerprintLow: random.int(2 ** 32),
    fingerprintHigh: random.int(2 ** 32),
    body: random.pick(TEXTS),
    group: random.oneIn(3) ? undefined : random.pick([0, 4095]),
    owner: random.oneIn(4) ? undefined : random.pick([0, 1, 2 ** 32 - 1]),
  };
}

function expectSame(table: ResultTable, { kept }: Model): void {
  const all = [...kept.values()];
  expect(table.size).toBe(all.length);
  expect(table.bodyLength).toBe(all.reduce((sum, { result }) => sum + result.body.length, 0));
  expect(table.between(-Infinity, Infinity)).toEqual(all);
  expect([...table.results()]).toEqual(all.map(({ result }) => result));
  expect(table.oldestAt()).toBe(all[0]?.at);
}

test.each(Array.from({ length: 40 }, (_, seed) => seed + 1))("as a map of objects has them, seed %i", (seed) => {
  const random = createRandom(seed);
  const table = new ResultTable();
  const model = new Model();
  const ids = random.pick([10, 300, 3000]);
  for (let step = 1; step <= 3000; step++) {
    const id = random.int(ids);
    const result = drawn(random, id);
    const { requestId } = result;
    const draw = random.int(100);
    if (draw < 60) {
      table.set(result, step, step * 2);
      model.set(result, step, step * 2);
    } else if (draw < 85) {
      expect(table.delete(requestId)).toBe(model.kept.delete(requestId));
    } else if (draw < 97 && model.kept.size > 0) {
      const oldest = model.kept.keys().next().value as string;
      expect(table.deleteOldest()).toBe(oldest);
      model.kept.delete(oldest);
    } else if (draw === 99) {
      const held = [...model.kept.values()].filter(({ seq }) => seq <= step - 500);
      expect(table.restamp(step - 500, step)).toEqual(held.map((kept) => kept.result));
      for (const [key, kept] of model.kept) if (kept.seq <= step - 500) model.kept.set(key, { ...kept, seq: step });
    }
    expect(table.get(requestId)).toEqual(model.kept.get(requestId)?.result);
    expect(table.seqOf(requestId)).toBe(model.kept.get(requestId)?.seq);
    if (step % 500 === 0) expectSame(table, model);
  }
  const some = [...model.kept.values()].filter(
    ({ seq, result }) => seq > 1000 && seq <= 2500 && (result.owner === undefined || result.owner === 1),
  );
  expect(table.between(1000, 2500, 1)).toEqual(some);
  while (model.kept.size > 0) model.kept.delete(table.deleteOldest());
  expectSame(table, model);
});

test("ids that begin alike are told apart, and one that is part of another", () => {
  const table = new ResultTable();
  const ids = ["", "a", "ab", "abc", "b", "ä", "äb"];
  for (const requestId of ids)
    table.set({ requestId, status: 200, fingerprintLow: 0, fingerprintHigh: 0, body: requestId }, 1, 1);
  for (const requestId of ids) expect(table.get(requestId)?.body).toBe(requestId);
  expect(table.get("abcd")).toBeUndefined();
});

test("a few that stay of many keep nothing of what was around them", () => {
  const table = new ResultTable();
  const random = createRandom(8);
  for (let id = 0; id < 40_000; id++) table.set({ ...drawn(random, id), body: "{}" }, id, id);
  for (let id = 0; id < 40_000; id++) if (id % 100 > 0) table.delete(drawn(random, id).requestId);
  const kept = [...table.results()];
  expect(kept.length).toBe(400);
  expect(table.restamp(39_000, 50_000)).toEqual(kept.slice(0, 391));
  expect([...table.results()]).toEqual(kept);
  expect(table.seqOf(kept[0]?.requestId as string)).toBe(50_000);
  expect(table.chunks).toBeLessThanOrEqual(5);
  expect(table.oldestAt()).toBe(0);
});

test("a hundred thousand come and go, and nothing of them stays", () => {
  const table = new ResultTable();
  const random = createRandom(7);
  for (let id = 0; id < 100_000; id++) {
    table.set({ ...drawn(random, id), body: "{}" }, id, id);
    if (table.size > 1000) table.deleteOldest();
  }
  expect(table.size).toBe(1000);
  expect(table.chunks).toBeLessThanOrEqual(Math.ceil(1000 / LIMITS.resultsPerChunk) + 2);
  while (table.size > 0) table.deleteOldest();
  expect(table.chunks).toBe(1);
});
