/** Accounts: the plain case, with a refusal and a call to another service under the same key. */
import { contract, fn, query, service } from "../../../sdk/index.ts";
import * as z from "zod";

export const Account = contract("account", {
  deposit: fn({ input: z.object({ amount: z.number().positive() }), output: z.number() }),
  withdraw: fn({
    input: z.object({ amount: z.number().positive() }),
    output: z.number(),
    refusals: { "insufficient-funds": z.object({ balance: z.number() }) },
  }),
  transfer: fn({ input: z.object({ to: z.string(), amount: z.number().positive() }) }),
  balance: query({ output: z.number() }),
});

export const account = service(
  Account,
  { state: () => ({ balance: 0 }) },
  {
    deposit: (ctx, { amount }) => (ctx.state.balance += amount),
    withdraw(ctx, { amount }) {
      const { balance } = ctx.state;
      if (balance < amount) throw ctx.refuse("insufficient-funds", { balance });
      return (ctx.state.balance -= amount);
    },
    async transfer(ctx, { to, amount }) {
      await ctx.call(Account, ctx.key).withdraw({ amount });
      await ctx.call(Account, to).deposit({ amount });
    },
    balance: (ctx) => ctx.state.balance,
  },
);
