/**
 * What shares of operators are called where they are stored. A change of any of these texts makes each deployed flow of the kind stop with
 * `flow-changed`, though its code is the same: then the earlier ids have to be kept as well, and flows to go on from them.
 */
import { expect, test } from "vitest";
import { planFlow } from "../../dataflow/plan.ts";
import { programOf } from "../../dataflow/program.ts";
import { keptPlanOf } from "../../protocol/flows/kept-plan.ts";
import {
  avg,
  boolean,
  collect,
  contract,
  count,
  distinct,
  first,
  float64,
  flow,
  type FlowDefinition,
  fn,
  int64,
  last,
  max,
  min,
  optional,
  processing,
  query,
  reduce,
  session,
  sinks,
  sliding,
  stream,
  sum,
  text,
  timestamp,
  top,
  tumbling,
} from "../../sdk/index.ts";
import * as z from "zod";

const A = stream("a", { k: text(), v: int64(), d: float64(), b: boolean(), o: optional(int64()), at: timestamp() });
const B = stream("b", { k: text(), w: int64(), at: timestamp() });
const Out = stream("out", { k: text(), n: int64() });
const Names = contract("names", {
  name: query({ output: z.string() }),
  note: fn({ input: z.any() }),
});

/** Operators are numbered in their flow: each begins its own. */
function sources() {
  const f = flow("f");
  return {
    a: f.from(A, { time: "at", outOfOrderness: "1s" }),
    b: f.from(B, { time: "at", idle: "1m" }),
  };
}
type Sources = ReturnType<typeof sources>;
const fields = { k: text(), n: int64() };
const counted = ({ a }: Sources) => a.keyBy("k").aggregate({ n: count(), v: sum("v") });
const windows = ({ a }: Sources) => a.keyBy("k").window(tumbling("1s"));
const looked = (from: Sources) =>
  counted(from).lookup(Names, "name", { key: (e) => e.k, fields, select: ({ k }) => ({ k, n: 1n }) });
const joined = ({ a, b }: Sources) => a.keyBy("k").join(b.keyBy("k"));
const paired = (rule: ReturnType<ReturnType<typeof joined>["table"]>): FlowDefinition =>
  rule.select((left, right) => ({ k: left.k, w: right.w })).toView("v", { key: "k" });
const both = (all: ReturnType<typeof counted>) => all.filter((e) => e.n.gt(1)).union(all.filterRows(() => true));

test.each<readonly [string, (from: Sources) => FlowDefinition, string]>([
  ["a running aggregate", (from) => counted(from).toView("v"), "aggregate-1@5620b68e33a1/16"],
  ["one of no keys", (from) => from.a.keyBy().aggregate({ n: count() }).toView("v"), "aggregate-1@10115c245493/1"],
  [
    "one that forgets",
    (from) => from.a.keyBy("k").aggregate({ n: count() }, { ttl: "1m" }).toView("v"),
    "aggregate-1@f3246b4d3d56/16",
  ],
  [
    "one of several keys, on more shares",
    (from) => from.a.keyBy("k", "b").shards(64).aggregate({ n: count() }).toView("v"),
    "aggregate-1@94a96e070168/64",
  ],
  [
    "one with a name",
    (from) => from.a.keyBy("k").aggregate({ n: count() }).named("totals").toView("v"),
    "totals@f4113a6a392a/16",
  ],
  [
    "every kind of output",
    (from) =>
      windows(from)
        .aggregate({
          n: count(),
          s: sum("v"),
          lo: min("d"),
          hi: max("o"),
          mean: avg("v"),
          kinds: distinct("v"),
          one: first("v"),
          end: last("v"),
          most: top(2, { by: "v", of: ["k", "v"] }),
          all: collect({ of: ["v"], limit: 3 }),
          own: reduce({ to: int64(), init: () => 0, add: (state) => state, merge: (left) => left, result: () => 0n }),
        })
        .toView("v"),
    "aggregate-1@efd5480e96c9/16",
  ],
  [
    "tumbling windows",
    (from) =>
      windows(from)
        .aggregate({ n: count() })
        .map((e) => ({ k: e.k, n: e.n }))
        .toStream(Out),
    "aggregate-1@ed47e34fdf28/16",
  ],
  [
    "windows that take late events",
    (from) => windows(from).allowedLateness("2s").aggregate({ n: count() }).toView("v"),
    "aggregate-1@99adc64e1265/16",
  ],
  [
    "windows by the clock",
    (from) =>
      from.a
        .keyBy("k")
        .window(processing(tumbling("1s")))
        .aggregate({ n: count() })
        .toView("v"),
    "aggregate-1@4adf314df492/16",
  ],
  [
    "sliding windows",
    (from) => from.a.keyBy("k").window(sliding("2s", "1s")).aggregate({ n: count() }).toView("v"),
    "aggregate-1@ac60a4f20db1/16",
  ],
  [
    "panes",
    (from) =>
      from.a
        .keyBy("k")
        .window(sliding("2s", "1s"))
        .aggregate({ n: count() })
        .map((e) => ({ k: e.k, n: e.n }))
        .toStream(Out),
    "aggregate-1@4b9ce3cffec4/16",
  ],
  [
    "sessions",
    (from) => from.a.keyBy("k").window(session("2s")).aggregate({ n: count() }).toView("v"),
    "aggregate-1@6cd2a6adb93a/16",
  ],
  [
    "windows of windows",
    (from) =>
      windows(from).aggregate({ n: count() }).keyBy("n").window(tumbling("10s")).aggregate({ m: count() }).toView("v"),
    "aggregate-1@ed47e34fdf28/16 aggregate-2@2a823686fb79/16",
  ],
  [
    "an aggregate behind changes",
    (from) => counted(from).keyBy("n").aggregate({ m: count() }).toView("v"),
    "aggregate-1@5620b68e33a1/16 aggregate-2@9074273c9a52/16",
  ],
  [
    "one behind changes that are filtered and mapped",
    (from) =>
      counted(from)
        .filter((e) => e.n.gt(1))
        .map((e) => ({ n: e.n }))
        .keyBy("n")
        .aggregate({ m: count() })
        .toView("v"),
    "aggregate-1@5620b68e33a1/16 aggregate-2@e7c5beb0b492/16",
  ],
  [
    "one behind changes that come by two ways",
    (from) => both(counted(from)).keyBy("n").aggregate({ m: count() }).toView("v"),
    "aggregate-1@5620b68e33a1/16 aggregate-2@f0caf51adbd6/16",
  ],
  ["a view of events", (from) => from.a.toView("v", { key: "k" }), "view-v@4c87522f99b6/16"],
  [
    "a view of changes",
    (from) =>
      counted(from)
        .map((e) => ({ k: e.k, z: e.n }))
        .toView("v", { key: "k" }),
    "aggregate-1@5620b68e33a1/16 view-v@0771e5375195/16",
  ],
  [
    "a view of changes under another key",
    (from) =>
      counted(from)
        .filter((e) => e.n.gt(1))
        .toView("v", { key: ["n", "k"] }),
    "aggregate-1@5620b68e33a1/16 view-v@7f836bd29a89/16",
  ],
  [
    "a view of changes that are looked up",
    (from) => looked(from).toView("v", { key: "k" }),
    "aggregate-1@5620b68e33a1/16 view-v@db2e0478e134/16",
  ],
  ["first events", (from) => from.a.keyBy("k").deduplicate({ ttl: "1m" }).toStream(A), "deduplicate-1@8c77e3b1a632/16"],
  [
    "last events",
    (from) => from.a.keyBy("k").deduplicate({ keep: "last" }).toView("v", { key: "k" }),
    "deduplicate-1@12d6c7200d1d/16",
  ],
  [
    "code with state",
    (from) =>
      from.a
        .keyBy("k")
        .process({ fields, state: () => 0, onEvent: () => undefined })
        .toStream(Out),
    "process-1@64f396320e81/16",
  ],
  [
    "code in between",
    (from) =>
      from.a
        .flatMap(fields, () => [])
        .keyBy("k")
        .aggregate({ n: count() })
        .toView("v"),
    "aggregate-1@d2481becb0e4/16",
  ],
  [
    "pairs of a window",
    (from) => paired(joined(from).window(tumbling("1s"))),
    "join-1@73f4c7312d33/16 view-v@beba84cabbbe/16",
  ],
  [
    "pairs within bounds",
    (from) => paired(joined(from).within({ before: "1s", after: "2s" })),
    "join-1@1d9095549156/16 view-v@beba84cabbbe/16",
  ],
  [
    "all pairs",
    (from) =>
      paired(
        joined(from)
          .all({ keep: "1h" })
          .where((l, r) => l.v.gt(r.w)),
      ),
    "join-1@c7e48a37a146/16 view-v@beba84cabbbe/16",
  ],
  ["a table", (from) => paired(joined(from).table()), "join-1@34beea9d12a5/16 view-v@beba84cabbbe/16"],
  [
    "results that call a service",
    (from) => counted(from).call(Names, "note", { key: (e) => e.k }),
    "aggregate-1@5620b68e33a1/16",
  ],
  [
    "several ends",
    (from) =>
      sinks(
        counted(from).toView("v"),
        windows(from).aggregate({ n: count() }).toView("w"),
        from.a.toView("x", { key: "k" }),
      ),
    "aggregate-1@5620b68e33a1/16 aggregate-2@ed47e34fdf28/16 view-x@4c87522f99b6/16",
  ],
])("%s", (_, made, ids) => {
  const vertices = programOf(made(sources())).steps.filter((step) => step.kind === "vertex");
  expect(vertices.map(({ id, shards }) => `${id}/${shards}`).join(" ")).toBe(ids);
});

test("what the window kernel keeps", () => {
  const kernel = sources()
    .a.filter((e) => e.v.gt(1))
    .keyBy("k")
    .window(tumbling("1s"))
    .aggregate({ n: count(), s: sum("v"), hi: max("d") })
    .toView("v");
  expect(keptPlanOf(planFlow(kernel).window)).toMatchObject({
    size: 1000,
    key: ["k", "text"],
    time: "at",
    measures: [
      ["v", "i64"],
      ["d", "f64"],
    ],
  });
});
