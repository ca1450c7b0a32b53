/** What comes in and what goes out. */
import { int64, stream, text, timestamp } from "tidegate";

/** An auction that is to be held; it ends when event time has come to `ends`. */
export const Openings = stream("openings", {
  auction: text(),
  seller: text(),
  reserve: int64(),
  ends: timestamp(),
  at: timestamp(),
});

export const Bids = stream("bids", { auction: text(), bidder: text(), amount: int64(), at: timestamp() });

/** What was sold: emitted by the transaction that settles, and readable at `/v1/streams/sold`. */
export const Sold = stream(
  "sold",
  { auction: text(), seller: text(), winner: text(), price: int64(), at: timestamp() },
  { retention: "24h" },
);
