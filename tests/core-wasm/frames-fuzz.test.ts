/** Columns frames and window groups that were crafted: their checksum is right, what they say is not. */
import { expect, it } from "vitest";
import type { WindowPlan } from "../../core-wasm/types.ts";
import { COLUMNS_LABEL, craft, GROUPS_LABEL } from "./support/crafted.ts";
import { random } from "./support/random.ts";
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
