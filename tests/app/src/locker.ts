/** A locker: a key opens its own and no other; a look at its size is everybody's. */
import { contract, everyone, fn, query, service } from "../../../sdk/index.ts";
import * as z from "zod";
import { Account } from "./account.ts";

export const Locker = contract("locker", {
  put: fn({ input: z.object({ what: z.string() }), output: z.object({ things: z.array(z.string()) }) }),
  /** Calls a service that its caller may not call. */
  pay: fn({ input: z.object({ amount: z.number() }), output: z.number() }),
  /** Sends to it. */
  owe: fn({ input: z.object({ amount: z.number() }) }),
  things: query({ output: z.object({ things: z.array(z.string()) }) }),
  count: query({ output: z.number() }),
});

export const locker = service(
  Locker,
  {
    state: () => ({ things: [] as string[], locked: true }),
    allow: (caller, key) => caller.subject === key,
    functions: { count: { allow: everyone } },
  },
  {
    put(ctx, input) {
      Object.assign(ctx.state, { things: [...ctx.state.things, input.what] });
      // What the schema does not name does not leave.
      return { ...ctx.state, ...input };
    },
    pay: (ctx, { amount }) => ctx.call(Account, ctx.key).deposit({ amount }),
    owe: (ctx, { amount }) => ctx.send(Account, ctx.key).deposit({ amount }),
    things: (ctx) => ({ ...ctx.state, things: [...ctx.state.things] }),
    count: (ctx) => ctx.state.things.length,
  },
);
