/** Columns frames and window groups that were crafted: their checksum is right, what they say is not. */
import { expect, it } from "vitest";
import { seal, viewOf } from "../../core-wasm/reference/frame.ts";
import type { WindowPlan } from "../../core-wasm/types.ts";
import { type Random, random } from "./support/random.ts";
import { twin, wasm } from "./support/subjects.ts";
import { COLUMNS, INT64_MIN, randomBatch } from "./support/windows.ts";

const CRAFTED = 3_000;
const PLAN: WindowPlan = {
  columns: COLUMNS,
  filter: [{ column: 1, op: "ge", value: 0n }],
  key: 2,
  time: 0,
  size: 10,
  measures: [1, 3],
  maxGroups: 1000,
};
const COLUMNS_LABEL = { magic: "TGC1", kind: 1, version: 1 };
const GROUPS_LABEL = { magic: "TGG1", kind: 2, version: 1 };

/** Changes a few bytes or words, header included, and makes the checksum right again. */
function craft(frame: Uint8Array, label: typeof COLUMNS_LABEL, source: Random): Uint8Array {
  const length = source.int(4) === 0 ? Math.max(32, frame.length + source.int(17) - 8) : frame.length;
  const bytes = new Uint8Array(length);
  bytes.set(frame.subarray(0, length));
  const view = viewOf(bytes);
  for (let changes = 1 + source.int(3); changes > 0; changes--) {
    const at = 8 + 4 * source.int(Math.floor((source.int(2) === 0 ? Math.min(length, 112) : length) / 4) - 2);
    const value = source.pick([
      0,
      1,
      view.getUint32(at, true) + source.pick([1, -1, 8]),
      0x7fffffff,
      0xffffffff,
      0x20000000,
      source.int(64),
    ]);
    view.setUint32(at, value, true);
  }
  const words = [8, 12, 16, 20].map((at) => view.getUint32(at, true)) as [number, number, number, number];
  if (source.int(2) === 0 && label === COLUMNS_LABEL) words[2] = length;
  return seal(bytes, label, words);
}

/** What came of it: a result, the reason of a CorruptError, or "no UTF-8", which only the twin's decoder looks for. */
function attempt(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (error instanceof TypeError) return "no UTF-8";
    if (error instanceof WebAssembly.RuntimeError) throw error;
    return error instanceof Error ? `${error.name} ${"reason" in error ? error.reason : error.message}` : error;
  }
}

it(`refuses or reads ${CRAFTED} crafted columns frames as the twin does`, () => {
  const source = random(31);
  let refused = 0;
  for (let i = 0; i < CRAFTED; i++) {
    const frame = craft(randomBatch(source, 0n), COLUMNS_LABEL, source);
    const run = (kernels: typeof wasm) => {
      const state = kernels.openWindow(PLAN);
      const outcome = attempt(() => state.apply(frame, INT64_MIN));
      const after = attempt(() => kernels.checksum(state.snapshot()));
      state.free();
      return { outcome, after };
    };
    const expected = run(twin);
    if (typeof expected.outcome === "string") refused++;
    const actual = run(wasm);
    if (expected.outcome !== "no UTF-8") expect(actual, `frame ${i}`).toEqual(expected);
  }
  expect(refused).toBeGreaterThan(CRAFTED / 4);
  expect(refused).toBeLessThan((CRAFTED * 9) / 10);
});

it(`refuses or reads ${CRAFTED} crafted groups as the twin does`, () => {
  const source = random(32);
  const plan = { ...PLAN, filter: [] };
  const sources = [plan, { ...plan, key: 1 }].map((each) => {
    const state = twin.openWindow(each);
    state.apply(randomBatch(random(33), 0n), INT64_MIN);
    return state.snapshot();
  });
  let refused = 0;
  for (let i = 0; i < CRAFTED; i++) {
    const bytes = craft(source.pick(sources), GROUPS_LABEL, source);
    const run = (kernels: typeof wasm) => {
      const state = kernels.openWindow(plan);
      const loaded = attempt(() => state.load(bytes));
      const after = attempt(() => kernels.checksum(state.snapshot()));
      state.free();
      return { loaded, after, read: attempt(() => kernels.readGroups(bytes)) };
    };
    const expected = run(twin);
    if (typeof expected.read === "string") refused++;
    const actual = run(wasm);
    if (expected.read !== "no UTF-8") expect(actual, `groups ${i}`).toEqual(expected);
  }
  expect(refused).toBeGreaterThan(CRAFTED / 4);
  expect(refused).toBeLessThan((CRAFTED * 9) / 10);
});
