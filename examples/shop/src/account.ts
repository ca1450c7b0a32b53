/** The account service: a balance that never goes below zero. */
import { service } from "tidegate";
import { Account } from "./contracts.ts";

export const account = service(
  Account,
  { state: () => ({ balance: 0 }) },
  {
    deposit(ctx, { amount }) {
      ctx.state.balance += amount;
      return { balance: ctx.state.balance };
    },

    charge(ctx, { amount }) {
      const { balance } = ctx.state;
      if (balance < amount) throw ctx.refuse("insufficient-funds", { balance, price: amount });
      ctx.state.balance -= amount;
      return { balance: ctx.state.balance };
    },

    balance: (ctx) => ({ balance: ctx.state.balance }),
  },
);
