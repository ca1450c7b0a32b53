/** Windowed flows: what each row does to its group, by tables worked out by hand. */
import { describe, expect, it } from "vitest";
import { MAX_EVENT_TIME } from "../../core-wasm/limits.ts";
import { type Cell, encodeColumns } from "../../core-wasm/reference/columns.ts";
import type { ColumnTest, EventColumn, WindowGroup, WindowPlan } from "../../core-wasm/types.ts";
import { both, utf8, wasm } from "./support/subjects.ts";
import { INT64_MAX, INT64_MIN } from "./support/windows.ts";

const COLUMNS: readonly EventColumn[] = [
  { name: "time", type: "i64" },
  { name: "key", type: "i64" },
  { name: "name", type: "text" },
  { name: "amount", type: "i64" },
  { name: "ratio", type: "f64" },
];
const PLAN: WindowPlan = { columns: COLUMNS, filter: [], key: 1, time: 0, size: 10, measures: [3], maxGroups: 100 };
const NEVER = INT64_MIN;
const TIME = 0;
/** The last time that an event counts for, and a multiple of the window's length. */
const LAST = BigInt(MAX_EVENT_TIME);

type Row = readonly [time: bigint, key: bigint, name: string, amount: bigint, ratio: number];

function frame(rows: readonly Row[]): Uint8Array {
  const cells = COLUMNS.map((_, c) => rows.map((row) => row[c] as Cell));
  return encodeColumns(COLUMNS, cells, rows.length);
}

/** A row of which only time, key and amount matter. */
function row(time: number | bigint, key = 1n, amount = 0n, name = "", ratio = 0): Row {
  return [BigInt(time), key, name, amount, ratio];
}

function starts(groups: readonly WindowGroup[]): [bigint, bigint][] {
  return groups.map(({ start, count }) => [start, count]);
}

describe.each(both)("%s", (_name, kernels) => {
  const open = (plan: Partial<WindowPlan> = {}) => kernels.openWindow({ ...PLAN, ...plan });
  const all = (bytes: Uint8Array) => kernels.readGroups(bytes);

  it.each([
    [0, 0n],
    [9, 0n],
    [10, 10n],
    [19, 10n],
    [-1, -10n],
    [-10, -10n],
    [-11, -20n],
    [1_700_000_000_123, 1_700_000_000_120n],
    [LAST - 1n, LAST - 10n],
    [LAST, LAST],
    [-LAST, -LAST],
    [-LAST + 9n, -LAST],
  ])("puts the time %s into the window that starts at %s", (time, start) => {
    const state = open();
    expect(state.apply(frame([row(time)]), NEVER)).toEqual({ rows: 1, applied: 1, late: 0, maxTime: BigInt(time) });
    expect(starts(all(state.snapshot()))).toEqual([[start, 1n]]);
  });

  it.each([
    [LAST + 1n, LAST],
    [INT64_MAX, LAST],
    [-LAST - 1n, -LAST],
    [INT64_MIN, -LAST],
  ])("takes the time %s for %s, and its value as it is", (time, counted) => {
    // Of one measure rows are added as they are found, of several when all are.
    for (const measures of [[TIME], [TIME, TIME]]) {
      const state = open({ measures });
      expect(state.apply(frame([row(time), row(counted)]), NEVER)).toMatchObject({ applied: 2, maxTime: counted });
      const groups = all(state.snapshot());
      expect(starts(groups)).toEqual([[counted, 2n]]);
      expect([groups[0]?.measures[0]?.min, groups[0]?.measures[0]?.max]).toContain(time);
      expect(state.apply(frame([row(time)]), counted + 10n)).toMatchObject({ applied: 0, late: 1 });
    }
  });

  it("finds the windows of times that jump about", () => {
    const state = open();
    const times = [5n, INT64_MIN, 10n - LAST, 15n, 9n - LAST, 7n, INT64_MAX, -3n, LAST, LAST - 1n, INT64_MAX, 10n, 9n];
    state.apply(frame(times.map((time) => row(time))), NEVER);
    expect(starts(all(state.snapshot()))).toEqual([
      [-LAST, 2n],
      [10n - LAST, 1n],
      [-10n, 1n],
      [0n, 3n],
      [10n, 2n],
      [LAST - 10n, 1n],
      [LAST, 3n],
    ]);
  });

  it("keeps count, sum, min and max per key and window", () => {
    const state = open({ measures: [3, 4] });
    state.apply(
      frame([row(1, 1n, 5n, "", 0.5), row(2, 2n, -7n, "", -0), row(3, 1n, -2n, "", 0.25), row(12, 1n, 9n, "", 4)]),
      NEVER,
    );
    state.apply(frame([row(4, 1n, 100n, "", -8)]), NEVER);
    expect(all(state.snapshot())).toEqual([
      {
        key: 1n,
        start: 0n,
        count: 3n,
        measures: [
          { sum: 103n, min: -2n, max: 100n },
          { sum: -7.25, min: -8, max: 0.5 },
        ],
      },
      {
        key: 2n,
        start: 0n,
        count: 1n,
        measures: [
          { sum: -7n, min: -7n, max: -7n },
          { sum: -0, min: -0, max: -0 },
        ],
      },
      {
        key: 1n,
        start: 10n,
        count: 1n,
        measures: [
          { sum: 9n, min: 9n, max: 9n },
          { sum: 4, min: 4, max: 4 },
        ],
      },
    ]);
  });

  it("saturates integer sums at the bounds of int64, row by row", () => {
    const state = open();
    state.apply(frame([row(0, 1n, INT64_MAX), row(0, 1n, 1n), row(0, 2n, INT64_MIN), row(0, 2n, -1n)]), NEVER);
    expect(all(state.snapshot()).map(({ measures }) => measures[0]?.sum)).toEqual([INT64_MAX, INT64_MIN]);
    state.apply(frame([row(0, 1n, -5n), row(0, 2n, 5n)]), NEVER);
    expect(all(state.snapshot()).map(({ measures }) => measures[0]?.sum)).toEqual([INT64_MAX - 5n, INT64_MIN + 5n]);
  });

  // Of one measure rows are added run by run, of several one by one.
  it.each([1, 2])(
    "of %i measures adds floats in the order of rows, and stops at the greatest and least of them, row by row",
    (count) => {
      const measures = Array.from({ length: count }, () => 4);
      const state = open({ measures });
      state.apply(
        frame([
          row(0, 1n, 0n, "", 1e16),
          row(0, 1n, 0n, "", 1),
          row(0, 1n, 0n, "", 1),
          row(0, 2n, 0n, "", 1e308),
          row(0, 2n, 0n, "", 1e308),
          row(0, 3n, 0n, "", 1e308),
          row(0, 3n, 0n, "", 1e308),
          row(0, 3n, 0n, "", -1e308),
        ]),
        NEVER,
      );
      const sums = [1e16, Number.MAX_VALUE, Number.MAX_VALUE - 1e308];
      for (let at = 0; at < count; at++)
        expect(all(state.snapshot()).map((group) => group.measures[at]?.sum)).toEqual(sums);
      const other = open({ measures });
      other.apply(frame([row(0, 2n, 0n, "", -1e308), row(0, 2n, 0n, "", -1e308)]), NEVER);
      const [group] = all(other.snapshot());
      expect(group?.measures[0]).toEqual({ sum: -Number.MAX_VALUE, min: -1e308, max: -1e308 });
    },
  );

  it("orders groups by start, then by key: numbers by value, texts by code points", () => {
    const state = open();
    state.apply(
      frame([row(10, 3n), row(0, 5n), row(0, -5n), row(10, INT64_MIN), row(10, INT64_MAX), row(-10, 0n)]),
      NEVER,
    );
    expect(all(state.snapshot()).map(({ start, key }) => [start, key])).toEqual([
      [-10n, 0n],
      [0n, -5n],
      [0n, 5n],
      [10n, INT64_MIN],
      [10n, 3n],
      [10n, INT64_MAX],
    ]);
    const texts = open({ key: 2 });
    const names = ["\u{1f600}", "\uffff", "b", "a\0", "a", "", "same beginning 2", "same beginning 1", "same beg", "é"];
    texts.apply(frame(names.map((name) => row(0, 0n, 0n, name))), NEVER);
    const sorted = [
      "",
      "a",
      "a\0",
      "b",
      "same beg",
      "same beginning 1",
      "same beginning 2",
      "é",
      "\uffff",
      "\u{1f600}",
    ];
    expect(all(texts.snapshot()).map(({ key }) => key)).toEqual(sorted);
  });

  it("counts rows whose window has ended as late, and takes those of a window that ends later", () => {
    const state = open();
    const batch = frame([row(9), row(10), row(19), row(20), row(-5), row(25)]);
    expect(state.apply(batch, 20n)).toEqual({ rows: 6, applied: 2, late: 4, maxTime: 25n });
    expect(starts(all(state.snapshot()))).toEqual([[20n, 2n]]);
    expect(state.apply(batch, 19n)).toMatchObject({ applied: 4, late: 2 });
    expect(state.apply(batch, INT64_MAX)).toMatchObject({ applied: 0, late: 6 });
    expect(state.apply(batch, INT64_MAX + 10n)).toMatchObject({ applied: 0, late: 6 });
    expect(state.apply(batch, INT64_MIN - 10n)).toMatchObject({ applied: 6, late: 0 });
  });

  it("does not count a late row that the filter drops, but its time", () => {
    const state = open({ filter: [{ column: 1, op: "eq", value: 2n }] });
    expect(state.apply(frame([row(99, 1n), row(5, 2n), row(50, 2n)]), 50n)).toEqual({
      rows: 3,
      applied: 1,
      late: 1,
      maxTime: 99n,
    });
  });

  it("answers an empty batch with no time", () => {
    expect(open().apply(frame([]), 0n)).toEqual({ rows: 0, applied: 0, late: 0, maxTime: null });
  });

  it("closes windows at their exclusive end and gives them once", () => {
    const state = open();
    state.apply(frame([row(0, 1n), row(9, 2n), row(10, 1n), row(-1, 3n)]), NEVER);
    expect(state.close(-1n)).toEqual(new Uint8Array());
    expect(starts(all(state.close(0n)))).toEqual([[-10n, 1n]]);
    expect(state.close(9n)).toEqual(new Uint8Array());
    expect(all(state.close(10n)).map(({ key }) => key)).toEqual([1n, 2n]);
    expect(state.groups).toBe(1);
    expect(starts(all(state.close(INT64_MAX)))).toEqual([[10n, 1n]]);
    expect(state.close(INT64_MAX)).toEqual(new Uint8Array());
    expect(state.groups).toBe(0);
  });

  it("closes the first and the last window where they end", () => {
    const state = open();
    state.apply(frame([row(INT64_MAX), row(INT64_MIN)]), NEVER);
    expect(starts(all(state.close(9n - LAST)))).toEqual([]);
    expect(starts(all(state.close(10n - LAST)))).toEqual([[-LAST, 1n]]);
    expect(starts(all(state.close(LAST + 9n)))).toEqual([]);
    expect(starts(all(state.close(LAST + 10n)))).toEqual([[LAST, 1n]]);
  });

  const TESTS: readonly (readonly [ColumnTest["op"], ColumnTest["value"], number, readonly bigint[]])[] = [
    ["eq", 2n, 3, [2n]],
    ["ne", 2n, 3, [1n, 3n]],
    ["lt", 2n, 3, [1n]],
    ["le", 2, 3, [1n, 2n]],
    ["gt", 2, 3, [3n]],
    ["ge", 2n, 3, [2n, 3n]],
    ["lt", 2.5, 3, [1n, 2n]],
    ["ge", 2.5, 3, [3n]],
    ["eq", 2.5, 3, []],
    ["ne", 2.5, 3, [1n, 2n, 3n]],
    ["lt", 1e300, 3, [1n, 2n, 3n]],
    ["gt", -(2n ** 64n), 3, [1n, 2n, 3n]],
    ["gt", 2n ** 64n, 3, []],
    ["ne", Number.NaN, 3, [1n, 2n, 3n]],
    ["eq", Number.NaN, 3, []],
    ["ge", 2n, 4, [2n, 3n]],
    ["gt", 0.1, 4, [2n, 3n]],
    ["le", 0.1, 4, [1n]],
    ["eq", -0, 4, []],
    ["lt", 2n ** 1100n, 4, [1n, 2n, 3n]],
    ["eq", "two", 2, [2n]],
    ["ne", "two", 2, [1n, 3n]],
    ["eq", "tw", 2, []],
    ["ne", "\ud800", 2, [1n, 2n, 3n]],
    ["eq", "\ufffd", 2, []],
  ];
  it.each(TESTS)("filters by %s %s on column %i", (op, value, column, keys) => {
    const state = open({ filter: [{ column, op, value }] });
    state.apply(frame([row(0, 1n, 1n, "one", 0.1), row(0, 2n, 2n, "two", 2), row(0, 3n, 3n, "three", 2.5)]), NEVER);
    expect(all(state.snapshot()).map(({ key }) => key)).toEqual(keys);
  });

  it.each([1, 7, 8, 9, 63, 64, 65, 128, 1000])("filters %i rows by several tests at once", (rows) => {
    const state = open({
      maxGroups: rows,
      filter: [
        { column: 3, op: "ge", value: 3n },
        { column: 4, op: "lt", value: 900 },
        { column: 2, op: "ne", value: "n1" },
      ],
    });
    const list = Array.from({ length: rows }, (_, i) => row(0, BigInt(i), BigInt(i), `n${i % 3}`, i));
    const keys = list.filter((_, i) => i >= 3 && i < 900 && i % 3 !== 1).map(([, key]) => key);
    expect(state.apply(frame(list), NEVER)).toMatchObject({ rows, applied: keys.length });
    expect(
      all(state.snapshot())
        .map(({ key }) => key)
        .slice(0, 100),
    ).toEqual(keys.slice(0, 100));
  });

  it("refuses a batch that would open too many groups, and is as if it had never seen it", () => {
    for (const key of [1, 2]) {
      const state = open({ key, maxGroups: 300 });
      const many = (from: number, count: number) =>
        frame(Array.from({ length: count }, (_, i) => row(0, BigInt(from + i), 1n, `name ${from + i}`)));
      state.apply(many(0, 300), NEVER);
      state.takeDelta();
      const before = state.snapshot();
      expect(() => state.apply(many(299, 2), NEVER)).toThrow(new RangeError("too-many-groups"));
      expect(() => state.apply(many(100, 5000), NEVER)).toThrow(new RangeError("too-many-groups"));
      // Thousands of rows of open groups first, and the one group too many last.
      const long = Array.from({ length: 3000 }, (_, i) => row(0, BigInt(i % 300), 1n, `name ${i % 300}`));
      expect(() => state.apply(frame([...long, row(0, 300n, 1n, "name 300")]), NEVER)).toThrow("too-many-groups");
      expect(state.snapshot()).toEqual(before);
      expect(state.takeDelta()).toEqual(new Uint8Array());
      expect(state.groups).toBe(300);
      expect(state.apply(many(0, 300), NEVER).applied).toBe(300);
      expect(all(state.close(10n)).every(({ count }) => count === 2n)).toBe(true);
      expect(state.apply(many(5000, 300), NEVER).applied).toBe(300);
      expect(all(state.snapshot()).map(({ count }) => count)).toEqual(Array.from({ length: 300 }, () => 1n));
    }
  });

  it("refuses damaged frames and frames of other columns, with nothing changed", () => {
    const state = open();
    state.apply(frame([row(0)]), NEVER);
    const before = state.snapshot();
    const sound = frame([row(1), row(2, 5n, 1n, "text")]);
    const other = (columns: readonly EventColumn[]) =>
      encodeColumns(
        columns,
        columns.map(() => []),
        0,
      );
    const refuse = (bytes: Uint8Array, reason: string) =>
      expect(() => state.apply(bytes, NEVER)).toThrow(
        expect.objectContaining({ name: "CorruptError", reason }) as Error,
      );
    refuse(other(COLUMNS.slice(1)), "kind");
    refuse(other(COLUMNS.with(0, { name: "Time", type: "i64" })), "kind");
    refuse(other(COLUMNS.with(3, { name: "amount", type: "f64" })), "kind");
    refuse(before, "magic");
    refuse(new Uint8Array(), "length");
    for (let length = 0; length < sound.length; length += 5) {
      expect(() => state.apply(sound.subarray(0, length), NEVER)).toThrow(
        expect.objectContaining({ name: "CorruptError" }) as Error,
      );
    }
    for (let bit = 0; bit < sound.length * 8; bit++) {
      const flipped = sound.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => state.apply(flipped, NEVER), `bit ${bit}`).toThrow(
        expect.objectContaining({ name: "CorruptError" }) as Error,
      );
    }
    expect(state.snapshot()).toEqual(before);
  });

  it("refuses damaged groups and groups of another plan, with nothing changed", () => {
    const state = open({ key: 2 });
    state.apply(frame([row(0, 1n, 1n, "one"), row(20, 1n, 1n, "two")]), NEVER);
    const before = state.snapshot();
    const refuse = (bytes: Uint8Array, reason: string) =>
      expect(() => state.load(bytes)).toThrow(expect.objectContaining({ name: "CorruptError", reason }) as Error);
    const made = (plan: Partial<WindowPlan>) => open({ key: 2, ...plan }).snapshot();
    refuse(made({ key: 1 }), "kind");
    refuse(made({ size: 11 }), "kind");
    refuse(made({ measures: [4] }), "kind");
    refuse(made({ measures: [3, 3] }), "kind");
    refuse(frame([]), "magic");
    for (let bit = 0; bit < before.length * 8; bit++) {
      const flipped = before.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => state.load(flipped), `bit ${bit}`).toThrow(
        expect.objectContaining({ name: "CorruptError" }) as Error,
      );
      expect(() => all(flipped), `bit ${bit}`).toThrow(expect.objectContaining({ name: "CorruptError" }) as Error);
    }
    expect(state.snapshot()).toEqual(before);
  });

  it("puts touched groups into one delta with absolute values, and only them", () => {
    const state = open({ key: 2 });
    expect(state.takeDelta()).toEqual(new Uint8Array());
    state.apply(frame([row(0, 1n, 5n, "a"), row(0, 1n, 6n, "b")]), NEVER);
    expect(all(state.takeDelta()).map(({ key }) => key)).toEqual(["a", "b"]);
    expect(state.takeDelta()).toEqual(new Uint8Array());
    state.apply(frame([row(0, 1n, 1n, "b"), row(30, 1n, 1n, "c")]), NEVER);
    expect(all(state.takeDelta()).map(({ key, measures }) => [key, measures[0]?.sum])).toEqual([
      ["b", 7n],
      ["c", 1n],
    ]);
  });

  it("carries closed windows in the next delta, so that no one who loads it keeps them", () => {
    const [state, copy] = [open(), open()];
    state.apply(frame([row(0), row(10), row(20)]), NEVER);
    copy.load(state.takeDelta());
    state.close(20n);
    state.apply(frame([row(5, 7n)]), NEVER);
    copy.load(state.takeDelta());
    expect(all(copy.snapshot())).toEqual(all(state.snapshot()));
    expect(all(copy.snapshot()).map(({ start, key }) => [start, key])).toEqual([
      [0n, 7n],
      [20n, 1n],
    ]);
    expect(copy.takeDelta()).toEqual(new Uint8Array());
  });

  it("loads an empty delta as nothing, and what it loaded is not in its own delta", () => {
    const [state, copy] = [open(), open()];
    copy.load(new Uint8Array());
    state.apply(frame([row(0)]), NEVER);
    copy.load(state.snapshot());
    expect(copy.takeDelta()).toEqual(new Uint8Array());
    expect(copy.groups).toBe(1);
    expect(kernels.readGroups(new Uint8Array())).toEqual([]);
  });

  it("refuses plans that make no sense", () => {
    const refuse = (plan: Partial<WindowPlan>) => expect(() => open(plan)).toThrow(/^bad-plan: /);
    refuse({ key: 4 });
    refuse({ key: 5 });
    refuse({ time: 4 });
    refuse({ time: 2 });
    refuse({ size: 0 });
    refuse({ size: 1.5 });
    refuse({ size: 2 ** 53 });
    refuse({ measures: [2] });
    refuse({ measures: [0, 0, 0, 0, 0, 0, 0, 0, 0] });
    refuse({ maxGroups: -1 });
    refuse({ filter: [{ column: 2, op: "lt", value: "x" }] });
    refuse({ filter: [{ column: 2, op: "eq", value: 1n }] });
    refuse({ filter: [{ column: 0, op: "eq", value: "x" }] });
    refuse({ filter: [{ column: 9, op: "eq", value: 1n }] });
    expect(() => open({ columns: [...COLUMNS, { name: "time", type: "i64" }] })).toThrow(/^bad-columns: /);
  });

  it("cannot be used once it is freed", () => {
    const state = open();
    state.free();
    for (const use of [
      () => state.snapshot(),
      () => state.takeDelta(),
      () => state.groups,
      () => state.free(),
      () => state.close(0n),
    ]) {
      expect(use).toThrow(/freed/);
    }
  });

  it("takes the frames of the parser", () => {
    const body = utf8(
      '{"time":1,"key":7,"name":"x","amount":2,"ratio":1}\n{"time":12,"key":7,"name":"y","amount":3,"ratio":1}\n',
    );
    const parsed = kernels.parseEvents(body, COLUMNS);
    const state = open({ key: 2 });
    expect(parsed.ok && state.apply(parsed.frame, NEVER)).toEqual({ rows: 2, applied: 2, late: 0, maxTime: 12n });
    expect(all(state.snapshot()).map(({ key }) => key)).toEqual(["x", "y"]);
  });
});

it("keeps flows of one instance apart", () => {
  const [one, two] = [wasm.openWindow(PLAN), wasm.openWindow({ ...PLAN, key: 2 })];
  one.apply(frame([row(0, 1n, 1n, "a")]), NEVER);
  two.apply(frame([row(0, 9n, 2n, "b"), row(0, 9n, 2n, "c")]), NEVER);
  one.free();
  expect(wasm.readGroups(two.snapshot()).map(({ key }) => key)).toEqual(["b", "c"]);
  two.free();
});

it("applies a frame as it is now, whether or not it is the one that was parsed last", () => {
  const line = (amount: number) => utf8(`{"time":1,"key":1,"name":"","amount":${amount},"ratio":0}`);
  const parse = (amount: number): Uint8Array => {
    const parsed = wasm.parseEvents(line(amount), COLUMNS);
    return parsed.ok ? parsed.frame : new Uint8Array();
  };
  const state = wasm.openWindow(PLAN);
  const sum = () => wasm.readGroups(state.snapshot())[0]?.measures[0]?.sum;
  const first = parse(1);
  state.apply(first, NEVER);
  state.apply(first, NEVER);
  expect(sum()).toBe(2n);
  const second = parse(10);
  state.apply(first, NEVER);
  state.apply(second.slice(), NEVER);
  expect(sum()).toBe(13n);
  // Another frame in the array that the last one came in.
  second.set(first);
  state.apply(second, NEVER);
  expect(sum()).toBe(14n);
  const third = parse(100);
  expect(wasm.parseEvents(utf8("{}"), COLUMNS).ok).toBe(false);
  state.apply(third, NEVER);
  expect(sum()).toBe(114n);
  const other = wasm.openWindow({ ...PLAN, columns: COLUMNS.with(4, { name: "other", type: "f64" }) });
  expect(() => other.apply(parse(1), NEVER)).toThrow(expect.objectContaining({ reason: "kind" }) as Error);
  state.free();
  other.free();
});
