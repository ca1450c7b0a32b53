/** Queries that keep something for each key for ever: q17, q18, q19. */
import type { Batch } from "../events.ts";
import { all, group, type Result } from "./arrivals.ts";

const CHEAP = 10_000;
const DEAR = 1_000_000;
const MOST = 10;

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** What was bid on each auction each day. */
export function q17(batches: readonly Batch[]): Result {
  const rows = group(all(batches, "bid"), (bid) => [bid.auction, dayOf(bid.dateTime)]).map((bids) => {
    const prices = bids.map(({ price }) => price);
    const [first] = bids;
    const sum = prices.reduce((total, price) => total + price, 0);
    return {
      auction: first?.auction as number,
      day: dayOf(first?.dateTime as number),
      totalBids: bids.length,
      rank1Bids: prices.filter((price) => price < CHEAP).length,
      rank2Bids: prices.filter((price) => price >= CHEAP && price < DEAR).length,
      rank3Bids: prices.filter((price) => price >= DEAR).length,
      minPrice: Math.min(...prices),
      maxPrice: Math.max(...prices),
      avgPrice: sum / prices.length,
      sumPrice: sum,
    };
  });
  return { rows, late: 0 };
}

/** The last bid of each bidder on each auction; of bids at the same time, the one that came last. */
export function q18(batches: readonly Batch[]): Result {
  const rows = group(all(batches, "bid"), (bid) => [bid.bidder, bid.auction]).map((bids) =>
    bids.reduce((last, bid) => (bid.dateTime >= last.dateTime ? bid : last)),
  );
  return { rows: rows.map((bid) => ({ ...bid })), late: 0 };
}

/** The ten highest bids on each auction, with their ranks; of equals the earlier one is higher, then the one that came first. */
export function q19(batches: readonly Batch[]): Result {
  const rows = group(all(batches, "bid"), (bid) => bid.auction).flatMap((bids) =>
    bids
      .toSorted((a, b) => b.price - a.price || a.dateTime - b.dateTime)
      .slice(0, MOST)
      .map((bid, index) => ({ ...bid, rank: index + 1 })),
  );
  return { rows, late: 0 };
}
