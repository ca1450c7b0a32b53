/** q3, q4, q9, q20: joins without an end in time. */
import { avg, flow, int64, max, stream, text, timestamp, top } from "../../../sdk/index.ts";
import { asItIs, type Query } from "./query.ts";
import { auctions, BID, bids, people, TIME } from "./streams.ts";

const SOME_CATEGORY = 10;
type Row = Readonly<Record<string, string | number>>;

const f3 = flow("q3");
export const q3: Query = {
  name: "q3",
  flow: f3
    .from(auctions("q3", "id", "seller", "category", "dateTime"), TIME)
    .filter(({ category }) => category.eq(SOME_CATEGORY))
    .keyBy("seller")
    .join(
      f3
        .from(people("q3", "id", "name", "city", "state", "dateTime"), TIME)
        .filter(({ state }) => state.isIn("OR", "ID", "CA"))
        .keyBy("id"),
    )
    .all()
    .select((auction, { name, city, state }) => ({ name, city, state, auction: auction.id }))
    .toView("q3", { key: "auction" }),
  reads: ["person", "auction"],
  shows: { view: "q3" },
  rowsOf: asItIs,
};

/** Bids on an auction while it ran. */
function bidsWhileOpen(query: "q4" | "q9") {
  const start = flow(query);
  const open = start.from(auctions(query, "id", "dateTime", "expires", "seller", "category"), TIME).keyBy("id");
  return start
    .from(bids(query, "auction", "bidder", "price", "dateTime"), TIME)
    .keyBy("auction")
    .join(open)
    .all()
    .where((bid, auction) => bid.dateTime.between(auction.dateTime, auction.expires))
    .select(({ bidder, price, dateTime }, { id, seller, category }) => ({
      auction: id,
      seller,
      category,
      bidder,
      price,
      dateTime,
    }));
}

export const q4: Query = {
  name: "q4",
  flow: bidsWhileOpen("q4")
    .keyBy("auction", "category")
    .aggregate({ won: max("price") })
    .keyBy("category")
    .aggregate({ avg: avg("won") })
    .toView("q4"),
  reads: ["auction", "bid"],
  shows: { view: "q4" },
  rowsOf: ({ category, avg: mean }) => [{ category, avg: mean } as Row],
};

export const q9: Query = {
  name: "q9",
  flow: bidsWhileOpen("q9")
    .keyBy("auction")
    .aggregate({ won: top(1, { by: "price", of: ["seller", "category", "bidder", "price", "dateTime"] }) })
    .toView("q9"),
  reads: ["auction", "bid"],
  shows: { view: "q9" },
  rowsOf: ({ auction, won }) => (won as readonly Row[]).map((row) => ({ auction, ...row }) as Row),
};

const { dateTime: _time, extra: _extra, ...BID_PLACE } = BID;
const Q20 = stream("q20-out", {
  ...BID_PLACE,
  bidTime: timestamp(),
  bidExtra: text(),
  itemName: text(),
  description: text(),
  initialBid: int64(),
  reserve: int64(),
  auctionTime: timestamp(),
  expires: timestamp(),
  seller: int64(),
  category: int64(),
});

const f20 = flow("q20");
export const q20: Query = {
  name: "q20",
  flow: f20
    .from(bids("q20", "auction", "bidder", "price", "channel", "url", "dateTime", "extra"), TIME)
    .keyBy("auction")
    .join(
      f20
        .from(
          auctions(
            "q20",
            "id",
            "itemName",
            "description",
            "initialBid",
            "reserve",
            "dateTime",
            "expires",
            "seller",
            "category",
          ),
          TIME,
        )
        .filter(({ category }) => category.eq(SOME_CATEGORY))
        .keyBy("id"),
    )
    .all()
    .select((bid, sold) => ({
      auction: bid.auction,
      bidder: bid.bidder,
      price: bid.price,
      channel: bid.channel,
      url: bid.url,
      bidTime: bid.dateTime,
      bidExtra: bid.extra,
      itemName: sold.itemName,
      description: sold.description,
      initialBid: sold.initialBid,
      reserve: sold.reserve,
      auctionTime: sold.dateTime,
      expires: sold.expires,
      seller: sold.seller,
      category: sold.category,
    }))
    .toStream(Q20),
  reads: ["auction", "bid"],
  shows: { stream: "q20-out" },
  rowsOf: asItIs,
};
