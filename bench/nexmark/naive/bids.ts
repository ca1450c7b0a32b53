/** Queries that look at one bid at a time: q0, q1, q2, q14, q21, q22. */
import type { Batch, Bid } from "../events.ts";
import { all, type Result } from "./arrivals.ts";

const DOLLARS_TO_EUROS = 0.908;
const CHANNEL_IDS: Readonly<Record<string, string>> = { apple: "0", google: "1", facebook: "2", baidu: "3" };

function each<Row extends Result["rows"][number]>(row: (bid: Bid) => Row | null) {
  return (batches: readonly Batch[]): Result => {
    const rows = all(batches, "bid")
      .map(row)
      .filter((made) => made !== null);
    return { rows, late: 0 };
  };
}

/** Every bid as it is. */
export const q0 = each(({ auction, bidder, price, channel, url, dateTime, extra }) => ({
  auction,
  bidder,
  price,
  channel,
  url,
  dateTime,
  extra,
}));

/** Prices in another currency. */
export const q1 = each(({ auction, bidder, price, dateTime, extra }) => ({
  auction,
  bidder,
  price: DOLLARS_TO_EUROS * price,
  dateTime,
  extra,
}));

/** Bids on some auctions. */
export const q2 = each(({ auction, price }) => (auction % 123 === 0 ? { auction, price } : null));

/** Dear bids, with the time of day and the letters c in what else they say. */
export const q14 = each(({ auction, bidder, price: dollars, dateTime, extra }) => {
  const price = DOLLARS_TO_EUROS * dollars;
  if (price <= 1_000_000 || price >= 50_000_000) return null;
  const hour = new Date(dateTime).getUTCHours();
  const bidTimeType = hour >= 8 && hour <= 18 ? "dayTime" : hour <= 6 || hour >= 20 ? "nightTime" : "otherTime";
  return { auction, bidder, price, bidTimeType, dateTime, extra, cCounts: extra.split("c").length - 1 };
});

/** The number of each bid's channel: a well-known one, or from its URL; bids with neither are left out. */
export const q21 = each(({ auction, bidder, price, channel, url }) => {
  const known = CHANNEL_IDS[channel.toLowerCase()];
  const channelId = known ?? /(&|^)channel_id=([^&]*)/.exec(url)?.[2];
  return channelId === undefined ? null : { auction, bidder, price, channel, channelId };
});

/** The first three directories of each bid's URL. */
export const q22 = each(({ auction, bidder, price, channel, url }) => {
  const [, , , dir1 = "", dir2 = "", dir3 = ""] = url.split("/");
  return { auction, bidder, price, channel, dir1, dir2, dir3 };
});
