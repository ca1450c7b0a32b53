/** q17, q18, q19: something for each key for ever, in views. */
import { avg, count, flow, max, min, sum, top } from "../../../sdk/index.ts";
import { counted } from "./bids.ts";
import { asItIs, type Query } from "./query.ts";
import { BID, bids, TIME } from "./streams.ts";

const CHEAP = 10_000;
const DEAR = 1_000_000;
const MOST = 10;
const BID_FIELDS = Object.keys(BID) as Array<keyof typeof BID>;
type Row = Readonly<Record<string, string | number>>;

export const q17: Query = {
  name: "q17",
  flow: flow("q17")
    .from(bids("q17", "auction", "price", "dateTime"), TIME)
    .map(({ auction, price, dateTime }) => ({
      auction,
      day: dateTime.format("yyyy-MM-dd"),
      price,
      rank1: counted(price.lt(CHEAP)),
      rank2: counted(price.ge(CHEAP).and(price.lt(DEAR))),
      rank3: counted(price.ge(DEAR)),
    }))
    .keyBy("auction", "day")
    .aggregate({
      totalBids: count(),
      rank1Bids: sum("rank1"),
      rank2Bids: sum("rank2"),
      rank3Bids: sum("rank3"),
      minPrice: min("price"),
      maxPrice: max("price"),
      avgPrice: avg("price"),
      sumPrice: sum("price"),
    })
    .toView("q17"),
  reads: ["bid"],
  shows: { view: "q17" },
  rowsOf: asItIs,
};

export const q18: Query = {
  name: "q18",
  flow: flow("q18")
    .from(bids("q18", ...BID_FIELDS), TIME)
    .keyBy("bidder", "auction")
    .deduplicate({ keep: "last" })
    .toView("q18", { key: ["bidder", "auction"] }),
  reads: ["bid"],
  shows: { view: "q18" },
  rowsOf: asItIs,
};

export const q19: Query = {
  name: "q19",
  flow: flow("q19")
    .from(bids("q19", ...BID_FIELDS), TIME)
    .keyBy("auction")
    .aggregate({ highest: top(MOST, { by: "price", of: BID_FIELDS }) })
    .toView("q19"),
  reads: ["bid"],
  shows: { view: "q19" },
  rowsOf: ({ auction, highest }) =>
    (highest as readonly Row[]).map((row, index) => ({ ...row, auction, rank: index + 1 }) as Row),
};
