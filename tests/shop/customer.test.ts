/** The demo's memory of a customer: it must see answers that cannot be. */

import { describe, expect, test } from "vitest";
import type { Call, Outcome } from "../../examples/shop/demo/calls.ts";
import { Customer } from "../../examples/shop/demo/customer.ts";

const key = "ann";
const checkout: Call = { service: "cart", key, function: "checkout" };
const cancel: Call = { service: "order", key: "ann/1", function: "cancel" };
const balance: Call = { service: "account", key, function: "balance" };
const placed = (left: number): Outcome => ({ result: { order: "ann/1", total: 600, balance: left } });
const tooLittle = (left: number, item = "mug"): Outcome => ({
  refusal: "cart/out-of-stock",
  data: { item, left },
});

/** With three mugs of 200 in the cart. */
function shopper(money: number): Customer {
  return new Customer({ key, balance: money, cart: [["mug", { price: 200, quantity: 3 }]], orders: [] });
}

describe("a checkout", () => {
  test("that is paid moves money and lines into the next order, once", () => {
    const ann = shopper(1_000);
    expect(ann.take(checkout, placed(400))).toBeUndefined();
    expect(ann.take(balance, { result: { balance: 400 } })).toBeUndefined();
    expect(ann.orders).toEqual([
      { id: "ann/1", customer: key, status: "placed", total: 600, lines: [{ item: "mug", price: 200, quantity: 3 }] },
    ]);
    expect(ann.nextOrder).toBe("ann/2");
    expect(ann.take(checkout, { refusal: "cart/empty-cart", data: null })).toBeUndefined();
  });

  test("that tells a wrong balance or order is seen", () => {
    expect(shopper(1_000).take(checkout, placed(500))).toContain("expected");
    expect(shopper(1_000).take(checkout, { result: { order: "ann/2", total: 600, balance: 400 } })).toContain(
      "expected",
    );
  });

  test("without the money must not be paid, and with it must not be refused for money", () => {
    const refused: Outcome = { refusal: "cart/insufficient-funds", data: { balance: 500, price: 600 } };
    expect(shopper(500).take(checkout, refused)).toBeUndefined();
    expect(shopper(500).take(checkout, placed(-100))).toContain("expected");
    expect(shopper(600).take(checkout, refused)).toContain("expected");
  });

  test("may find too little in stock, if that is too little; then nothing has changed", () => {
    const ann = shopper(1_000);
    expect(ann.take(checkout, tooLittle(2))).toBeUndefined();
    expect(ann.missing).toBe("mug");
    expect(ann.take(balance, { result: { balance: 1_000 } })).toBeUndefined();
    expect(ann.orders).toEqual([]);
    for (const wrong of [tooLittle(3), tooLittle(-1), tooLittle(0, "jar")])
      expect(ann.take(checkout, wrong)).toContain("although");
  });
});

test("a cancelled order gives the money back once", () => {
  const ann = shopper(600);
  ann.take(checkout, placed(0));
  expect(ann.take(cancel, { result: { refunded: 600, linesBack: true } })).toBeUndefined();
  expect(ann.take(balance, { result: { balance: 600 } })).toBeUndefined();
  expect(ann.take(cancel, { result: { refunded: 600, linesBack: true } })).toContain("already-cancelled");
});
