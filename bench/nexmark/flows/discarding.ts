/**
 * The queries that give a row for a bid once more, with an end that discards: every row is made, none passes the last filter. What is
 * durable then is how far the stream has been read.
 */
import { float64, flow, int64, str, stream, text, when } from "../../../sdk/index.ts";
import type { QueryName } from "../naive/queries.ts";
import type { Query } from "./query.ts";
import { bids, TIME } from "./streams.ts";

export interface Discarding {
  /** Its stream is `{name}-bid`. */
  readonly name: string;
  readonly query: QueryName;
  readonly flow: Query["flow"];
}

const NONE = { price: int64() };
const NONE_FLOAT = { price: float64() };

const q0 = flow("q0-none")
  .from(bids("q0-none", "auction", "bidder", "price", "channel", "url", "dateTime", "extra"), TIME)
  .filter(({ price }) => price.lt(0))
  .map(({ price }) => ({ price }))
  .toStream(stream("q0-none-out", NONE));

const q1 = flow("q1-none")
  .from(bids("q1-none", "auction", "bidder", "price", "dateTime", "extra"), TIME)
  .map(({ auction, bidder, price, dateTime, extra }) => ({
    auction,
    bidder,
    price: price.toFloat().mul(0.908),
    dateTime,
    extra,
  }))
  .filter(({ price }) => price.lt(0))
  .map(({ price }) => ({ price }))
  .toStream(stream("q1-none-out", NONE_FLOAT));

const q2 = flow("q2-none")
  .from(bids("q2-none", "auction", "price", "dateTime"), TIME)
  .filter(({ auction }) => auction.mod(123).eq(0))
  .map(({ auction, price }) => ({ auction, price }))
  .filter(({ price }) => price.lt(0))
  .map(({ price }) => ({ price }))
  .toStream(stream("q2-none-out", NONE));

const q14 = flow("q14-none")
  .from(bids("q14-none", "auction", "bidder", "price", "dateTime", "extra"), TIME)
  .filter(({ price }) => {
    const euros = price.toFloat().mul(0.908);
    return euros.gt(1_000_000).and(euros.lt(50_000_000));
  })
  .map(({ price, dateTime, extra }) => {
    const hour = dateTime.hour();
    const night = when(hour.le(6).or(hour.ge(20)), str("nightTime"), "otherTime");
    return {
      price: price.toFloat().mul(0.908),
      bidTimeType: when(hour.between(8, 18), str("dayTime"), night),
      cCounts: extra.occurrences("c"),
    };
  })
  .filter(({ price, cCounts, bidTimeType }) => price.lt(0).and(cCounts.lt(0)).and(bidTimeType.eq("")))
  .map(({ price }) => ({ price }))
  .toStream(stream("q14-none-out", NONE_FLOAT));

const q21 = flow("q21-none")
  .from(bids("q21-none", "auction", "bidder", "price", "channel", "url", "dateTime"), TIME)
  .map(({ channel, url }) => {
    const known = channel.lower();
    const inUrl = url.match(/(?:&|^)channel_id=([^&]*)/, 1);
    const baidu = when(known.eq("baidu"), str("3"), inUrl);
    const facebook = when(known.eq("facebook"), str("2"), baidu);
    const google = when(known.eq("google"), str("1"), facebook);
    return { channelId: when(known.eq("apple"), str("0"), google) };
  })
  .filter(({ channelId }) => channelId.eq("none"))
  .toStream(stream("q21-none-out", { channelId: text() }));

const q22 = flow("q22-none")
  .from(bids("q22-none", "auction", "bidder", "price", "channel", "url", "dateTime"), TIME)
  .map(({ url }) => ({ dir1: url.split("/", 3), dir2: url.split("/", 4), dir3: url.split("/", 5) }))
  .filter(({ dir1, dir2, dir3 }) => dir1.eq("").and(dir2.eq("")).and(dir3.eq("")))
  .toStream(stream("q22-none-out", { dir1: text(), dir2: text(), dir3: text() }));

export const DISCARDING: readonly Discarding[] = [
  { name: "q0-none", query: "q0", flow: q0 },
  { name: "q1-none", query: "q1", flow: q1 },
  { name: "q2-none", query: "q2", flow: q2 },
  { name: "q14-none", query: "q14", flow: q14 },
  { name: "q21-none", query: "q21", flow: q21 },
  { name: "q22-none", query: "q22", flow: q22 },
];
