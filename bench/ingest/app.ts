/** Three queries in the manner of Nexmark, each with a durable, readable view of tumbling windows. */
import {
  contract,
  count,
  flow,
  int64,
  query,
  service,
  stream,
  sum,
  text,
  tidegate,
  timestamp,
  tumbling,
} from "../../index.ts";
import { z } from "zod/mini";

const bid = {
  auction: int64(),
  bidder: int64(),
  price: int64(),
  channel: text(),
  url: text(),
  dateTime: timestamp(),
  extra: text(),
};
const narrow = { auction: int64(), price: int64(), dateTime: timestamp() };

/** q0: every bid, all of its fields extracted. */
const Q0 = stream("q0-bids", bid);
const q0 = flow("q0").from(Q0, { time: "dateTime", outOfOrderness: "30s" }).keyBy("auction").window(tumbling("10s"));

/** q2: few bids pass. */
const Q2 = stream("q2-bids", narrow);
const q2 = flow("q2")
  .from(Q2, { time: "dateTime", outOfOrderness: "30s" })
  .filter((e) => e.price.gt(500_000))
  .keyBy("auction")
  .window(tumbling("10s"));

/** q12: bids by bidder. */
const Q12 = stream("q12-bids", { bidder: int64(), dateTime: timestamp() });
const q12 = flow("q12").from(Q12, { time: "dateTime", outOfOrderness: "30s" }).keyBy("bidder").window(tumbling("10s"));

const Probe = contract("probe", { ping: query({ output: z.string() }) });
const app = tidegate({
  services: [service(Probe, {}, { ping: () => "pong" })],
  flows: [
    q0.aggregate({ bids: count(), total: sum("price") }).toView("q0"),
    q2.aggregate({ bids: count(), total: sum("price") }).toView("q2"),
    q12.aggregate({ bids: count() }).toView("q12"),
  ],
  partitions: 4,
});
export class Partition extends app.Partition {}
export class Coordinator extends app.Coordinator {}
export default app.handler;
