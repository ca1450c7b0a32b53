/** The stock service: pieces of an article that many customers compete for. */
import { service } from "tidegate";
import { Stock } from "./contracts.ts";

export const stock = service(
  Stock,
  { state: () => ({ available: 0, revision: 0 }) },
  {
    restock(ctx, { quantity }) {
      ctx.state.available += quantity;
      ctx.state.revision += 1;
      return ctx.state;
    },

    reserve(ctx, { quantity }) {
      const { available } = ctx.state;
      if (available < quantity) throw ctx.refuse("out-of-stock", { item: ctx.key, left: available });
      ctx.state.available -= quantity;
      ctx.state.revision += 1;
      return ctx.state;
    },

    level: (ctx) => ctx.state,
  },
);
