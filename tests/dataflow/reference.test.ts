/** The oracle itself, by tables worked out by hand. */

import { describe, expect, test } from "vitest";
import { evaluate, rowText } from "../../dataflow/index.ts";
import type { PlainEvent } from "../../dataflow/index.ts";
import { count, float64, flow, int64, stream, sum, text, timestamp, tumbling } from "../../sdk/index.ts";
import { perSecond } from "./fixtures.ts";

const sale = (at: number, item: string, amount: number, price = 1): PlainEvent => ({ at, item, amount, price });

describe("evaluate", () => {
  test("groups by key and window, and orders by window, then key", () => {
    const { rows, late, watermark } = evaluate(perSecond, [
      [sale(1_500, "b", 2, 5), sale(200, "b", 1, 3), sale(999, "a", 4, 2), sale(0, "a", 6, 9)],
    ]);
    expect(rows.map(rowText)).toEqual([
      '{"key":"a","window":{"start":0,"end":1000},"orders":2,"revenue":10,"dearest":9,"least":4,"cheapest":2,"final":true}',
      '{"key":"b","window":{"start":0,"end":1000},"orders":1,"revenue":1,"dearest":3,"least":1,"cheapest":3,"final":true}',
      '{"key":"b","window":{"start":1000,"end":2000},"orders":1,"revenue":2,"dearest":5,"least":2,"cheapest":5,"final":false}',
    ]);
    expect([late, watermark]).toEqual([0, 1_000n]);
  });

  test("puts an event on a border into the later window, also before 1970", () => {
    const { rows } = evaluate(perSecond, [
      [sale(-1_000, "a", 1), sale(-1, "a", 1), sale(0, "a", 1), sale(-1_001, "a", 1)],
    ]);
    expect(rows.map(({ start, outputs }) => [start, outputs["orders"]])).toEqual([
      [-2_000n, 1n],
      [-1_000n, 2n],
      [0n, 1n],
    ]);
  });

  test("takes an event further from 1970 than a date for one of the last date", () => {
    const far = [9e15, 2n ** 63n - 1n, -9e15].map((at) => ({ ...sale(0, "a", 1), at }));
    const { rows, watermark } = evaluate(perSecond, [far]);
    const [least, most] = [-8_640_000_000_000_000n, 8_640_000_000_000_000n];
    expect(rows.map(({ start, outputs }) => [start, outputs["orders"]])).toEqual([
      [least, 1n],
      [most, 2n],
    ]);
    expect(watermark).toBe(most - 500n);
  });

  test("counts as late only what comes after its window closed, and never within one batch", () => {
    const { rows, late } = evaluate(perSecond, [
      [sale(1_499, "a", 1)],
      [sale(999, "a", 2), sale(1_500, "a", 4)],
      [sale(999, "a", 8), sale(1_000, "a", 16)],
    ]);
    expect(late).toBe(1);
    expect(rows.map(({ outputs, final }) => [outputs["revenue"], final])).toEqual([
      [2n, true],
      [21n, false],
    ]);
  });

  test("lets filtered events move the watermark, but be neither counted nor late", () => {
    const { rows, late, watermark } = evaluate(perSecond, [
      [sale(9_500, "test", 1), sale(9_000, "a", 0)],
      [sale(100, "a", 0), sale(200, "a", 1)],
    ]);
    expect(rows).toEqual([]);
    expect([late, watermark]).toEqual([1, 9_000n]);
  });

  test("sums whole numbers exactly and stops at the bounds of int64", () => {
    const Numbers = stream("numbers", { k: text(), n: int64(), f: float64(), at: timestamp() });
    const total = flow("f")
      .from(Numbers, { time: "at" })
      .keyBy("k")
      .window(tumbling(10))
      .aggregate({ n: sum("n"), f: sum("f"), c: count() })
      .toView("v");
    const event = (n: bigint, f: number): PlainEvent => ({ k: "k", n, f, at: 0 });
    const [exact] = evaluate(total, [[event(2n ** 53n, 0.1), event(1n, 0.2)]]).rows;
    expect(exact?.outputs).toEqual({ n: 2n ** 53n + 1n, f: 0.1 + 0.2, c: 2n });
    const [stopped] = evaluate(total, [[event(2n ** 63n - 1n, 1e308), event(1n, 1e308), event(-5n, -1)]]).rows;
    expect(stopped?.outputs).toMatchObject({ n: 2n ** 63n - 6n, f: Number.MAX_VALUE });
    expect(rowText(stopped!)).toContain('"f":1.7976931348623157e+308');
  });

  test("orders text keys by their UTF-8 bytes", () => {
    const keys = ["\uff5e", "😀", "b", "a", "ab", "é"];
    const { rows } = evaluate(perSecond, [keys.map((item) => sale(0, item, 1))]);
    expect(rows.map(({ key }) => key)).toEqual(["a", "ab", "b", "é", "\uff5e", "😀"]);
  });

  test("refuses an event that lacks a field", () => {
    expect(() => evaluate(perSecond, [[{ at: 0, item: "a", amount: 1 }]])).toThrow('lacks "price"');
  });
});
