/** The demo's audit of stock: it must see what it is there to see. */

import { describe, expect, test } from "vitest";
import { Shelf, type StockCall } from "../../examples/shop/demo/shelf.ts";

const reserve = (quantity: number): StockCall => ({
  service: "stock",
  key: "mug",
  function: "reserve",
  input: { quantity },
});
const level: StockCall = { service: "stock", key: "mug", function: "level" };
const answered = (available: number, revision: number): { result: unknown } => ({ result: { available, revision } });
const times = (sentAt: number, answeredAt: number): { sentAt: number; answeredAt: number } => ({ sentAt, answeredAt });

function shelf(
  ...answers: ReadonlyArray<readonly [StockCall, { result: unknown }, sentAt: number, answeredAt: number]>
): Shelf {
  const made = new Shelf("mug", { available: 10, revision: 4 });
  for (const [call, outcome, sentAt, answeredAt] of answers) made.take(call, outcome, times(sentAt, answeredAt));
  return made;
}

describe("replaying an article's changes", () => {
  test("puts concurrent changes in the order of their revisions", () => {
    const { faults, level: last } = shelf(
      [reserve(2), answered(7, 6), 0, 9],
      [reserve(1), answered(9, 5), 1, 8],
    ).replay();
    expect(faults).toEqual([]);
    expect(last).toEqual({ available: 7, revision: 6 });
  });

  test("sees a lost update", () => {
    const { faults } = shelf([reserve(1), answered(9, 5), 0, 5], [reserve(2), answered(8, 6), 1, 6]).replay();
    expect(faults).toEqual([expect.stringContaining("revision 6: 7 pieces expected, 8 answered")]);
  });

  test("sees a change that nobody was told of, and one that was told twice", () => {
    expect(shelf([reserve(1), answered(8, 6), 0, 5]).replay().faults).not.toEqual([]);
    const doubled = [reserve(1), answered(9, 5), 0, 5] as const;
    expect(shelf(doubled, doubled).replay().faults).not.toEqual([]);
  });

  test("sees pieces that an order took, and stock below zero", () => {
    const order = (pieces: number, revision: number): Shelf => {
      const made = shelf([reserve(1), answered(9, 5), 0, 5], [reserve(1), answered(6, 7), 6, 9]);
      made.changed({ pieces, revision, ...times(1, 8) });
      return made;
    };
    expect(order(-2, 6).replay().faults).toEqual([]);
    expect(order(-1, 6).replay().faults).not.toEqual([]);
    expect(order(-2, 5).replay().faults).not.toEqual([]);
    const sold = shelf();
    sold.changed({ pieces: -11, revision: 5, ...times(0, 1) });
    expect(sold.replay().faults).not.toEqual([]);
  });

  test("sees a query answered from the past", () => {
    const change = [reserve(1), answered(9, 5), 0, 5] as const;
    expect(shelf(change, [level, answered(10, 4), 4, 9]).replay().faults).toEqual([]);
    expect(shelf(change, [level, answered(10, 4), 6, 9]).replay().faults).toEqual([
      expect.stringContaining("although 5 had been answered"),
    ]);
  });

  test("sees a refusal that had enough, or that saw what never was", () => {
    const refused = { refusal: "stock/out-of-stock", data: { item: "mug", left: 3 } };
    const made = shelf([reserve(1), answered(9, 5), 0, 5]);
    expect(made.take(reserve(2), refused, times(0, 1))).toBe("refused 2 pieces of 3");
    expect(made.take(reserve(4), refused, times(0, 1))).toBeUndefined();
    expect(made.replay().faults).toContainEqual(expect.stringContaining("a refusal saw 3 pieces"));
  });
});
