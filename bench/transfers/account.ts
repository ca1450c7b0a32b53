/** Accounts of which one pays another, written as a user would write them. */
import * as z from "zod";
import { contract, fn, query, service } from "../../sdk/index.ts";

/** So much that no account runs dry: a transfer that is refused would depend on the order of the others. */
const START_BALANCE = 1_000_000_000;

const amount = z.int().positive();
const Account = contract("account", {
  transfer: fn({
    input: z.object({ to: z.string(), amount }),
    output: z.int(),
    refusals: { "insufficient-funds": z.object({ balance: z.int() }) },
  }),
  deposit: fn({ input: z.object({ amount }), output: z.int() }),
  statement: query({ output: z.object({ balance: z.int(), sent: z.int(), received: z.int() }) }),
});

export const account = service(
  Account,
  { state: () => ({ balance: START_BALANCE, sent: 0, received: 0 }) },
  {
    async transfer(ctx, { to, amount }) {
      const { balance } = ctx.state;
      if (balance < amount) throw ctx.refuse("insufficient-funds", { balance });
      ctx.state.balance -= amount;
      ctx.state.sent += 1;
      await ctx.call(Account, to).deposit({ amount });
      return ctx.state.balance;
    },
    deposit(ctx, { amount }) {
      ctx.state.received += 1;
      return (ctx.state.balance += amount);
    },
    statement: (ctx) => ctx.state,
  },
);
