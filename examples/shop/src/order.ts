/** The order service: one order under its id; cancelling it calls back into the cart that once called here. */
import { service } from "tidegate";
import { Account, Cart, Order, type PlacedOrder, Stock } from "./contracts.ts";

export const order = service(
  Order,
  { state: (): { placed: PlacedOrder | null } => ({ placed: null }) },
  {
    create(ctx, { customer, lines, total }) {
      if (ctx.state.placed !== null) throw ctx.refuse("already-placed");
      ctx.state.placed = {
        id: ctx.key,
        customer,
        status: "placed",
        total,
        lines: [...lines],
        placedAt: ctx.now(),
      };
    },

    async cancel(ctx) {
      const { placed } = ctx.state;
      if (placed === null) throw ctx.refuse("unknown-order");
      if (placed.status === "cancelled") throw ctx.refuse("already-cancelled");
      placed.status = "cancelled";
      const { customer, lines, total } = placed;
      await Promise.all(
        lines.map(async (line) => {
          const { revision } = await ctx.call(Stock, line.item).restock({ quantity: line.quantity });
          line.returned = revision;
        }),
      );
      await ctx.call(Account, customer).deposit({ amount: total });
      return { refunded: total, linesBack: (await ctx.try(Cart, customer).putBack({ lines })).ok };
    },

    read(ctx) {
      if (ctx.state.placed === null) throw ctx.refuse("unknown-order");
      return ctx.state.placed;
    },
  },
);
