/** Groups of one key: found in the kernel's table, and in what it packed, without a look at what the others hold. */
import { describe, expect, it } from "vitest";
import { encodeColumns } from "../../core-wasm/reference/columns.ts";
import { CorruptError, type EventColumn } from "../../core-wasm/types.ts";
import { both } from "./support/subjects.ts";
import { INT64_MIN } from "./support/windows.ts";

const COLUMNS: readonly EventColumn[] = [
  { name: "time", type: "i64" },
  { name: "number", type: "i64" },
  { name: "name", type: "text" },
];
const NAMES = ["a", "ab", "", "é", "a", "a"];
const NUMBERS = [1n, -5n, 1n, 3n, 0n, 1n];
const FRAME = encodeColumns(COLUMNS, [NAMES.map((_, at) => BigInt(at * 7)), NUMBERS, NAMES], NAMES.length);

describe.each(both)("%s", (_name, kernels) => {
  it.each([
    [1, ["1", "-5", "2", "01", "1n", "", "9223372036854775808", "-0"]],
    [2, ["a", "ab", "é", "", "b", "a\0"]],
  ])("finds those of a key of column %i, and of no other", (key, asked) => {
    const state = kernels.openWindow({
      columns: COLUMNS,
      filter: [],
      key,
      time: 0,
      size: 10,
      measures: [1],
      maxGroups: 9,
    });
    state.apply(FRAME, INT64_MIN);
    const snapshot = state.snapshot();
    const groups = kernels.readGroups(snapshot);
    const packed = kernels.openGroups(snapshot);
    expect(Array.from({ length: packed.rows }, (_, at) => packed.group(at))).toEqual(groups);
    for (const text of asked) {
      const expected = groups.filter((group) => String(group.key) === text);
      expect(packed.rowsOf(text).map((at) => packed.group(at))).toEqual(expected);
      expect(kernels.readGroups(state.groupsOf(text))).toEqual(expected);
    }
    expect(kernels.readGroups(state.groupsOf(asked[0] as string)).length).toBeGreaterThan(1);
    expect(state.snapshot()).toEqual(snapshot);
    state.free();
  });

  it("takes nothing packed for no groups, and refuses what is damaged", () => {
    const none = kernels.openGroups(new Uint8Array());
    expect([none.rows, none.rowsOf("1")]).toEqual([0, []]);
    expect(() => kernels.openGroups(new Uint8Array(80))).toThrow(CorruptError);
  });
});
