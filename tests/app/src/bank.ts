/** A bank: every account begins with the same money, so the sum over all of them never changes. */
import { contract, fn, noData, query, service } from "../../../sdk/index.ts";
import * as z from "zod";
import { dawdle } from "./pause.ts";

/** What every account begins with. */
export const OPENING_BALANCE = 100;

const amount = z.number().positive();

export const Bank = contract("bank", {
  transfer: fn({ input: z.object({ to: z.string(), amount }), refusals: { overdrawn: noData } }),
  deposit: fn({ input: z.object({ amount }) }),
  balance: query({ output: z.number() }),
  /** Reads these accounts in one transaction. */
  balances: query({ input: z.object({ accounts: z.array(z.string()) }), output: z.array(z.number()) }),
});

export const bank = service(
  Bank,
  { state: () => ({ balance: OPENING_BALANCE }) },
  {
    async transfer(ctx, { to, amount: moved }) {
      if (ctx.state.balance < moved) throw ctx.refuse("overdrawn");
      const left = ctx.state.balance - moved;
      await dawdle(ctx);
      ctx.state.balance = left;
      await ctx.call(Bank, to).deposit({ amount: moved });
    },
    deposit(ctx, { amount: moved }) {
      ctx.state.balance += moved;
    },
    balance: (ctx) => ctx.state.balance,
    balances: (ctx, { accounts }) =>
      Promise.all(
        accounts.map(async (account) => {
          await dawdle(ctx);
          return ctx.call(Bank, account).balance();
        }),
      ),
  },
);
