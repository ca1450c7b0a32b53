/** Queries that join: q3, q4, q9, q20. Nothing is ever late in them: whenever both sides have come, there is a pair. */
import type { Auction, Batch, Bid } from "../events.ts";
import { all, group, type Result } from "./arrivals.ts";

const SOME_STATES = ["OR", "ID", "CA"];
const SOME_CATEGORY = 10;

/** Who sells in some category in some states. */
export function q3(batches: readonly Batch[]): Result {
  const people = new Map(all(batches, "person").map((person) => [person.id, person]));
  const rows = all(batches, "auction").flatMap(({ id, seller, category }) => {
    const person = people.get(seller);
    if (category !== SOME_CATEGORY || person === undefined || !SOME_STATES.includes(person.state)) return [];
    return [{ name: person.name, city: person.city, state: person.state, auction: id }];
  });
  return { rows, late: 0 };
}

/** The bids on an auction while it ran, in the order in which they came. */
function bidsWhileOpen(batches: readonly Batch[]): Array<{ auction: Auction; bids: Bid[] }> {
  const bids = new Map(group(all(batches, "bid"), (bid) => bid.auction).map((some) => [some[0]?.auction, some]));
  return all(batches, "auction").map((auction) => ({
    auction,
    bids: (bids.get(auction.id) ?? []).filter(
      ({ dateTime }) => dateTime >= auction.dateTime && dateTime <= auction.expires,
    ),
  }));
}

/** The mean, over the auctions of a category that got bids, of the highest bid. */
export function q4(batches: readonly Batch[]): Result {
  const finals = bidsWhileOpen(batches)
    .filter(({ bids }) => bids.length > 0)
    .map(({ auction, bids }) => ({ category: auction.category, price: Math.max(...bids.map(({ price }) => price)) }));
  const rows = group(finals, ({ category }) => category).map((some) => ({
    category: some[0]?.category as number,
    avg: some.reduce((sum, { price }) => sum + price, 0) / some.length,
  }));
  return { rows, late: 0 };
}

/** The winning bid of each auction: the highest, of equals the first. */
export function q9(batches: readonly Batch[]): Result {
  const rows = bidsWhileOpen(batches).flatMap(({ auction, bids }) => {
    const [won] = bids.toSorted((a, b) => b.price - a.price || a.dateTime - b.dateTime);
    if (won === undefined) return [];
    const { bidder, price, dateTime } = won;
    return [{ auction: auction.id, seller: auction.seller, category: auction.category, bidder, price, dateTime }];
  });
  return { rows, late: 0 };
}

/** Each bid on an auction of some category, with the auction. */
export function q20(batches: readonly Batch[]): Result {
  const auctions = new Map(all(batches, "auction").map((auction) => [auction.id, auction]));
  const rows = all(batches, "bid").flatMap(({ auction: id, bidder, price, channel, url, dateTime, extra }) => {
    const auction = auctions.get(id);
    if (auction?.category !== SOME_CATEGORY) return [];
    const { itemName, description, initialBid, reserve, expires, seller, category } = auction;
    const sold = {
      itemName,
      description,
      initialBid,
      reserve,
      auctionTime: auction.dateTime,
      expires,
      seller,
      category,
    };
    return [{ auction: id, bidder, price, channel, url, bidTime: dateTime, bidExtra: extra, ...sold }];
  });
  return { rows, late: 0 };
}
