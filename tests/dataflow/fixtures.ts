/** The stream and flow that the dataflow tests share. */

import { count, float64, flow, int64, max, min, stream, sum, text, timestamp, tumbling } from "../../sdk/index.ts";

export const Sales = stream("sales", { item: text(), amount: int64(), price: float64(), at: timestamp() });

export const perSecond = flow("sales-per-second")
  .from(Sales, { time: "at", outOfOrderness: 500 })
  .filter((e) => e.amount.gt(0).and(e.item.ne("test")))
  .keyBy("item")
  .window(tumbling("1s"))
  .aggregate({
    orders: count(),
    revenue: sum("amount"),
    dearest: max("price"),
    least: min("amount"),
    cheapest: min("price"),
  })
  .toView("per-second");
