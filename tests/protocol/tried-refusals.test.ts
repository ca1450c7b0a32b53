/** What `ctx.try` makes of refusals: a value of those that the function declares, an error of what only passed through it. */
import { expect, test } from "vitest";
import { z } from "zod";
import { contract, fn, service } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

const Account = contract("account", {
  charge: fn({ refusals: { "too-little": z.object({ balance: z.number() }) } }),
});
const Cart = contract("cart", {
  // Of the same name, about something else.
  checkout: fn({ refusals: { "too-little": z.object({ price: z.number() }) } }),
  empty: fn({ refusals: { "too-little": z.object({ price: z.number() }) } }),
});
const Shop = contract("shop", { order: fn({ input: z.enum(["checkout", "empty"]), output: z.any() }) });

const services = [
  service(
    Account,
    {},
    {
      charge: (ctx) => {
        throw ctx.refuse("too-little", { balance: 7 });
      },
    },
  ),
  service(
    Cart,
    {},
    {
      checkout: async (ctx) => void (await ctx.call(Account, ctx.key).charge()),
      empty: (ctx) => {
        throw ctx.refuse("too-little", { price: 0 });
      },
    },
  ),
  service(
    Shop,
    {},
    {
      order: async (ctx, name) => {
        const tried = await ctx.try(Cart, ctx.key)[name]();
        if (tried.ok) return "done";
        if (tried.refusal === undefined) return [tried.error.type, tried.error.message];
        return tried.refusal.data.price;
      },
    },
  ),
];

async function order(name: string): Promise<unknown> {
  const { status, body } = await new LonePartition(services).call({
    service: "shop",
    key: "k",
    name: "order",
    input: name,
  });
  expect(status).toBe(200);
  return JSON.parse(body) as unknown;
}

test("one that the function declares is a value", async () => {
  expect(await order("empty")).toBe(0);
});

test("one of a function that it has called is an error, whatever its name", async () => {
  expect(await order("checkout")).toEqual(["internal-error", "what it called account refused: too-little"]);
});
