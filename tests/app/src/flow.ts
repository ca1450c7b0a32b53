/** One flow on one stream. */
import { count, flow, int64, max, min, stream, sum, text, timestamp, tumbling } from "../../../sdk/index.ts";

export const Sales = stream("sales", { item: text(), amount: int64(), at: timestamp() });

export const salesPerSecond = flow("sales-per-second")
  .from(Sales, { time: "at", outOfOrderness: "2s" })
  .filter((e) => e.amount.gt(0n))
  .keyBy("item")
  .window(tumbling("1s"))
  .aggregate({ sales: count(), revenue: sum("amount"), least: min("amount"), most: max("amount") })
  .toView("sales-per-second");
