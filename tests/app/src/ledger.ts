/** Ledgers: every entry counts, and each transaction writes two of them, so that nothing lost, doubled or torn stays hidden. */
import { collection, contract, fn, query, service } from "../../../sdk/index.ts";
import * as z from "zod";

const page = z.object({ from: z.number(), limit: z.number() });
const entries = z.array(z.tuple([z.number(), z.string()]));

export const Ledger = contract("ledger", {
  /** Writes an id here and in the mirror under the same key; returns the number of entries. */
  append: fn({
    input: z.object({ id: z.string() }),
    output: z.number(),
    refusals: { odd: z.object({ count: z.number() }) },
  }),
  /** As append, but refuses by its id: the answer is recorded, nothing is written. */
  refuseSome: fn({
    input: z.object({ id: z.string(), refuse: z.boolean() }),
    output: z.number(),
    refusals: { odd: z.object({ count: z.number() }) },
  }),
  entries: query({ input: page, output: entries }),
  both: query({ output: z.object({ ledger: z.number(), mirror: z.number() }) }),
});

export const Mirror = contract("mirror", {
  append: fn({ input: z.object({ id: z.string() }), output: z.number() }),
  entries: query({ input: page, output: entries }),
  count: query({ output: z.number() }),
});

const collections = { lines: collection<string, number>() };

export const ledger = service(
  Ledger,
  { state: () => ({ count: 0 }), collections },
  {
    async append(ctx, { id }) {
      ctx.collections.lines.set(++ctx.state.count, id);
      await ctx.call(Mirror, ctx.key).append({ id });
      return ctx.state.count;
    },
    async refuseSome(ctx, { id, refuse }) {
      const count = await ctx.call(Ledger, ctx.key).append({ id });
      if (refuse) throw ctx.refuse("odd", { count });
      return count;
    },
    entries: (ctx, { from, limit }) => ctx.collections.lines.range({ from, limit }),
    both: async (ctx) => ({ ledger: ctx.state.count, mirror: await ctx.call(Mirror, ctx.key).count() }),
  },
);

export const mirror = service(
  Mirror,
  { state: () => ({ count: 0 }), collections },
  {
    append(ctx, { id }) {
      ctx.collections.lines.set(++ctx.state.count, id);
      return ctx.state.count;
    },
    entries: (ctx, { from, limit }) => ctx.collections.lines.range({ from, limit }),
    count: (ctx) => ctx.state.count,
  },
);
