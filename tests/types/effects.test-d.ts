/** What the compiler must accept and refuse in effects, outcomes, promises and sagas: each refused line names the error code that it must cause. */

import { contract, effect, fn, outcome, query, reply, saga, service, webhook } from "../../sdk/index.ts";
import { z } from "./contracts.ts";

const Order = contract("order", {
  pay: fn({ input: z.object({ cents: z.number() }) }),
  charged: fn({ input: outcome(z.object({ receipt: z.string() })) }),
  counted: fn({ input: outcome(z.number()) }),
  nudged: fn({ input: outcome() }),
  other: fn({ input: z.object({ id: z.string() }) }),
  read: query({ output: z.string() }),
});

const charge = effect("charge", {
  input: z.object({ cents: z.number(), note: z.string().default("") }),
  output: z.object({ receipt: z.string() }),
  handler: async (ctx, { cents, note }) => {
    ctx.idempotencyKey satisfies string;
    if (cents < 0) throw ctx.fail("no");
    return { receipt: note + cents.toFixed(2) };
  },
});
const nudge = effect("nudge", { handler: () => undefined });
const hook = webhook("hook", { input: z.object({ url: z.string() }), url: ({ url }) => url, secret: "SECRET" });

// @ts-expect-error TS2322: a result that does not fit the output
effect("bad", { output: z.object({ n: z.number() }), handler: () => ({ n: "1" }) });
// @ts-expect-error TS2339: an input member that there is not
effect("bad", { input: z.object({ a: z.number() }), handler: (_, input) => void input.b });

const ship = saga("ship", {
  input: z.object({ item: z.string() }),
  steps: [
    { name: "take", run: (ctx, { input }) => ctx.call(Order, input.item).pay({ cents: 1 }) },
    { name: "charge", effect: charge, with: ({ input }) => ({ cents: input.item.length }) },
    { name: "rest", delay: "1h" },
    { name: "wait", promise: { deadline: "2d" } },
    // @ts-expect-error TS2339: an input member that there is not
    { name: "wrong", run: (_, { input }) => input.price },
    // @ts-expect-error TS2551: a step has no state of its own
    { name: "state", run: (ctx) => ctx.state },
  ],
});

export const order = service(
  Order,
  {},
  {
    async pay(ctx, { cents }) {
      ctx.effect(charge, { cents }, reply(Order, ctx.key, "charged"));
      ctx.effect(charge, { cents, note: "x" });
      ctx.effect(nudge);
      ctx.effect(nudge, undefined, reply(Order, ctx.key, "nudged", "about"));
      ctx.effect(hook, { url: "https://example.com" });
      // @ts-expect-error TS2322: a wrong input member
      ctx.effect(charge, { cents: "1" });
      // @ts-expect-error TS2554: a missing input
      ctx.effect(charge);
      // @ts-expect-error TS2379: a function that takes another result
      ctx.effect(charge, { cents }, reply(Order, ctx.key, "counted"));
      // @ts-expect-error TS2379: a function that takes no outcome
      ctx.effect(charge, { cents }, reply(Order, ctx.key, "other"));
      // @ts-expect-error TS2345: a query cannot be told anything
      ctx.effect(charge, { cents }, reply(Order, ctx.key, "read"));
      const id: string = await ctx.promise(reply(Order, ctx.key, "charged"), { deadline: "1d" });
      await ctx.promise(reply(Order, ctx.key, "nudged"));
      // @ts-expect-error TS2379: a function that takes no outcome
      await ctx.promise(reply(Order, ctx.key, "other"));
      ctx.start(ship, id, { item: "pen" });
      // @ts-expect-error TS2353: an input member that there is not
      ctx.start(ship, id, { thing: "pen" });
    },
    charged(_, charged) {
      if (charged.ok) charged.value.receipt satisfies string;
      else charged.error.type satisfies string;
      // @ts-expect-error TS2339: a result is there in success only
      return void charged.value;
    },
    counted: (_, counted) => void (counted.ok && counted.value.toFixed()),
    nudged: (_, { ok }) => void ok,
    other: () => undefined,
    read: () => "",
  },
);
