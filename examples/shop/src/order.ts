/** The order service: a customer's orders by number; cancelling one calls back into the cart that once called here. */
import { collection, service } from "tidegate";
import { Account, Cart, Order, type PlacedOrder } from "./contracts.ts";

export const order = service(
  Order,
  {
    state: () => ({ placed: 0 }),
    collections: { orders: collection<Omit<PlacedOrder, "id">, number>() },
  },
  {
    create(ctx, { lines, total }) {
      const id = (ctx.state.placed += 1);
      ctx.collections.orders.set(id, { status: "placed", total, lines: [...lines], placedAt: ctx.now() });
      return { id };
    },

    async cancel(ctx, { id }) {
      const known = ctx.collections.orders.get(id);
      if (known === undefined) throw ctx.refuse("unknown-order");
      if (known.status === "cancelled") throw ctx.refuse("already-cancelled");
      ctx.collections.orders.set(id, { ...known, status: "cancelled" });
      await ctx.call(Account, ctx.key).deposit({ amount: known.total });
      return { refunded: known.total, linesBack: (await ctx.try(Cart, ctx.key).putBack({ lines: known.lines })).ok };
    },

    list: (ctx, options) =>
      ctx.collections.orders
        .range({ reverse: true, limit: options?.limit ?? 20 })
        .map(([id, placed]) => ({ id, ...placed })),
  },
);
