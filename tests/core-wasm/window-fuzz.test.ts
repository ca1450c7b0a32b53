/** Windowed flows against their twin, on random plans and batches; recovery from deltas; memory. */
import { expect, it } from "vitest";
import { openWindow } from "../../core-wasm/facade/window.ts";
import { CoreInstance } from "../../core-wasm/facade/instance.ts";
import { encodeColumns } from "../../core-wasm/reference/columns.ts";
import type { ApplyOutcome, BatchBounds, WindowState } from "../../core-wasm/types.ts";
import { type Random, random } from "./support/random.ts";
import { core as module, twin, wasm } from "./support/subjects.ts";
import { COLUMNS, INT64_MAX, INT64_MIN, randomBatch, randomPlan } from "./support/windows.ts";

const PLANS = 400;
const STEPS = 12;

function attempt(
  state: WindowState,
  frame: Uint8Array,
  watermark: bigint,
  bounds?: BatchBounds,
): ApplyOutcome | string {
  try {
    return state.apply(frame, watermark, bounds);
  } catch (error) {
    return String(error);
  }
}

function randomWatermark(source: Random, time: bigint): bigint {
  const watermarks = [time - 100n, time - 20n, time + 10n, time + 70n, INT64_MIN, INT64_MAX, 0n];
  return source.int(5) === 0 ? source.pick(watermarks) : time - 30n;
}

it(`does what the twin does, byte for byte, for ${PLANS} random plans`, () => {
  const source = random(21);
  let refused = 0;
  for (let round = 0; round < PLANS; round++) {
    const plan = randomPlan(source);
    const [state, expected] = [wasm.openWindow(plan), twin.openWindow(plan)];
    let time = BigInt(source.int(1000)) - 500n;
    for (let step = 0; step < STEPS; step++) {
      const where = `plan ${round}, step ${step}`;
      time += BigInt(source.int(40));
      const watermark = randomWatermark(source, time);
      const batch = randomBatch(source, time);
      const bounds: BatchBounds = {
        outOfOrderness: [undefined, 0, 20, Number.MAX_SAFE_INTEGER][step % 4],
        bytes: [undefined, 1_000, 5_000][round % 3],
      };
      const outcome = attempt(expected, batch, watermark, bounds);
      if (typeof outcome === "string") refused++;
      expect(attempt(state, batch, watermark, bounds), where).toEqual(outcome);
      expect([state.groups, state.held], where).toEqual([expected.groups, expected.held]);
      if (source.int(3) === 0) {
        const mark = randomWatermark(source, time);
        expect(state.close(mark), where).toEqual(expected.close(mark));
      }
      if (source.int(2) === 0) expect(state.takeDelta(), where).toEqual(expected.takeDelta());
      const snapshot = expected.snapshot();
      expect(state.snapshot(), where).toEqual(snapshot);
      const groups = twin.readGroups(snapshot);
      expect(wasm.readGroups(snapshot), where).toEqual(groups);
      const key = String((groups.length === 0 ? undefined : source.pick(groups))?.key);
      expect(state.groupsOf(key), where).toEqual(expected.groupsOf(key));
      expect(wasm.openGroups(snapshot).rowsOf(key), where).toEqual(twin.openGroups(snapshot).rowsOf(key));
    }
    state.free();
  }
  expect(refused).toBeGreaterThan(PLANS / 4);
});

it("is rebuilt exactly from its deltas after every prefix, by itself and by its twin", () => {
  const source = random(22);
  for (let round = 0; round < 150; round++) {
    const plan = randomPlan(source);
    const state = wasm.openWindow(plan);
    const followers = [wasm.openWindow(plan), twin.openWindow(plan)];
    const deltas: Uint8Array[] = [];
    let time = 0n;
    for (let step = 0; step < 10; step++) {
      time += BigInt(source.int(60));
      attempt(state, randomBatch(source, time), randomWatermark(source, time));
      if (source.int(2) === 0) state.close(randomWatermark(source, time));
      if (source.int(3) === 0) attempt(state, randomBatch(source, time), INT64_MIN);
      const delta = state.takeDelta();
      deltas.push(delta);
      for (const follower of followers) {
        follower.load(delta);
        expect(follower.snapshot(), `round ${round}, step ${step}`).toEqual(state.snapshot());
      }
    }
    const fresh = wasm.openWindow(plan);
    for (const delta of deltas) fresh.load(delta);
    const fromSnapshot = wasm.openWindow(plan);
    fromSnapshot.load(state.snapshot());
    const copies = [fresh, fromSnapshot];
    for (const copy of copies) expect(copy.snapshot(), `round ${round}`).toEqual(state.snapshot());
    // What follows is the same, too.
    const batch = randomBatch(source, time);
    const mark = randomWatermark(source, time);
    const next = (flow: WindowState) => [attempt(flow, batch, INT64_MIN), flow.takeDelta(), flow.close(mark)];
    const expected = next(state);
    for (const copy of copies) {
      expect(next(copy), `round ${round}`).toEqual(expected);
      copy.free();
    }
    for (const used of [state, followers[0] as WindowState]) used.free();
  }
});

it.each([2_047, 2_048, 2_049, 4_096, 6_001])("takes %i rows as the twin does, in and out of order", (rows) => {
  const source = random(24);
  for (const measures of [[1], [3]]) {
    for (const filter of [[], [{ column: 1, op: "ge" as const, value: 20n }]]) {
      const plan = { columns: COLUMNS, filter, key: 1, time: 0, size: 50, measures, maxGroups: 100_000 };
      const [state, expected] = [wasm.openWindow(plan), twin.openWindow(plan)];
      for (let step = 0n; step < 3n; step++) {
        const row = Array.from({ length: rows }, (_, at) => at);
        const times = row.map(
          (at) => step * 1_000n + BigInt(at >> 4) - BigInt(source.int(8) === 0 ? source.int(200) : 0),
        );
        // Some behind each other are the same.
        let key = 0n;
        const keys = row.map(() => (source.int(3) === 0 ? (key = BigInt(source.int(100))) : key));
        const batch = encodeColumns(COLUMNS, [times, keys, row.map(() => ""), row.map(() => source.int(9) - 4)], rows);
        const watermark = step * 1_000n + 40n;
        expect(state.apply(batch, watermark)).toEqual(expected.apply(batch, watermark));
        expect(state.takeDelta()).toEqual(expected.takeDelta());
        expect(state.close(watermark)).toEqual(expected.close(watermark));
      }
      expect(state.snapshot()).toEqual(expected.snapshot());
      state.free();
    }
  }
});

/** A batch of `rows` rows with keys of their own, as text and as number. */
function ownKeys(source: Random, rows: number, time: bigint): Uint8Array {
  const keys = Array.from({ length: rows }, () => source.int(2 ** 31));
  const cells = [keys.map(() => time), keys.map(BigInt), keys.map((key) => `customer ${key}`), keys];
  return encodeColumns(COLUMNS, cells, rows);
}

it.each([1, 2])("stays within its memory over 1,000 batches whose windows close, with keys of column %i", (key) => {
  const source = random(23);
  const core = new CoreInstance(module);
  const plan = { columns: COLUMNS, filter: [], key, time: 0, size: 10, measures: [1, 3], maxGroups: 100_000 };
  const state = openWindow(core, plan);
  const empty = state.bytes;
  let peak = 0;
  let settled = 0;
  for (let i = 0; i < 1000; i++) {
    const time = BigInt(10 * i);
    state.apply(ownKeys(source, i % 100 === 0 ? 3000 : 40, time), time);
    state.close(time - 10n);
    state.takeDelta();
    peak = Math.max(peak, state.bytes);
    if (i === 210) settled = core.memoryBytes;
  }
  expect(core.memoryBytes).toBe(settled);
  expect(state.groups).toBeLessThan(200);
  expect(state.bytes).toBeLessThan(peak / 4);
  state.close(INT64_MAX);
  expect(state.groups).toBe(0);
  expect(state.bytes).toBeLessThan(empty * 2);
  const before = core.heapBytes;
  const other = openWindow(core, plan);
  other.free();
  expect(core.heapBytes).toBe(before);
});

it("reclaims the text of keys that no group uses, and keeps the others' groups", () => {
  const source = random(24);
  const state = wasm.openWindow({
    columns: COLUMNS,
    filter: [],
    key: 2,
    time: 0,
    size: 10,
    measures: [],
    maxGroups: 100_000,
  });
  state.apply(ownKeys(source, 500, 1000n), INT64_MIN);
  const kept = wasm.readGroups(state.snapshot());
  for (let i = 0; i < 20; i++) {
    state.apply(ownKeys(source, 2000, 0n), INT64_MIN);
    state.close(10n);
    expect(wasm.readGroups(state.snapshot())).toEqual(kept);
  }
  const onlyKept = wasm.openWindow({
    columns: COLUMNS,
    filter: [],
    key: 2,
    time: 0,
    size: 10,
    measures: [],
    maxGroups: 100_000,
  });
  onlyKept.load(state.snapshot());
  expect(state.bytes).toBeLessThan(3 * onlyKept.bytes);
});

it("holds no more memory after batches that it refused", () => {
  const source = random(25);
  const plan = { columns: COLUMNS, filter: [], key: 2, time: 0, size: 10, measures: [1], maxGroups: 1000 };
  const state = wasm.openWindow(plan);
  state.apply(ownKeys(source, 900, 0n), INT64_MIN);
  const refuse = () => expect(() => state.apply(ownKeys(source, 400, 0n), INT64_MIN)).toThrow("too-many-groups");
  refuse();
  const { bytes } = state;
  for (let i = 0; i < 50; i++) refuse();
  expect(state.bytes).toBe(bytes);
  state.free();
});
