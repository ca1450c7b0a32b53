import { service } from "tidegate";
import { Account } from "./contracts.ts";

export const account = service(
  Account,
  { state: () => ({ balance: 0 }) },
  {
    deposit: (ctx, { amount }) => (ctx.state.balance += amount),

    async transfer(ctx, { to, amount }) {
      const { balance } = ctx.state;
      if (balance < amount) throw ctx.refuse("insufficient-funds", { balance });
      ctx.state.balance -= amount;
      // Another key, perhaps on another machine: the same transaction.
      await ctx.call(Account, to).deposit({ amount });
      return ctx.state.balance;
    },

    balance: (ctx) => ctx.state.balance,
  },
);
