/** Events become transactions: openings open auctions, bids bid, and the end of an auction in event time settles it. */
import { count, flow, max, sinks, sum, text, timestamp, tumbling } from "tidegate";
import { Auction } from "./contracts.ts";
import { Bids, Openings, Sold } from "./streams.ts";

const house = flow("auction-house");
const openings = house.from(Openings, { time: "at", outOfOrderness: "1s", idle: "5m" });
const bids = house.from(Bids, { time: "at", outOfOrderness: "1s", idle: "5m" });

/**
 * One event for each auction, when its time has come. No bid passes the filter, but time has come only as far as in both streams: an auction
 * does not end before the bids that are on their way.
 */
const endings = openings
  .map((e) => ({ auction: e.auction, ends: e.ends }))
  .union(bids.map((e) => ({ auction: e.auction, ends: e.at })).filter((e) => e.auction.eq("")))
  .keyBy("auction")
  .process({
    fields: { auction: text(), at: timestamp() },
    onEvent: (ctx, opening) => ctx.timer(Number(opening.ends)),
    onTimer: (ctx, at) => ctx.emit({ auction: String(ctx.key), at }),
  });

/**
 * In this order in each batch: what is opened can be bid for, and what has ended is settled behind the bids that came with it. Bids that are refused
 * are set aside, to be read at `/v1/flows/auction-house/dead-letters`; the others of their batch count.
 */
export const auctionHouse = sinks(
  openings.call(Auction, "open", {
    key: (e) => e.auction,
    input: (e) => ({ seller: e.seller, reserve: Number(e.reserve) }),
  }),
  bids.call(Auction, "bid", {
    key: (e) => e.auction,
    input: (e) => ({ bidder: e.bidder, amount: Number(e.amount), at: Number(e.at) }),
  }),
  endings.call(Auction, "settle", { key: (e) => e.auction, input: (e) => ({ at: Number(e.at) }) }),
  bids
    .keyBy("auction")
    .window(tumbling("1m"))
    .aggregate({ bids: count(), highest: max("amount") })
    .toView("bids-per-minute"),
);

/** Turnover of each seller, from what settling transactions emit. */
export const turnover = flow("turnover")
  .from(Sold, { time: "at" })
  .keyBy("seller")
  .aggregate({ sold: count(), revenue: sum("price"), dearest: max("price") })
  .toView("turnover");
