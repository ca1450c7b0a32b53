/** The demo's search for one order of all transactions: it must see histories that have none. */

import { expect, test } from "vitest";
import { type Step, stuckInCircles } from "../../examples/shop/demo/audit/one-order.ts";

const step = (sentAt: number, answeredAt: number, ...places: Array<[string, number]>): Step => ({
  sentAt,
  answeredAt,
  places,
});

test("concurrent transactions that agree on their order have one", () => {
  expect(stuckInCircles([])).toBe(0);
  const steps = [step(0, 9, ["mug", 1], ["jar", 1]), step(0, 9, ["jar", 2], ["mug", 2]), step(0, 9, ["jar", 3])];
  expect(stuckInCircles(steps)).toBe(0);
});

test("two transactions that each came before the other have none", () => {
  const steps = [step(0, 9, ["mug", 1], ["jar", 2]), step(0, 9, ["jar", 1], ["mug", 2]), step(0, 9, ["tin", 1])];
  expect(stuckInCircles(steps)).toBe(2);
});

test("a circle over three articles is seen", () => {
  const steps = [
    step(0, 9, ["mug", 1], ["jar", 2]),
    step(0, 9, ["jar", 1], ["tin", 2]),
    step(0, 9, ["tin", 1], ["mug", 2]),
  ];
  expect(stuckInCircles(steps)).toBe(3);
});

test("a transaction that was answered before another was sent comes before it, through third ones, too", () => {
  const late = step(6, 9, ["mug", 1]);
  expect(stuckInCircles([late, step(0, 5, ["mug", 2])])).toBeGreaterThan(0);
  expect(stuckInCircles([late, step(0, 7, ["mug", 2])])).toBe(0);
  const bridged = [late, step(0, 8, ["mug", 2], ["jar", 1]), step(0, 5, ["jar", 2])];
  expect(stuckInCircles(bridged)).toBeGreaterThan(0);
});
