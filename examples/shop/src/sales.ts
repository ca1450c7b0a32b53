/** The stream of sales, and the flow that sums it up per item and minute. */
import { count, flow, int64, max, min, stream, sum, text, timestamp, tumbling } from "tidegate";

/** One sale; `amount` is cents, negative for a refund. */
export const Sales = stream("sales", { item: text(), amount: int64(), quantity: int64(), at: timestamp() });

/** Tills send within seconds; what comes later than its window's end plus five seconds is counted as late and left out. */
export const salesPerMinute = flow("sales-per-minute")
  .from(Sales, { time: "at", outOfOrderness: "5s" })
  .filter((sale) => sale.amount.gt(0))
  .keyBy("item")
  .window(tumbling("1m"))
  .aggregate({
    sales: count(),
    revenue: sum("amount"),
    pieces: sum("quantity"),
    least: min("amount"),
    most: max("amount"),
  })
  .toView("sales-per-minute");
