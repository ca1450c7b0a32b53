/** The shop's own tests: its services on `tidegate/testing`, with what a shop must never do, whatever breaks. */
import { testApp } from "tidegate/testing";
import { describe, expect, test } from "vitest";
import { account } from "../../examples/shop/src/account.ts";
import { cart } from "../../examples/shop/src/cart.ts";
import { Account, Cart, Order, Stock } from "../../examples/shop/src/contracts.ts";
import { order } from "../../examples/shop/src/order.ts";
import { Sales, salesPerMinute } from "../../examples/shop/src/sales.ts";
import { stock } from "../../examples/shop/src/stock.ts";

function shop(options: { seed?: number; faults?: boolean } = {}) {
  const app = testApp({ services: [account, cart, order, stock], flows: [salesPerMinute], ...options });
  return { app, client: app.client({ Account, Cart, Order, Stock }) };
}

describe("checkout", () => {
  test("takes goods and money, and places the order", async () => {
    const { app, client } = shop();
    await client.account("alice").deposit({ amount: 5_000 });
    await client.stock("teapot").restock({ quantity: 3 });
    await client.cart("alice").add({ item: "teapot", price: 1_900, quantity: 2 });
    const bought = await client.cart("alice").checkout();
    expect(bought).toEqual({ order: "alice/1", total: 3_800, balance: 1_200 });
    await app.crash("everything");
    expect(await client.stock("teapot").level()).toMatchObject({ available: 1 });
    expect(await client.order("alice/1").read()).toMatchObject({ customer: "alice", status: "placed", total: 3_800 });
    expect(await client.cart("alice").contents()).toEqual({ total: 0, lines: [] });
  });

  test("refuses, and changes nothing, when a piece or the money is missing", async () => {
    const { client } = shop();
    await client.account("bob").deposit({ amount: 100 });
    await client.stock("mug").restock({ quantity: 5 });
    await client.cart("bob").add({ item: "mug", price: 790, quantity: 1 });
    expect(await client.cart("bob").checkout.try()).toMatchObject({
      refusal: "insufficient-funds",
      data: { balance: 100 },
    });
    await client.account("bob").deposit({ amount: 10_000 });
    await client.cart("bob").add({ item: "mug", price: 790, quantity: 9 });
    expect(await client.cart("bob").checkout.try()).toMatchObject({
      refusal: "out-of-stock",
      data: { item: "mug", left: 5 },
    });
    expect(await client.stock("mug").level()).toMatchObject({ available: 5 });
    expect(await client.account("bob").balance()).toEqual({ balance: 10_100 });
    expect((await client.cart("bob").contents()).lines).toHaveLength(1);
  });

  test("takes no money twice for one Idempotency-Key, though everything crashes in between", async () => {
    const { app, client } = shop();
    await client.account("carol").deposit({ amount: 5_000 });
    await client.stock("jar").restock({ quantity: 9 });
    await client.cart("carol").add({ item: "jar", price: 500, quantity: 1 });
    const once = { idempotencyKey: "order-17" };
    const first = await client.cart("carol").checkout(undefined, once);
    await app.crash("everything");
    expect(await client.cart("carol").checkout(undefined, once)).toEqual(first);
    expect(await client.account("carol").balance()).toEqual({ balance: 4_500 });
  });
});

describe("a cancelled order", () => {
  test("gives money, pieces and lines back", async () => {
    const { client } = shop();
    await client.account("dave").deposit({ amount: 2_000 });
    await client.stock("tin").restock({ quantity: 2 });
    await client.cart("dave").add({ item: "tin", price: 700, quantity: 2 });
    const { order: id } = await client.cart("dave").checkout();
    expect(await client.order(id).cancel()).toEqual({ refunded: 1_400, linesBack: true });
    expect(await client.account("dave").balance()).toEqual({ balance: 2_000 });
    expect(await client.stock("tin").level()).toMatchObject({ available: 2 });
    expect(await client.order(id).cancel.try()).toMatchObject({ refusal: "already-cancelled" });
  });
});

test("sales are counted by item and minute, and late ones told", async () => {
  const { app, client } = shop();
  const minute = Math.floor(app.now() / 60_000) * 60_000;
  const sale = (item: string, amount: number, at: number) => ({ item, amount, quantity: 1, at });
  await client.stream(Sales).send([sale("teapot", 1_900, minute), sale("teapot", -1_900, minute + 1)]);
  await client.stream(Sales).send([sale("mug", 790, minute + 70_000)]);
  const { late } = await client.stream(Sales).send([sale("teapot", 1, minute)]);
  expect(late).toEqual({ "sales-per-minute": 1 });
  const { rows } = await client.view(salesPerMinute).get("teapot");
  expect(rows).toMatchObject([{ sales: 1, revenue: 1_900, final: true }]);
});

test.each([11, 12, 13])("with the faults of seed %i no piece is sold twice, and no money is made", async (seed) => {
  const { app, client } = shop({ seed, faults: true });
  const customers = ["ann", "ben", "cat", "dan"];
  await Promise.all(customers.map((name) => client.account(name).deposit({ amount: 3_000 })));
  await client.stock("teapot").restock({ quantity: 6 });
  const buy = async (name: string): Promise<number> => {
    let bought = 0;
    for (let n = 0; n < 4; n++) {
      await client.cart(name).add({ item: "teapot", price: 1_000, quantity: 1 });
      const outcome = await client.cart(name).checkout.try();
      if (outcome.ok) bought += 1;
    }
    return bought;
  };
  const bought = (await Promise.all(customers.map(buy))).reduce((sum, one) => sum + one, 0);
  await app.drained();
  const orders = (await Promise.all(customers.map((name) => client.cart(name).orders()))).flat();
  const pieces = orders.flatMap(({ lines }) => lines).reduce((sum, { quantity }) => sum + quantity, 0);
  const balances = await Promise.all(customers.map(async (name) => (await client.account(name).balance()).balance));
  expect(orders).toHaveLength(bought);
  expect((await client.stock("teapot").level()).available).toBe(6 - pieces);
  expect(balances.reduce((sum, one) => sum + one, 0)).toBe(12_000 - 1_000 * pieces);
});
