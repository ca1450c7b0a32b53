/** How many groups a windowed flow may have open behind a batch, and how much they may take: windows that end with the batch do not count. */
import { describe, expect, it } from "vitest";
import { encodeColumns } from "../../core-wasm/reference/columns.ts";
import type { EventColumn, WindowPlan } from "../../core-wasm/types.ts";
import { both } from "./support/subjects.ts";
import { INT64_MIN } from "./support/windows.ts";

const COLUMNS: readonly EventColumn[] = [
  { name: "time", type: "i64" },
  { name: "key", type: "i64" },
  { name: "name", type: "text" },
];
const PLAN: WindowPlan = { columns: COLUMNS, filter: [], key: 1, time: 0, size: 10, measures: [1], maxGroups: 100 };
const NEVER = INT64_MIN;

type Row = readonly [time: bigint, key: bigint, name: string];

function frame(rows: readonly Row[]): Uint8Array {
  const cells = COLUMNS.map((_, c) => rows.map((row) => row[c] ?? null));
  return encodeColumns(COLUMNS, cells, rows.length);
}

const row = (time: number, key: bigint, name: string): Row => [BigInt(time), key, name];

describe.each(both)("%s", (_name, kernels) => {
  const open = (plan: Partial<WindowPlan> = {}) => kernels.openWindow({ ...PLAN, ...plan });
  const all = (bytes: Uint8Array) => kernels.readGroups(bytes);

  it("does not count groups whose windows end with the batch, before it and in it, and counts those that go on", () => {
    for (const key of [1, 2]) {
      const state = open({ key, maxGroups: 3 });
      const at = (...times: number[]) => frame(times.map((time, i) => row(time, BigInt(i), `name ${i}`)));
      state.apply(at(1, 1, 1), NEVER, { outOfOrderness: 0 });
      // Time comes to 9, or stays where it is: no window ends.
      expect(() => state.apply(at(19, 1, 1, 1), NEVER, { outOfOrderness: 10 })).toThrow("too-many-groups");
      expect(() => state.apply(at(19, 1, 1, 1), NEVER)).toThrow("too-many-groups");
      // The three that are there end, and two that are new with them.
      expect(() => state.apply(at(20, 20, 20, 20), NEVER, { outOfOrderness: 10 })).toThrow("too-many-groups");
      expect(state.apply(at(20, 20, 20, 1, 1), NEVER, { outOfOrderness: 10 })).toMatchObject({ applied: 5, late: 0 });
      expect(all(state.close(10n))).toHaveLength(5);
      expect(all(state.snapshot()).map(({ start }) => start)).toEqual([20n, 20n, 20n]);
    }
  });

  it("bounds the bytes of groups whose windows go on, with the text of their keys", () => {
    const state = open({ key: 2, maxGroups: 1_000 });
    const keyed = (time: number, ...names: string[]) => frame(names.map((name) => row(time, 1n, name)));
    const [a, b, c] = ["a", "b", "c"].map((name) => name.repeat(1_000)) as [string, string, string];
    const bytes = 2 * (state.groupBytes + 1_000);
    state.apply(keyed(1, a, b, a), NEVER, { bytes });
    expect(state.held).toBe(bytes);
    expect(() => state.apply(keyed(1, c), NEVER, { bytes })).toThrow(new RangeError("too-many-groups"));
    // A group of another window is one more, also with a key that is there.
    expect(() => state.apply(keyed(11, a), NEVER, { bytes, outOfOrderness: 5 })).toThrow("too-many-groups");
    expect(state.held).toBe(bytes);
    // Those that are there go on even where less is allowed, and time does.
    expect(state.apply(keyed(1, a, b), NEVER, { bytes: 0 }).applied).toBe(2);
    expect(state.apply(keyed(11, c, b), NEVER, { bytes, outOfOrderness: 0 }).applied).toBe(2);
    state.close(11n);
    expect(state.held).toBe(bytes);
    state.close(30n);
    expect(state.held).toBe(0);
  });
});
