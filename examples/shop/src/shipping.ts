/** Shipping takes days, so it is a saga: the parcel waits for whoever collects it, and is unpacked again if nobody does. */
import { saga } from "tidegate";
import * as z from "zod";
import { Stock } from "./contracts.ts";

export const shipOrder = saga("ship-order", {
  input: z.object({
    customer: z.string(),
    item: z.string(),
    quantity: z.int(),
    total: z.int(),
    collectWithin: z.int(),
  }),
  steps: [
    {
      name: "pack",
      run: (ctx, { id, input }) => ({ parcel: `${input.quantity} × ${input.item} for ${id}`, packedAt: ctx.now() }),
      // What was reserved for it when the invoice was opened is for sale again.
      compensate: (ctx, { input }) => ctx.call(Stock, input.item).restock({ quantity: input.quantity }),
    },
    { name: "collected", promise: { id: ({ id }) => `collected-${id}`, deadline: ({ input }) => input.collectWithin } },
  ],
});
