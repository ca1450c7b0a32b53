/** Rule C15, step by step: which answers carry a batch, and what becomes of the others and of receipts. */
import { beforeEach, expect, test } from "vitest";
import { Carrier } from "../../protocol/link/carrier.ts";
import { LIMITS } from "../../protocol/limits.ts";

let now = 0;
let carrier: Carrier<string>;
beforeEach(() => {
  now = 0;
  carrier = new Carrier(1, () => now);
  carrier.answering(7);
});

function dispatch(...batches: Array<readonly [to: number, batch: number]>): unknown[] {
  carrier.dispatching();
  const carried = batches.map(([to, batch]) => carrier.carry(to, batch));
  return [...carried, carrier.dispatched()];
}

test("without a dispatch to come an answer leaves at once", () => {
  expect(carrier.hold(2, "a")).toBe(false);
  expect(carrier.waiting).toBe(0);
});

test("an answer waits for the dispatch, and leaves once: with a batch, or with nothing", () => {
  carrier.dispatchWanted();
  expect([carrier.hold(2, "a"), carrier.hold(2, "b"), carrier.hold(3, "c")]).toEqual([true, true, true]);
  expect(carrier.waiting).toBe(3);
  expect(dispatch([2, 10])).toEqual(["a", ["b", "c"]]);
  expect(carrier.waiting).toBe(0);
  carrier.dispatchWanted();
  expect(dispatch([2, 11], [3, 12])).toEqual([undefined, undefined, []]);
});

test("a batch leaves with no answer to somebody else", () => {
  carrier.dispatchWanted();
  carrier.hold(2, "a");
  expect(dispatch([3, 10])).toEqual([undefined, ["a"]]);
});

test("at most one batch for a peer is without a receipt; behind the time of a call another may be", () => {
  carrier.dispatchWanted();
  carrier.hold(2, "a");
  carrier.hold(2, "b");
  expect(dispatch([2, 10], [2, 11])).toEqual(["a", undefined, ["b"]]);
  carrier.dispatchWanted();
  expect(carrier.hold(2, "c")).toBe(false);
  expect(carrier.receive({ from: 2, receipts: [[10, 4, 7]] })).toEqual([[10, 4, 7]]);
  expect(carrier.hold(2, "d")).toBe(true);
  expect(dispatch([2, 12])).toEqual(["d", []]);
  now += LIMITS.replyMs;
  carrier.dispatchWanted();
  expect(carrier.hold(2, "e")).toBe(true);
});

test("a receipt for a batch of the instance before is for nobody", () => {
  carrier.dispatchWanted();
  carrier.hold(2, "a");
  dispatch([2, 10]);
  expect(carrier.receive({ from: 2, receipts: [[10, 4, 6]] })).toEqual([]);
  carrier.dispatchWanted();
  expect(carrier.hold(2, "b")).toBe(false);
});

test("each receipt is told once, with the next call or when the time has come", () => {
  expect(carrier.brought(2, [5, 7, 3])).toBe(true);
  expect(carrier.brought(3, [6, null, 2])).toBe(false);
  expect(carrier.waiting).toBe(2);
  expect(carrier.beside(2)).toEqual({ from: 1, receipts: [[5, 7, 3]] });
  expect(carrier.receiptsDue()).toEqual([3]);
  expect(carrier.beside(3)).toEqual({ from: 1, receipts: [[6, null, 2]] });
  expect(carrier.beside(2)).toEqual({ from: 1, receipts: [] });
  expect(carrier.waiting).toBe(0);
  expect(carrier.brought(2, [8, 7, 3])).toBe(true);
});

test("receipts are bounded: the newest are told", () => {
  for (let batch = 1; batch <= LIMITS.maxReceipts + 3; batch++) carrier.brought(2, [batch, 7, 3]);
  const { receipts } = carrier.beside(2);
  expect(receipts).toHaveLength(LIMITS.maxReceipts);
  expect(receipts.at(-1)).toEqual([LIMITS.maxReceipts + 3, 7, 3]);
});
