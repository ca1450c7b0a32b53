/** Results that take the place of others: what views show of them by keys that are not their own, and what aggregates behind them count. */
import { expect, test } from "vitest";
import {
  collect,
  contract,
  count,
  float64,
  flow,
  int64,
  last,
  query,
  service,
  sinks,
  stream,
  sum,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";
import { anything } from "../../sim/clients/schema.ts";
import { FlowBench } from "./support/flow-bench.ts";
import { In } from "./support/flow-tables.ts";

const on = (k: string, v: number, at = 1) => ({ k, v, at });
/** A number that no double holds. */
const raw = (digits: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits);

const seats = () =>
  flow("f")
    .from(In, { time: "at" })
    .keyBy("k")
    .aggregate({ seat: last("v") })
    .map((e) => ({ seat: e.seat, who: e.k }))
    .toView("seats", { key: "seat" });

test.each([
  ["in one batch", [[on("a", 2, 2), on("b", 1, 2)]]],
  ["in one batch, the other way", [[on("b", 1, 2), on("a", 2, 2)]]],
  ["in two", [[on("a", 2, 2)], [on("b", 1, 2)]]],
])("two that change places are both shown: %s", async (_, batches) => {
  const bench = new FlowBench(seats());
  await bench.ingest("in", [on("a", 1), on("b", 2), on("c", 3)]);
  for (const batch of batches) {
    await bench.undone(() => bench.ingest("in", batch));
    await bench.ingest("in", batch);
  }
  expect(await bench.view("f", "seats")).toEqual([
    { seat: 1, who: "b" },
    { seat: 2, who: "a" },
    { seat: 3, who: "c" },
  ]);
  await bench.ingest("in", [on("c", 4, 3)]);
  expect(await bench.view("f", "seats")).toHaveLength(3);
});

test("a view by the key of results shows the newest, whatever a service answers that is asked about them", async () => {
  let level = "gold";
  const Levels = contract("levels", { level: query({ output: anything<string>() }) });
  const levels = service(Levels, { state: () => null }, { level: () => level });
  const looked = flow("f")
    .from(In, { time: "at" })
    .keyBy("k")
    .aggregate({ n: count() })
    .lookup(Levels, "level", {
      key: (e) => e.k,
      fields: { k: text(), level: text(), n: int64() },
      select: ({ k, n }, found) => ({ k, level: found, n }),
    });
  const bench = FlowBench.asking(levels, looked.toView("levels", { key: "k" }));
  await bench.ingest("in", [on("a", 1)]);
  level = "silver";
  await bench.ingest("in", [on("a", 1)]);
  expect(await bench.view("f", "levels")).toEqual([{ k: "a", level: "silver", n: 2 }]);
});

const doubles = stream("in", { k: text(), v: float64(), at: timestamp() });
const second = (options: { readonly ttl?: "1s" } = {}) => {
  const first = flow("f")
    .from(doubles, { time: "at" })
    .keyBy("k")
    .aggregate({ n: count(), v: sum("v") }, options);
  const behind = first.keyBy("n").aggregate({ keys: count(), total: sum("v") }, options);
  return sinks(first.toView("first"), behind.toView("second"));
};

test.each([false, true])("a group that lost all that it had begins anew (memory lost: %s)", async (lost) => {
  const bench = new FlowBench(second());
  await bench.ingest("in", [on("a", 0.1), on("b", 0.2)]);
  await bench.ingest("in", [on("b", 0.1), on("a", 0.1)]);
  if (lost) bench.restart();
  await bench.ingest("in", [on("c", 0.3)]);
  expect(await bench.view("f", "second")).toMatchObject([
    { n: 1, keys: 1, total: 0.3 },
    { n: 2, keys: 2 },
  ]);
});

test.each([false, true])("keys that are forgotten are forgotten behind it, too (memory lost: %s)", async (lost) => {
  const bench = new FlowBench(second({ ttl: "1s" }));
  await bench.ingest("in", [on("a", 1), on("b", 1)]);
  await bench.ingest("in", [on("c", 1, 5_000), on("c", 1, 5_000)]);
  expect(await bench.view("f", "second")).toEqual([{ n: 2, keys: 1, total: 2 }]);
  if (lost) bench.restart();
  await bench.ingest("in", [on("a", 1, 5_001)]);
  expect(await bench.view("f", "first")).toEqual([
    { k: "a", n: 1, v: 1 },
    { k: "c", n: 2, v: 2 },
  ]);
  // Not 0, and not 2: what was given of the first `a` is taken back by nobody.
  expect(await bench.view("f", "second")).toEqual([
    { n: 1, keys: 1, total: 1 },
    { n: 2, keys: 1, total: 2 },
  ]);
});

test("a field that is a list in some of the events only is text in all of them", async () => {
  const all = flow("f").from(In, { time: "at" });
  const lists = all
    .keyBy("k")
    .window(tumbling(10))
    .aggregate({ list: collect({ of: ["v"] }) })
    .map((e) => ({ k: e.k, list: e.list }));
  const plain = all.map((e) => ({ k: e.k, list: e.k }));
  for (const both of [lists.union(plain), plain.union(lists)]) {
    const bench = new FlowBench(both.toView("both", { key: ["k", "list"] }));
    await bench.ingest("in", [on("a", 1), on("b", 2, 11)]);
    expect(await bench.view("f", "both")).toEqual([
      { k: "a", list: '[{"v":1}]' },
      { k: "a", list: "a" },
      { k: "b", list: "b" },
    ]);
  }
  const lone = new FlowBench(lists.union(lists.filter((e) => e.k.eq("b"))).toView("both", { key: "k" }));
  await lone.ingest("in", [on("a", 1), on("b", 2, 11)]);
  expect(await lone.view("f", "both")).toEqual([{ k: "a", list: [{ v: 1 }] }]);
});

test("rows are ranked by whole numbers that are exact", async () => {
  const bench = new FlowBench(
    flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .aggregate({ most: sum("v") })
      .toView("v"),
  );
  const events = ["9007199254740993", "9007199254740992", "9007199254740994", "5"];
  await bench.ingest(
    "in",
    events.map((v, at) => ({ k: `k${at}`, v: raw(v), at })),
  );
  const rows = (await bench.view("f", "v", { top: "most" })) as Array<{ k: string }>;
  expect(rows.map(({ k }) => k)).toEqual(["k2", "k0", "k1", "k3"]);
});
