/** Auctions: the leading bid is always covered by money that its bidder has set aside. */
import { service } from "tidegate";
import { Auction, Wallet } from "./contracts.ts";
import { Sold } from "./streams.ts";

interface State {
  seller: string | null;
  reserve: number;
  leader: string | null;
  price: number;
  bids: number;
  settled: boolean;
}

export const auction = service(
  Auction,
  { state: (): State => ({ seller: null, reserve: 0, leader: null, price: 0, bids: 0, settled: false }) },
  {
    open(ctx, { seller, reserve }) {
      if (ctx.state.seller !== null) throw ctx.refuse("opened-already", { seller: ctx.state.seller });
      ctx.state.seller = seller;
      ctx.state.reserve = reserve;
    },
    async bid(ctx, { bidder, amount }) {
      const { seller, reserve, leader, price, settled } = ctx.state;
      if (seller === null) throw ctx.refuse("not-open", {});
      if (settled) throw ctx.refuse("closed", { winner: leader });
      if (bidder === seller) throw ctx.refuse("own-auction", {});
      const least = leader === null ? reserve : price + 1;
      if (amount < least) throw ctx.refuse("too-low", { least });
      // Where the wallet refuses, this bid is refused with the same words, and nothing of it is done: all three keys are one transaction.
      await ctx.call(Wallet, bidder).hold({ amount });
      if (leader !== null) await ctx.call(Wallet, leader).release({ amount: price });
      ctx.state.leader = bidder;
      ctx.state.price = amount;
      ctx.state.bids += 1;
    },
    async settle(ctx, { at }) {
      const { seller, leader, price, settled } = ctx.state;
      if (settled || seller === null) return;
      ctx.state.settled = true;
      if (leader === null) return;
      await ctx.call(Wallet, leader).pay({ amount: price, to: seller });
      ctx.emit(Sold, { auction: ctx.key, seller, winner: leader, price, at });
    },
    look: (ctx) => {
      const { seller, leader, price, bids, settled } = ctx.state;
      return { seller, leader, price, bids, settled };
    },
  },
);
