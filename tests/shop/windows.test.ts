/** The demo's own windows, held against the naive evaluation of the flow: two oracles that share no code. */

import { expect, test } from "vitest";
import { evaluate } from "../../dataflow/reference.ts";
import { ARTICLES } from "../../examples/shop/demo/goods.ts";
import { random } from "../../examples/shop/demo/random.ts";
import { duration, ndjson, salesBatch } from "../../examples/shop/demo/sales.ts";
import { rowKey, Windows } from "../../examples/shop/demo/windows.ts";
import { salesPerMinute } from "../../examples/shop/src/sales.ts";

const START = Date.UTC(2026, 0, 1);

interface Sale {
  readonly item: string;
  readonly amount: number;
  readonly quantity: number;
  readonly at: number;
}

function batches(seed: number): { parsed: Sale[][]; taken: Windows; late: number } {
  const chance = random(seed, "events");
  const taken = new Windows(-Infinity);
  const parsed: Sale[][] = [];
  let late = 0;
  for (let first = 0; first < 40_000; first += 4_000) {
    const batch = salesBatch(chance, first, 4_000, START);
    late += taken.take(batch);
    const lines = ndjson(batch).toString().trimEnd().split("\n");
    parsed.push(lines.map((line) => JSON.parse(line) as Sale));
  }
  return { parsed, taken, late };
}

test.each([1, 2, 3])("the demo's windows are those of the naive evaluation, late events included (seed %i)", (seed) => {
  const { parsed, taken, late } = batches(seed);
  const expected = evaluate(
    salesPerMinute,
    parsed.map((batch) => batch.map((sale) => ({ ...sale }))),
  );
  expect(late).toBe(expected.late);
  expect(late).toBeGreaterThan(0);
  expect(BigInt(taken.watermark)).toBe(expected.watermark);
  const rows = expected.rows.map(({ key, start, outputs, final }) => {
    const numbers = Object.entries(outputs).map(([name, value]) => [name, Number(value)] as const);
    return [rowKey(Number(start), String(key)), { ...Object.fromEntries(numbers), final }] as const;
  });
  expect(taken.rows()).toEqual(new Map(rows));
});

test("events of a run stay within its duration, and the same seed makes the same events", () => {
  const { parsed } = batches(7);
  const times = parsed.flat().map(({ at }) => at);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(START);
  expect(Math.max(...times)).toBeLessThan(START + duration(times.length));
  expect(batches(7).parsed).toEqual(parsed);
  expect(batches(8).parsed).not.toEqual(parsed);
});

test("popular articles sell most, and some sales are refunds or out of order", () => {
  const sales = batches(1).parsed.flat();
  const count = (item: string | undefined): number => sales.filter((sale) => sale.item === item).length;
  expect(count(ARTICLES[0]?.name)).toBeGreaterThan(5 * count(ARTICLES[30]?.name));
  expect(sales.some(({ amount }) => amount < 0)).toBe(true);
  expect(sales.some(({ at }, place) => at < (sales[place - 1]?.at ?? 0))).toBe(true);
});
