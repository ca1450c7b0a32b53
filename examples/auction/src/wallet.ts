/** Wallets: money that is free, and money that is set aside for leading bids. */
import { service } from "tidegate";
import { Wallet } from "./contracts.ts";

export const wallet = service(
  Wallet,
  { state: () => ({ free: 0, held: 0, earned: 0 }) },
  {
    deposit(ctx, { amount }) {
      ctx.state.free += amount;
    },
    hold(ctx, { amount }) {
      if (ctx.state.free < amount) throw ctx.refuse("insufficient-funds", { free: ctx.state.free });
      ctx.state.free -= amount;
      ctx.state.held += amount;
    },
    release(ctx, { amount }) {
      ctx.state.held -= amount;
      ctx.state.free += amount;
    },
    async pay(ctx, { amount, to }) {
      ctx.state.held -= amount;
      await ctx.call(Wallet, to).earn({ amount });
    },
    earn(ctx, { amount }) {
      ctx.state.free += amount;
      ctx.state.earned += amount;
    },
    balance: (ctx) => ctx.state,
  },
);
