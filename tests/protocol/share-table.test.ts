/** A share's entries against maps: changes by chance, with memory lost, and with batches undone, between any two; limits so small that chunks go and entries stand apart. */
import { describe, expect, test, vi } from "vitest";
import { createRandom, type Random } from "../../sim/random.ts";
import type { TableState } from "../../protocol/flows/table/table.ts";
import { storeOf } from "./support/flow-bench.ts";

vi.mock("../../protocol/limits.ts", async (original) => {
  const { smallLimits } = await import("./support/small-limits.ts");
  return smallLimits(await original());
});
const { ShareTable } = await import("../../protocol/flows/table/table.ts");
const { LIMITS } = await import("../../protocol/limits.ts");

const COLLECTIONS = ["g", "t"] as const;
type Model = Map<string, string>;

/** Keys with what orders differently by unit and by code point, and what separates. */
const keyOf = (random: Random): string =>
  random.pick(["n", "s", "s\u{1F600}", "s\uFFFD", "n\u0003"]) + String(random.int(14)).padStart(2, "0");

const textOf = (random: Random): string => {
  const length = random.oneIn(20) ? LIMITS.chunkTextUnits + random.int(20) : random.int(30);
  return random.pick(["x", "é", "\n", "1"]).repeat(length);
};

function change(random: Random, table: InstanceType<typeof ShareTable>, model: Model): void {
  const collection = random.pick(COLLECTIONS);
  const key = keyOf(random);
  const full = `${collection}|${key}`;
  if (table.get(collection, key) !== (model.get(full) ?? null)) throw new Error(`${full} is another text`);
  if (random.int(3) > 0) {
    const text = textOf(random);
    table.put(collection, key, text);
    model.set(full, text);
  } else if (model.has(full) && random.oneIn(2)) {
    table.drop(collection, key);
    model.delete(full);
  } else {
    table.put(collection, key, null);
    model.delete(full);
  }
}

function compare(random: Random, table: InstanceType<typeof ShareTable>, model: Model): void {
  const collection = random.pick(COLLECTIONS);
  const range = {
    ...(random.oneIn(2) ? {} : { from: keyOf(random) }),
    ...(random.oneIn(2) ? {} : { to: keyOf(random) }),
    limit: random.oneIn(3) ? 1_000 : 1 + random.int(10),
    reverse: random.oneIn(2),
  };
  const [found, expected] = [table.range(collection, range), storeOf(model).range(collection, range)];
  // A comparison by `expect` takes longer than all else.
  if (JSON.stringify(found) !== JSON.stringify(expected)) expect(found).toEqual(expected);
}

/** Each entry by its key. */
function lookAll(table: InstanceType<typeof ShareTable>, model: Model): void {
  for (const collection of COLLECTIONS) {
    for (const [key, text] of table.range(collection, { limit: 10_000 }))
      if (model.get(`${collection}|${key}`) !== text) throw new Error(`${key} is another text`);
  }
  for (const [full, text] of model)
    if (table.get(full.slice(0, 1), full.slice(2)) !== text) throw new Error(`${full} is not there`);
}

function play(
  seed: number,
  batches: number,
): { apart: boolean; chunks: number; stored: number; live: number; undos: number } {
  const random = createRandom(seed);
  const most = random.pick([Infinity, 2_000, 200]);
  let model: Model = new Map();
  let entries = new Map<string, string>();
  let state: TableState | undefined;
  let table = new ShareTable(storeOf(entries), state);
  let apart = false;
  let undos = 0;
  const undoable = random.pick([Infinity, 100]);
  for (let batch = 0; batch < batches; batch++) {
    const undone = random.oneIn(5);
    const before = { model: new Map(model), entries: new Map(entries), state };
    if (random.oneIn(6)) table = new ShareTable(storeOf(entries), state);
    table.use(storeOf(entries), most);
    table.begin(undoable);
    const changes = random.oneIn(10) ? 100 : random.int(8);
    for (let at = 0; at < changes; at++) {
      change(random, table, model);
      if (random.oneIn(20)) compare(random, table, model);
    }
    // It may fail before it has ended.
    if (undone && random.oneIn(3)) entries = new Map(entries);
    else state = table.keep();
    compare(random, table, model);
    if (table.knowsBefore && random.oneIn(2)) {
      table.use(storeOf(before.entries));
      table.before(() => compare(random, table, before.model));
      table.before(() => lookAll(table, before.model));
      table.use(storeOf(entries), most);
      lookAll(table, model);
    }
    apart ||= [...entries.keys()].some((key) => !key.startsWith("c|"));
    if (!undone) continue;
    ({ model, entries, state } = before);
    if (random.oneIn(4) || !table.undo()) table = new ShareTable(storeOf(entries), state);
    else undos += 1;
    table.use(storeOf(entries), most);
    compare(random, table, model);
  }
  // Nothing is left over: a table that is read again is the same, and every chunk is named.
  table = new ShareTable(storeOf(entries), state);
  for (const collection of COLLECTIONS)
    expect(table.range(collection, { limit: 10_000 })).toEqual(storeOf(model).range(collection, { limit: 10_000 }));
  const chunks = [...entries].filter(([key]) => key.startsWith("c|"));
  expect(chunks).toHaveLength((state?.next ?? 0) - (state?.first ?? 0));
  const size = (texts: Iterable<[string, string]>): number =>
    [...texts].reduce((sum, [key, text]) => sum + key.length + text.length, 0);
  return { apart, chunks: chunks.length, stored: size(entries), live: size(model), undos };
}

describe("a share's entries", () => {
  test("are what was put, whatever is lost or undone", () => {
    let [apart, chunks, undos] = [0, 0, 0];
    for (let seed = 1; seed <= 40; seed++) {
      const end = play(seed, 60);
      apart += Number(end.apart);
      undos += end.undos;
      chunks = Math.max(chunks, end.chunks);
      // What is void does not pile up.
      expect(end.stored).toBeLessThan(5 * end.live + 40 * LIMITS.chunkUnits);
    }
    expect(apart).toBeGreaterThan(15);
    expect(chunks).toBeGreaterThan(3);
    expect(undos).toBeGreaterThan(100);
  });

  test("of an older version are found where they are", () => {
    const entries = new Map([
      ["g|sa", "1"],
      ["g|sb", "2"],
      ["t|sc", "3"],
    ]);
    let table = new ShareTable(storeOf(entries), null);
    expect(table.get("g", "sa")).toBe("1");
    table.put("g", "sa", "4");
    table.put("g", "sb", null);
    table.put("g", "sd", "5");
    const state = table.keep();
    table = new ShareTable(storeOf(entries), state);
    expect(table.range("g", { limit: 9 })).toEqual([
      ["sa", "4"],
      ["sd", "5"],
    ]);
    expect(table.range("t", { limit: 9 })).toEqual([["sc", "3"]]);
    table.put("g", "sa", null);
    expect(new ShareTable(storeOf(entries), table.keep()).get("g", "sa")).toBeNull();
  });

  test("that are dropped and not there are a mistake that is told", () => {
    const table = new ShareTable(storeOf(new Map()), undefined);
    expect(() => table.drop("g", "sa")).toThrow("not there");
  });
});
