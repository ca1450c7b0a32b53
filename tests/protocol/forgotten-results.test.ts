/** Edge results beyond what is kept: what is still to come runs, what may have run does not, and memory is what is counted. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { ForgottenIds } from "../../protocol/results/forgotten-ids.ts";
import { Forgotten, type StoredMarks } from "../../protocol/results/forgotten.ts";
import { Results } from "../../protocol/results/results.ts";
import { INVOKE, INVOKE_FIELD } from "../../protocol/wire/invoke.ts";
import { PlainState } from "./support/plain-state.ts";

const kernels = createKernels(loadCore());
const START = 1_800_000_000_000;
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
let random = 0;
const origin = (at: number): string =>
  `e${at.toString(16).padStart(11, "0")}${(random++).toString(16).padStart(12, "0")}`;
const line = (of: string, n: number): string => of + n.toString(16).padStart(8, "0");
/** No marks are kept apart. */
const isWhole = (known: ForgottenIds): boolean => (JSON.parse(known.encode()) as unknown[]).length === 3;
const result = (requestId: string, size = 1) => ({
  requestId,
  status: 200,
  fingerprintLow: 0,
  fingerprintHigh: 0,
  body: "x".repeat(size),
});

test("a batch of 100,000 lines outlasts what is kept of its first results", () => {
  const results = new Results(new PlainState());
  const batch = origin(START);
  const lone = origin(START + 1);
  for (let n = 1; n <= 100_000; n++) {
    const id = line(batch, n);
    if (results.find(id) !== undefined || results.isExpired(id, START + n / 10))
      throw new Error(`line ${n} is refused`);
    results.add(result(id), 1, START + n / 10);
    if (n === 50) results.add(result(line(lone, 1)), 1, START + 5);
  }
  const now = START + 10_000;
  const known = (id: string) => results.find(id) !== undefined || results.isExpired(id, now);
  for (let n = 1; n <= 100_000; n += 7) expect(known(line(batch, n))).toBe(true);
  expect(results.find(line(batch, 2))).toBeUndefined();
  expect(results.isExpired(line(lone, 1), now)).toBe(true);
  expect(results.isExpired(line(batch, 100_001), now)).toBe(false);
});

test("what is forgotten is the same after it was stored", () => {
  const before = new Forgotten();
  const batches = Array.from({ length: 300 }, (_, n) => origin(START + n));
  before.add(line(origin(START + 5), 1));
  for (const batch of batches) before.add(line(batch, 20));
  const after = new Forgotten();
  after.restore(before.stored);
  for (const batch of batches) expect([after.has(line(batch, 20)), after.has(line(batch, 2))]).toEqual([true, true]);
  expect(after.has(line(batches.at(-1) as string, 21))).toBe(false);
  expect([after.has(line(origin(START + 5), 1)), after.has(line(origin(START + 6), 1))]).toEqual([true, false]);
  expect(after.has(line(origin(START + 300), 2))).toBe(false);
});

test("marks that came with key groups are about these alone, for as long as an id of then is not refused for its age", () => {
  const batch = origin(START);
  const source = new ForgottenIds();
  source.add(line(batch, 50), START, 7);
  const here = new ForgottenIds();
  here.add(line(batch, 10), START, 1);
  const groups = new Set([7, 8]);
  here.came(groups, START + 1_000);
  // Forgotten before all has come, and behind that.
  here.add(line(batch, 51), START + 1_000, 8);
  here.came(groups, START + 2_000, JSON.stringify(source.marks(groups)));
  here.add(line(batch, 52), START + 2_000, 8);
  here.add(line(batch, 11), START + 2_000, 1);
  const stored = new ForgottenIds();
  stored.restore(here.encode());
  const now = START + 3_000;
  for (const known of [here, stored]) {
    expect([11, 12].map((n) => known.has(line(batch, n), now, 1))).toEqual([true, false]);
    expect([52, 53].map((n) => known.has(line(batch, n), now, 7))).toEqual([true, false]);
    // Where it is not known what it is about it may be about any.
    expect([52, 53].map((n) => known.has(line(batch, n), now))).toEqual([true, false]);
  }
  // Code that does not keep them apart, and partitions that the groups go on to.
  const [lone, batches, lines] = JSON.parse(here.encode()) as StoredMarks;
  const older = new ForgottenIds();
  older.restore(JSON.stringify([lone, batches, lines]));
  expect([52, 53].map((n) => older.has(line(batch, n), now, 1))).toEqual([true, false]);
  expect([here.marks(new Set([8])), here.marks(new Set([1]))].map(([, , all]) => all[0]?.[1])).toEqual([52, 11]);
  const last = START + 2_000 + LIMITS.edgeResultMs + 2 * LIMITS.maxClockSkewMs;
  expect([here.has(line(batch, 52), last, 7), isWhole(here)]).toEqual([true, false]);
  expect([here.has(line(batch, 52), last + 1, 7), isWhole(here)]).toEqual([false, true]);
});

test("lines of other key groups say nothing of one that came, and what ran here since counts when its marks are dropped", () => {
  const batch = origin(START);
  const here = new ForgottenIds();
  here.add(line(batch, 40), START, 3);
  here.came(new Set([7]), START);
  here.add(line(batch, 50), START + 500, 3);
  const now = START + 600;
  expect([30, 50].map((n) => here.has(line(batch, n), now, 3))).toEqual([true, true]);
  expect([30, 50].map((n) => here.has(line(batch, n), now, 7))).toEqual([false, false]);
  here.add(line(batch, 30), now, 7);
  expect([30, 31].map((n) => here.has(line(batch, n), now, 7))).toEqual([true, false]);
  // Marks that were stored do not say what they are about.
  const stored = new ForgottenIds();
  stored.restore(here.encode());
  expect([50, 51].map((n) => stored.has(line(batch, n), now, 7))).toEqual([true, false]);
  // So it is of lines of unknown key groups.
  here.add(line(batch, 32), now);
  expect([32, 33].map((n) => here.has(line(batch, n), now, 7))).toEqual([true, false]);
  const late = new ForgottenIds();
  late.came(new Set([7]), START);
  const begun = origin(START + 300_000);
  late.add(line(begun, 30), START + 300_000, 7);
  expect(late.has(line(begun, 30), START + 10_000_000, 7)).toBe(true);
  expect(isWhole(late)).toBe(true);
});

test("batches are remembered within a limit, and those beyond it by their time", () => {
  const forgotten = new Forgotten();
  const batches = Array.from({ length: LIMITS.forgottenBatches + 10 }, (_, n) => origin(START + n));
  for (const batch of batches) forgotten.add(line(batch, 5));
  expect(forgotten.has(line(batches[0] as string, 6))).toBe(true);
  expect(forgotten.has(line(batches[9] as string, 6))).toBe(true);
  expect(forgotten.has(line(batches[10] as string, 6))).toBe(false);
  expect(forgotten.has(line(batches[10] as string, 5))).toBe(true);
});

test("an edge whose clock is far ahead is refused, and does not make others' requests look old", () => {
  const results = new Results(new PlainState());
  const ahead = line(origin(START + 600_000), 1);
  expect(results.isExpired(ahead, START)).toBe(true);
  const slightly = line(origin(START + LIMITS.maxClockSkewMs), 1);
  expect(results.isExpired(slightly, START)).toBe(false);
  results.add(result(slightly), 1, START);
  const later = START + LIMITS.edgeResultMs + 1;
  results.add(result(line(origin(later), 1)), 2, later);
  expect(results.find(slightly)).toBeUndefined();
  expect(results.isExpired(slightly, later)).toBe(true);
  expect(results.isExpired(line(origin(later - LIMITS.requestDeadlineMs), 1), later)).toBe(false);
});

test("a result that is found twice at a start counts once", () => {
  const results = new Results(new PlainState());
  const ids = Array.from({ length: 10_000 }, () => line(origin(START), 1));
  for (const id of ids) results.restore(result(id, 900), START + LIMITS.edgeResultMs);
  for (const id of ids) results.add(result(id, 900), 5, START);
  results.add(result(line(origin(START + 9), 1)), 6, START + 10);
  expect(ids.every((id) => results.find(id) !== undefined)).toBe(true);
});

test("a kept result does not keep the frame that its id came in", () => {
  const results = new Results(new PlainState());
  const add = (n: number): void => {
    const fields = [line(origin(START), 1), "s", "k", "f", `${"x".repeat(50_000)}${n}`];
    const frame = kernels.unpack(INVOKE, kernels.pack(INVOKE, { rows: 1, columns: [1, 0, 0, 0], fields }));
    results.add(result(frame.field(0, INVOKE_FIELD.requestId)), 1, START);
  };
  add(0);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let n = 1; n <= 2_000; n++) add(n);
  collect();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
});
