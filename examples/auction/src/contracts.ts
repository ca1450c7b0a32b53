/** What wallets and auctions offer. All money is whole cents. */
import { contract, fn, query } from "tidegate";
import * as z from "zod";

const Cents = z.number().int().positive();

export const Wallet = contract("wallet", {
  deposit: fn({ input: z.object({ amount: Cents }) }),
  /** Sets money aside for a bid. */
  hold: fn({
    input: z.object({ amount: Cents }),
    refusals: { "insufficient-funds": z.object({ free: z.number() }) },
  }),
  /** Frees what was set aside. */
  release: fn({ input: z.object({ amount: Cents }) }),
  /** Pays with what was set aside. */
  pay: fn({ input: z.object({ amount: Cents, to: z.string() }) }),
  earn: fn({ input: z.object({ amount: Cents }) }),
  balance: query({ output: z.object({ free: z.number(), held: z.number(), earned: z.number() }) }),
});

export const Auction = contract("auction", {
  open: fn({
    input: z.object({ seller: z.string(), reserve: Cents }),
    refusals: { "opened-already": z.object({ seller: z.string() }) },
  }),
  bid: fn({
    input: z.object({ bidder: z.string(), amount: Cents, at: z.number() }),
    refusals: {
      closed: z.object({ winner: z.string().nullable() }),
      "not-open": z.object({}),
      "too-low": z.object({ least: z.number() }),
      "own-auction": z.object({}),
    },
  }),
  settle: fn({ input: z.object({ at: z.number() }) }),
  look: query({
    output: z.object({
      seller: z.string().nullable(),
      leader: z.string().nullable(),
      price: z.number(),
      bids: z.number(),
      settled: z.boolean(),
    }),
  }),
});
