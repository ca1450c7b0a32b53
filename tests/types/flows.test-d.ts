/** What the compiler must accept and refuse in streams and flows: each refused line names the error code that it must cause. */

import type { Kernels, WindowGroup as KernelGroup, WindowPlan as KernelPlan } from "../../core-wasm/types.ts";
import type { WindowGroup, WindowPlan } from "../../dataflow/index.ts";
import { createClient } from "../../sdk/client/index.ts";
import { count, float64, flow, int64, max, min, stream, sum, text, timestamp, tumbling } from "../../sdk/index.ts";

const Sales = stream("sales", { item: text(), amount: int64(), price: float64(), at: timestamp() });

const perMinute = flow("sales-per-minute")
  .from(Sales, { time: "at", outOfOrderness: "5s" })
  .filter((e) => e.amount.gt(0).and(e.item.ne("test")))
  .filter((e) => e.price.le(1e6))
  .keyBy("item")
  .window(tumbling("1m"))
  .aggregate({ orders: count(), revenue: sum("amount"), least: min("price"), latest: max("at") })
  .toView("sales-per-minute");

const client = createClient("http://localhost:8787", {});
await client.stream(Sales).send([{ item: "pen", amount: 2n ** 62n, price: 1.5, at: 0 }]);
const { rows } = await client.view(perMinute).get("pen");
for (const { key, window, orders, revenue, least, final } of rows) {
  key satisfies string;
  least satisfies number;
  final satisfies boolean;
  [window.start, window.end, orders, revenue] satisfies Array<number | bigint>;
}

// The dataflow restates the kernels' shapes, which it may not import; both directions must hold.
declare const plan: WindowPlan;
declare const group: WindowGroup;
plan satisfies KernelPlan satisfies WindowPlan;
group satisfies KernelGroup satisfies WindowGroup;
declare const kernels: Kernels;
declare const kernelPlan: KernelPlan;
declare const kernelGroup: KernelGroup;
kernels.openWindow(plan);
[kernelPlan] satisfies WindowPlan[];
[kernelGroup] satisfies WindowGroup[];

const from = flow("f").from(Sales, { time: "at" });
const windowed = from.keyBy("item").window(tumbling("1m"));

// @ts-expect-error TS2322: an unknown time field
flow("f").from(Sales, { time: "when" });
// @ts-expect-error TS2322: a time field that is no timestamp
flow("f").from(Sales, { time: "amount" });
// @ts-expect-error TS2322: a duration without its unit
flow("f").from(Sales, { time: "at", outOfOrderness: "5" });
// @ts-expect-error TS2339: an unknown field in a filter
from.filter((e) => e.colour.eq("red"));
// @ts-expect-error TS2345: text compared with a number
from.filter((e) => e.item.eq(1));
// @ts-expect-error TS2345: a whole number compared with text
from.filter((e) => e.amount.gt("1"));
// @ts-expect-error TS2345: a double compared with a bigint
from.filter((e) => e.price.gt(1n));
// @ts-expect-error TS2339: an order of text
from.filter((e) => e.item.lt("m"));
// @ts-expect-error TS2322: a filter that computes instead of describing
from.filter((e) => Boolean(e.amount));
// @ts-expect-error TS2345: an unknown key
from.keyBy("colour");
// @ts-expect-error TS2345: a double as key
from.keyBy("price");
// @ts-expect-error TS2339: a window before the key
from.window(tumbling("1m"));
// @ts-expect-error TS2345: a window without its unit
from.keyBy("item").window(tumbling("1"));
// @ts-expect-error TS2322: the sum of a text
windowed.aggregate({ total: sum("item") });
// @ts-expect-error TS2322: the sum of timestamps
windowed.aggregate({ total: sum("at") });
// @ts-expect-error TS2322: the least of a text
windowed.aggregate({ least: min("item") });
// @ts-expect-error TS2322: an unknown field in an aggregate
windowed.aggregate({ total: sum("colour") });
// @ts-expect-error TS2322: an output with the name of a member that every row has
windowed.aggregate({ window: count() });
// @ts-expect-error TS2353: an unknown field in an event
client.stream(Sales).send([{ item: "pen", amount: 1, price: 1.5, at: 0, colour: "red" }]);
// @ts-expect-error TS2322: a wrong field type in an event
client.stream(Sales).send([{ item: "pen", amount: "1", price: 1.5, at: 0 }]);
// @ts-expect-error TS2741: a missing field in an event
client.stream(Sales).send([{ item: "pen", amount: 1, price: 1.5 }]);
// @ts-expect-error TS2339: an output that the flow does not have
void rows[0]?.total;
