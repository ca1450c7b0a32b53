/** A large state that one transaction calls again and again on its root's partition: it is made to text once, with the transaction. */
import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { contract, fn, service } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

const LARGE = 60_000;
const Cart = contract("cart", {
  add: fn({ input: z.number() }),
  spoil: fn(),
  empty: fn(),
  size: fn({ output: z.number() }),
});
const Shop = contract("shop", { fill: fn({ input: z.number() }), mend: fn({ output: z.boolean() }) });
const cart = service(
  Cart,
  { state: () => ({ name: "x".repeat(LARGE), items: [] as number[] }) },
  {
    add: (ctx, n) => void ctx.state.items.push(n),
    spoil: (ctx) => void ctx.state.items.push(Number.NaN),
    empty: (ctx) => void (ctx.state.items = []),
    size: (ctx) => ctx.state.items.length,
  },
);
const shop = service(
  Shop,
  {},
  {
    fill: async (ctx, calls) => {
      for (let n = 0; n < calls; n++) await ctx.call(Cart, "c").add(n);
    },
    mend: async (ctx) => {
      await ctx.call(Cart, "c").spoil();
      const tried = await ctx.try(Cart, "other").add(1);
      await ctx.call(Cart, "c").empty();
      return tried.ok;
    },
  },
);

test("calls of its key cost no text each", async () => {
  const partition = new LonePartition([cart, shop]);
  const stringify = vi.spyOn(JSON, "stringify");
  onTestFinished(() => stringify.mockRestore());
  expect((await partition.call({ service: "shop", key: "s", name: "fill", input: 50 })).status).toBe(200);
  const large = stringify.mock.results.filter(({ value }) => typeof value === "string" && value.length >= LARGE);
  // The initial state, and what is stored.
  expect(large.length).toBeLessThanOrEqual(4);
  expect((await partition.call({ service: "cart", key: "c", name: "size" })).body).toBe("50");
});

test("one that has no text for a while is no tried call's fault", async () => {
  const partition = new LonePartition([cart, shop]);
  const mended = await partition.call({ service: "shop", key: "s", name: "mend" });
  expect([mended.status, mended.body]).toEqual([200, "true"]);
});
