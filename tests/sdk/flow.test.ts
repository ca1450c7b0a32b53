/** Streams and flows as recorded data, and the clear errors for what the compiler could not see. */

import { describe, expect, test } from "vitest";
import { count, float64, flow, int64, max, min, stream, sum, text, timestamp, tumbling } from "../../sdk/index.ts";
import { milliseconds } from "../../sdk/duration.ts";
import type { Duration, FlowDefinition } from "../../sdk/index.ts";

const Sales = stream("sales", { item: text(), amount: int64(), price: float64(), at: timestamp() });
const misconfigured = (message: RegExp): unknown =>
  expect.objectContaining({ type: "misconfigured", message: expect.stringMatching(message) });

describe("stream", () => {
  test("lists its columns in the order of declaration, with the kernels' types", () => {
    expect(Sales.columns).toEqual([
      { name: "item", type: "text" },
      { name: "amount", type: "i64" },
      { name: "price", type: "f64" },
      { name: "at", type: "i64" },
    ]);
  });

  test("refuses bad names, no fields, too many, and unknown types", () => {
    expect(() => stream("Sales", { at: timestamp() })).toThrow(
      misconfigured(/the stream name "Sales" must be kebab-case/),
    );
    expect(() => stream("sales", {})).toThrow(misconfigured(/has no fields/));
    expect(() => stream("sales", { "a b": text() })).toThrow(misconfigured(/the field of stream "sales" "a b"/));
    expect(() => stream("sales", { a: { kind: "decimal" } as never })).toThrow(
      misconfigured(/"a" .* has no known type/),
    );
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`f${index}`, int64()]));
    expect(() => stream("sales", many)).toThrow(misconfigured(/more than 32 fields/));
  });
});

describe("flow", () => {
  const perMinute = flow("sales-per-minute")
    .from(Sales, { time: "at", outOfOrderness: "5s" })
    .filter((e) => e.amount.gt(0).and(e.item.ne("test")))
    .filter((e) => e.price.le(0.5))
    .keyBy("item")
    .window(tumbling("1m"))
    .aggregate({ orders: count(), revenue: sum("amount"), least: min("price"), latest: max("at") })
    .toView("sales-by-minute");

  test("is plain data that says everything", () => {
    expect(perMinute.windowed).toStrictEqual({
      name: "sales-per-minute",
      stream: Sales,
      time: "at",
      outOfOrderness: 5_000,
      filter: [
        { field: "amount", op: "gt", value: 0n },
        { field: "item", op: "ne", value: "test" },
        { field: "price", op: "le", value: 0.5 },
      ],
      key: "item",
      window: { kind: "tumbling", size: 60_000 },
      outputs: [
        { name: "orders", kind: "count" },
        { name: "revenue", kind: "sum", field: "amount" },
        { name: "least", kind: "min", field: "price" },
        { name: "latest", kind: "max", field: "at" },
      ],
      view: "sales-by-minute",
    });
  });

  test("is frozen all the way down, and a step can be continued twice without mixing", () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(perMinute)).toBe(true);
    const from = flow("f").from(Sales, { time: "at" });
    const finish = (step: typeof from): FlowDefinition =>
      step.keyBy("item").window(tumbling(1)).aggregate({ n: count() }).toView("v");
    expect(finish(from.filter((e) => e.amount.gt(1))).windowed?.filter).toHaveLength(1);
    expect(finish(from.filter((e) => e.amount.gt(2))).windowed?.filter).toHaveLength(1);
    expect(finish(from).windowed).toMatchObject({ filter: [], outOfOrderness: 0 });
  });

  test("records every comparison exactly", () => {
    const recorded: Array<readonly unknown[]> = [];
    flow("f")
      .from(Sales, { time: "at" })
      .filter((e) => {
        const all = e.amount
          .eq(1)
          .and(e.amount.ne(2n ** 63n - 1n))
          .and(e.amount.lt(-(2n ** 63n)))
          .and(e.at.ge(3));
        recorded.push(...(all.tests ?? []).map(({ field, op, value }) => [field, op, value]));
        return all;
      });
    expect(recorded).toEqual([
      ["amount", "eq", 1n],
      ["amount", "ne", 2n ** 63n - 1n],
      ["amount", "lt", -(2n ** 63n)],
      ["at", "ge", 3n],
    ]);
  });

  test("refuses operands that the field cannot have", () => {
    const from = flow("f").from(Sales, { time: "at" });
    for (const value of [0.5, NaN, 2 ** 53, 2n ** 63n, "1" as never]) {
      expect(() => from.filter((e) => e.amount.gt(value))).toThrow(
        misconfigured(/"amount" is int64: it cannot be compared/),
      );
    }
    expect(() => from.filter((e) => e.price.gt(Infinity))).toThrow(misconfigured(/"price" is float64/));
    expect(() => from.filter((e) => e.item.eq("\ud800"))).toThrow(misconfigured(/"item" is text/));
    expect(() => from.filter((e) => (e.item as unknown as typeof e.amount).lt(1))).toThrow(
      misconfigured(/has no order/),
    );
  });

  test("refuses a filter that computes, and too many comparisons", () => {
    const from = flow("f").from(Sales, { time: "at" });
    expect(() => from.filter(() => true as never)).toThrow(misconfigured(/must return a comparison such as/));
    expect(() => {
      let step = from;
      for (let count = 0; count < 33; count++) step = step.filter((e) => e.amount.gt(0));
    }).toThrow(misconfigured(/more than 32 comparisons/));
  });

  test("refuses fields that are unknown or of the wrong type, where the compiler was told otherwise", () => {
    const from = flow("f").from(Sales, { time: "at" });
    const windowed = from.keyBy("item").window(tumbling("1m"));
    expect(() => flow("f").from(Sales, { time: "amount" as never })).toThrow(
      misconfigured(/is int64 and cannot be its time/),
    );
    expect(() => flow("f").from(Sales, { time: "toString" as never })).toThrow(
      misconfigured(/has no field "toString"/),
    );
    expect(() => from.keyBy("price" as never)).toThrow(misconfigured(/is float64 and cannot be its key/));
    expect(() => windowed.aggregate({ a: sum("item" as never) })).toThrow(
      misconfigured(/is text and cannot be its sum/),
    );
    expect(() => windowed.aggregate({ a: max("colour" as never) })).toThrow(misconfigured(/has no field "colour"/));
    expect(() => from.keyBy("item").window({ kind: "session" } as never)).toThrow(misconfigured(/made by tumbling/));
  });

  test("refuses no outputs, reserved and bad names", () => {
    const windowed = flow("f").from(Sales, { time: "at" }).keyBy("item").window(tumbling("1m"));
    expect(() => windowed.aggregate({})).toThrow(misconfigured(/has no outputs/));
    for (const name of ["key", "window", "final"]) {
      expect(() => windowed.aggregate({ [name]: count() as never })).toThrow(misconfigured(/cannot have an output/));
    }
    expect(() => windowed.aggregate({ "a b": count() })).toThrow(misconfigured(/the output of flow "f" "a b"/));
    expect(() => windowed.aggregate({ n: count() }).toView("V")).toThrow(misconfigured(/the view of flow "f" "V"/));
    expect(() => flow("F")).toThrow(misconfigured(/the flow name "F"/));
  });

  test("leaves more measures than the kernel keeps to the operators, and takes any number of outputs of one", () => {
    const wide = stream("wide", {
      ...Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`f${at}`, int64()])),
      k: text(),
      at: timestamp(),
    });
    const windowed = flow("f").from(wide, { time: "at" }).keyBy("k").window(tumbling(1));
    const sums = (fields: number[]): Record<string, ReturnType<typeof sum<string>>> =>
      Object.fromEntries(fields.map((at, index) => [`o${index}`, sum(`f${at}`)]));
    const more = windowed.aggregate(sums([0, 1, 2, 3, 4, 5, 6, 7, 8]) as never).toView("v");
    expect(more.windowed).toBeNull();
    expect(() => windowed.aggregate(sums([0, 1, 2, 3, 4, 5, 6, 7, 7, 7]) as never)).not.toThrow();
  });
});

describe("durations", () => {
  test.each<[Duration, number]>([
    ["250ms", 250],
    ["5s", 5_000],
    ["1.5s", 1_500],
    ["2.01s", 2_010],
    ["4.1m", 246_000],
    ["0.27m", 16_200],
    ["1.10h", 3_960_000],
    ["1m", 60_000],
    ["2h", 7_200_000],
    [0, 0],
    [7, 7],
  ])("%s is %d ms", (duration, expected) => {
    expect(milliseconds(duration, "it")).toBe(expected);
  });

  test.each(["", "5", "5 s", "-1s", "1w", "1e3ms", "0.5ms", "0.0001s", "9000h", "367d", "s", -1, 0.5, NaN, Infinity])(
    "%j is refused",
    (duration) => {
      expect(() => milliseconds(duration as Duration, "the pause")).toThrow(
        misconfigured(/^the pause must be whole milliseconds/),
      );
    },
  );

  test("a window is longer than nothing", () => {
    expect(() => tumbling(0)).toThrow(misconfigured(/longer than nothing/));
  });
});
