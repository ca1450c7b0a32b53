/** q0, q1, q2, q14, q21, q22: a bid in, a row or none out, to a stream that can be read. */
import { float64, flow, int, int64, str, stream, text, timestamp, when } from "../../../sdk/index.ts";
import type { Query } from "./query.ts";
import { asItIs } from "./query.ts";
import { BID, bids, TIME } from "./streams.ts";

const DOLLARS_TO_EUROS = 0.908;
const toStream = (name: Query["name"], flowOf: Query["flow"]): Query => ({
  name,
  flow: flowOf,
  reads: ["bid"],
  shows: { stream: `${name}-out` },
  rowsOf: asItIs,
});

export const q0 = toStream(
  "q0",
  flow("q0")
    .from(bids("q0", "auction", "bidder", "price", "channel", "url", "dateTime", "extra"), TIME)
    .toStream(stream("q0-out", BID)),
);

const Q1 = { auction: int64(), bidder: int64(), price: float64(), dateTime: timestamp(), extra: text() };
export const q1 = toStream(
  "q1",
  flow("q1")
    .from(bids("q1", "auction", "bidder", "price", "dateTime", "extra"), TIME)
    .map(({ auction, bidder, price, dateTime, extra }) => ({
      auction,
      bidder,
      price: price.toFloat().mul(DOLLARS_TO_EUROS),
      dateTime,
      extra,
    }))
    .toStream(stream("q1-out", Q1)),
);

export const q2 = toStream(
  "q2",
  flow("q2")
    .from(bids("q2", "auction", "price", "dateTime"), TIME)
    .filter(({ auction }) => auction.mod(123).eq(0))
    .map(({ auction, price }) => ({ auction, price }))
    .toStream(stream("q2-out", { auction: int64(), price: int64() })),
);

const Q14 = { ...Q1, bidTimeType: text(), cCounts: int64() };
export const q14 = toStream(
  "q14",
  flow("q14")
    .from(bids("q14", "auction", "bidder", "price", "dateTime", "extra"), TIME)
    .filter(({ price }) => {
      const euros = price.toFloat().mul(DOLLARS_TO_EUROS);
      return euros.gt(1_000_000).and(euros.lt(50_000_000));
    })
    .map(({ auction, bidder, price, dateTime, extra }) => {
      const hour = dateTime.hour();
      const night = when(hour.le(6).or(hour.ge(20)), str("nightTime"), "otherTime");
      return {
        auction,
        bidder,
        price: price.toFloat().mul(DOLLARS_TO_EUROS),
        dateTime,
        extra,
        bidTimeType: when(hour.between(8, 18), str("dayTime"), night),
        cCounts: extra.occurrences("c"),
      };
    })
    .toStream(stream("q14-out", Q14)),
);

const Q21 = { auction: int64(), bidder: int64(), price: int64(), channel: text(), channelId: text() };
export const q21 = toStream(
  "q21",
  flow("q21")
    .from(bids("q21", "auction", "bidder", "price", "channel", "url", "dateTime"), TIME)
    .map(({ auction, bidder, price, channel, url }) => {
      const known = channel.lower();
      const inUrl = url.match(/(?:&|^)channel_id=([^&]*)/, 1);
      const baidu = when(known.eq("baidu"), str("3"), inUrl);
      const facebook = when(known.eq("facebook"), str("2"), baidu);
      const google = when(known.eq("google"), str("1"), facebook);
      return { auction, bidder, price, channel, channelId: when(known.eq("apple"), str("0"), google) };
    })
    .filter(({ channelId }) => channelId.ne(""))
    .toStream(stream("q21-out", Q21)),
);

const Q22 = {
  auction: int64(),
  bidder: int64(),
  price: int64(),
  channel: text(),
  dir1: text(),
  dir2: text(),
  dir3: text(),
};
export const q22 = toStream(
  "q22",
  flow("q22")
    .from(bids("q22", "auction", "bidder", "price", "channel", "url", "dateTime"), TIME)
    .map(({ auction, bidder, price, channel, url }) => ({
      auction,
      bidder,
      price,
      channel,
      dir1: url.split("/", 3),
      dir2: url.split("/", 4),
      dir3: url.split("/", 5),
    }))
    .toStream(stream("q22-out", Q22)),
);

/** 1 where the condition holds, for sums that count. */
export const counted = (test: Parameters<typeof when>[0]) => when(test, int(1), 0);
