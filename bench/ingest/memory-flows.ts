/** Flows for the memory of a partition: what is made of a batch of bids, from nothing to all of it. */
import { count, flow, type FlowDefinition, int64, stream, sum, text, timestamp, tumbling } from "../../sdk/index.ts";

const bid = {
  auction: int64(),
  bidder: int64(),
  price: int64(),
  channel: text(),
  url: text(),
  dateTime: timestamp(),
  extra: text(),
};
const Bids = stream("bids", bid);
const Out = stream("out", bid, { retention: "1h" });
const bids = (name: string) => flow(name).from(Bids, { time: "dateTime", outOfOrderness: "30s" });

/** By what happens to the bids. */
const FLOWS = {
  /** Counted in windows by the kernel. */
  kernel: bids("kernel")
    .keyBy("auction")
    .window(tumbling("10s"))
    .aggregate({ n: count(), total: sum("price") })
    .toView("kernel"),
  /** Every field looked at, and nothing left. */
  none: bids("none")
    .filter((e) => e.url.contains("!").and(e.extra.contains("!")))
    .toStream(Out),
  /** Grouped by bidder, of which there are 20,000. */
  groups: bids("groups")
    .keyBy("bidder")
    .aggregate({ n: count(), total: sum("price") })
    .toView("groups"),
  /** All of them written to a stream. */
  kept: bids("kept").toStream(Out),
} satisfies Readonly<Record<string, FlowDefinition>>;

export type FlowKind = keyof typeof FLOWS;
export const FLOW_KINDS = Object.keys(FLOWS) as FlowKind[];
export const FLOW_WORDS: Readonly<Record<FlowKind, string>> = {
  kernel: "counted in windows by the kernel",
  none: "read and dropped",
  groups: "grouped by 20,000 keys",
  kept: "all written to a stream",
};
export const BID_COLUMNS = Bids.columns;

export function flowOf(kind: FlowKind): FlowDefinition {
  return FLOWS[kind];
}
