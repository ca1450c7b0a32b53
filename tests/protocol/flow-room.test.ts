/** Memory of a partition's shares: what some leave, others may take; beyond all of it entries stand apart, and nothing is lost. */
import { expect, test } from "vitest";
import { count, flow, int64, sinks, stream, text, timestamp } from "../../sdk/index.ts";
import { useLimits } from "../support/limits.ts";
import { FlowBench } from "./support/flow-bench.ts";

const UNITS = 40_000;
useLimits({ operatorUnits: UNITS, undoUnits: 0 });

const Sales = stream("sales", { item: text(), shop: int64(), at: timestamp() });
const from = flow("all").from(Sales, { time: "at" });
const all = sinks(
  from.keyBy("item").shards(1).aggregate({ n: count() }).named("items").toView("items"),
  from.keyBy("shop").aggregate({ n: count() }).named("shops").toView("shops"),
);
const SHOPS = 64;
/** Of an entry, about. */
const COST = 130;

test("a large share has what small ones leave", async () => {
  const bench = new FlowBench(all);
  let items = 0;
  const sell = async (): Promise<void> => {
    const events = Array.from({ length: SHOPS }, (_, shop) => ({ item: `item ${items++}`, shop, at: items }));
    await bench.ingest("sales", events);
  };
  const seen = async (): Promise<number> => (await bench.view("all", "items")).length;
  // Much more than an equal part, and less than all.
  while (items * COST < UNITS / 3) await sell();
  const chunks = bench.keptBy("#shard");
  expect(chunks).toBeLessThan(items / 2);
  expect(await seen()).toBe(items);
  // More than all.
  while (items * COST < 2 * UNITS) await sell();
  expect(bench.keptBy("#shard")).toBeGreaterThan(items / 4);
  expect(await seen()).toBe(items);
  expect((await bench.view("all", "shops")).length).toBe(SHOPS);
});
