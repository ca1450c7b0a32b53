/** A flow that is changed: operators that did not change go on, and what would be lost must be named. */
import { describe, expect, test } from "vitest";
import {
  count,
  flow,
  type FlowDefinition,
  int64,
  optional,
  reduce,
  session,
  sinks,
  sliding,
  stream,
  type StreamDefinition,
  sum,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";
import { FlowBench } from "./support/flow-bench.ts";
import { In } from "./support/flow-tables.ts";

const Given = stream("given", { k: text(), v: int64(), at: timestamp() });
const Wide = stream("in", { k: text(), v: int64(), at: timestamp(), more: int64() }, { retention: "1h" });

function version({
  size = 10,
  least = 0,
  other = false,
  turned = false,
  gives = false,
  drops = [],
}: {
  size?: number;
  least?: number;
  other?: boolean;
  turned?: boolean;
  gives?: boolean;
  drops?: string[];
} = {}): FlowDefinition {
  const events = flow("f", { drops })
    .from(In, { time: "at", idle: "1h" })
    .filter((e) => e.v.ge(least));
  const totals = events
    .keyBy("k")
    .aggregate({ n: count(), total: sum("v") })
    .named("totals")
    .toView("totals");
  const windows = events.keyBy("k").window(tumbling(size)).aggregate({ n: count() }).named("windows").toView("windows");
  const extra = events.keyBy("v").aggregate({ n: count() }).named("extra").toView("extra");
  if (gives) return sinks(totals, windows, events.toStream(Given));
  if (turned) return sinks(windows, totals);
  return other ? sinks(totals, windows, extra) : sinks(totals, windows);
}

const batch = [
  { k: "a", v: 1, at: 1 },
  { k: "a", v: 2, at: 11 },
];

async function started(): Promise<FlowBench> {
  const bench = new FlowBench(version());
  await bench.ingest("in", batch);
  return bench;
}

describe("a flow that is changed", () => {
  test("keeps the state of operators that did not change, and begins new ones", async () => {
    const bench = await started();
    bench.deploy(version({ least: 1, other: true }));
    await bench.ingest("in", [
      { k: "a", v: 0, at: 12 },
      { k: "a", v: 4, at: 13 },
    ]);
    expect(await bench.view("f", "totals")).toEqual([{ k: "a", n: 3, total: 7 }]);
    expect(await bench.view("f", "windows")).toMatchObject([
      { n: 1, final: true },
      { n: 2, final: false },
    ]);
    expect(await bench.view("f", "extra")).toEqual([{ v: 4, n: 1 }]);
  });

  test("takes nothing while it would lose what is not named", async () => {
    const bench = await started();
    bench.deploy(version({ size: 20 }));
    expect(await bench.drops("f")).toEqual(["windows"]);
    await expect(bench.ingest("in", batch)).rejects.toMatchObject({ type: "flow-changed" });
    // Nothing was lost by trying.
    bench.deploy(version());
    await bench.ingest("in", batch);
    expect(await bench.view("f", "totals")).toEqual([{ k: "a", n: 4, total: 6 }]);
  });

  test("drops what is named, and deletes it", async () => {
    const bench = await started();
    const before = bench.entries;
    bench.deploy(version({ size: 20, drops: ["windows"] }));
    await bench.ingest("in", [{ k: "a", v: 5, at: 13 }]);
    expect(await bench.view("f", "windows")).toMatchObject([{ window: { start: 0, end: 20 }, n: 1 }]);
    expect(await bench.view("f", "totals")).toEqual([{ k: "a", n: 3, total: 8 }]);
    // Two windows with their beginnings have become one.
    expect(bench.entries).toBe(before - 2);
    expect(await bench.drops("f")).toEqual([]);
  });

  test("shows its views while partitions run different versions, each as what it is", async () => {
    const bench = await started();
    const before = await Promise.all(["totals", "windows"].map((view) => bench.view("f", view)));
    bench.deployTo(["#shard", "#shares"], version({ turned: true, size: 20, drops: ["windows"] }));
    // What did not change stands at another place there.
    expect(await bench.view("f", "totals")).toEqual(before[0]);
    // What did is asked for again until both have one version.
    await expect(bench.view("f", "windows")).rejects.toMatchObject({
      type: "overloaded",
      members: { retryable: true },
    });
    bench.deployTo(["#shard", "#shares"], version({ turned: true }));
    expect(await Promise.all(["totals", "windows"].map((view) => bench.view("f", view)))).toEqual(before);
  });

  test("comes again where a stream that it writes to is kept by a partition that does not know it yet", async () => {
    const bench = await started();
    bench.deploy(version({ gives: true }));
    bench.deployTo(["#stream"], version());
    const coming = { type: "overloaded", members: { retryable: true } };
    await expect(bench.ingest("in", batch)).rejects.toMatchObject(coming);
    // The bench undoes nothing.
    bench.taken("given");
    bench.deploy(version({ gives: true }));
    await bench.ingest("in", batch);
    expect(bench.taken("given")).toHaveLength(2);
  });

  test("comes again where a stream needs a field that is not given yet; an optional one is null", async () => {
    const giving = (shape: "narrow" | "optional" | "wide") => {
      const events = flow("f").from(In, { time: "at" });
      const more = { retention: "1h" } as const;
      const fields = { k: text(), v: int64(), at: timestamp() };
      const seen = (to: StreamDefinition<typeof fields>) =>
        flow("seen").from(to, { time: "at" }).toView("seen", { key: "v" });
      const narrow = stream("given", fields, more);
      if (shape === "narrow") return [events.toStream(narrow), seen(narrow)];
      if (shape === "optional") {
        const some = stream("given", { ...fields, note: optional(text()) }, more);
        const noted = events.map((e) => ({ k: e.k, v: e.v, at: e.at, note: e.k }));
        return [noted.toStream(some), flow("seen").from(some, { time: "at" }).toView("seen", { key: "v" })];
      }
      const wide = stream("given", { ...fields, size: int64() }, more);
      return [events.map((e) => ({ k: e.k, v: e.v, at: e.at, size: e.v })).toStream(wide), seen(wide)];
    };
    const bench = new FlowBench(...giving("narrow"));
    bench.deployTo(["#stream"], ...giving("wide"));
    await expect(bench.ingest("in", batch)).rejects.toMatchObject({ type: "overloaded", members: { retryable: true } });
    const other = new FlowBench(...giving("narrow"));
    other.deployTo(["#stream", "#flow:seen", "#shard", "#shares"], ...giving("optional"));
    await other.ingest("in", batch);
    other.deploy(...giving("optional"));
    expect(await other.view("seen", "seen")).toEqual(batch.map((event) => ({ ...event, note: null })));
  });

  test("keeps state whatever events get further fields", async () => {
    const bench = new FlowBench(
      flow("g")
        .from(In, { time: "at", idle: "1h" })
        .map((e) => ({ k: e.k }))
        .keyBy("k")
        .aggregate({ n: count() })
        .toView("n"),
    );
    await bench.ingest("in", batch);
    bench.deploy(
      flow("g")
        .from(Wide, { time: "at", idle: "1h" })
        .map((e) => ({ k: e.k }))
        .keyBy("k")
        .aggregate({ n: count() })
        .toView("n"),
    );
    await bench.ingest("in", [{ k: "a", v: 1, at: 1, more: 2 }]);
    expect(await bench.view("g", "n")).toEqual([{ k: "a", n: 3 }]);
  });

  describe("of sliding windows", () => {
    const Slides = stream("slides", { k: text(), windowStart: timestamp(), windowEnd: timestamp(), n: int64() });
    const slides = (ends: "view" | "stream" | "both", drops: string[] = []): FlowDefinition => {
      const results = flow("f", { drops })
        .from(In, { time: "at" })
        .keyBy("k")
        .window(sliding(30, 10))
        .aggregate({ n: count() });
      const [shown, given] = [results.toView("shown"), results.toStream(Slides)];
      return ends === "both" ? sinks(shown, given) : ends === "view" ? shown : given;
    };
    const counts = (bench: FlowBench) => (bench.taken("slides") as Array<{ n: number }>).map(({ n }) => n);
    const first = [{ k: "a", v: 1, at: 25 }];
    const rest = [[{ k: "a", v: 1, at: 26 }], [{ k: "z", v: 1, at: 1_000 }]];

    // What is only given on is kept by panes, what a view shows by windows.
    test.each([
      ["stream", "both"],
      ["both", "stream"],
    ] as const)("tells that %s and then %s is other state", async (before, after) => {
      const bench = new FlowBench(slides(before));
      await bench.ingest("in", first);
      bench.deploy(slides(after));
      expect(await bench.drops("f")).toEqual(["aggregate-1"]);
      await expect(bench.ingest("in", first)).rejects.toMatchObject({ type: "flow-changed" });
      bench.deploy(slides(after, ["aggregate-1"]));
      for (const batch of rest) await bench.ingest("in", batch);
      expect(counts(bench)).toEqual([1, 1, 1]);
    });

    test("keeps it where that is the same", async () => {
      const bench = new FlowBench(slides("view"));
      await bench.ingest("in", first);
      bench.deploy(slides("both"));
      for (const batch of rest) await bench.ingest("in", batch);
      expect(counts(bench)).toEqual([2, 2, 2]);
    });

    test("tells that a reduce whose results can be made one now is other state", async () => {
      const reduced = (merges: boolean): FlowDefinition =>
        flow("f")
          .from(In, { time: "at" })
          .keyBy("k")
          .window(sliding(30, 10))
          .aggregate({
            n: reduce({
              to: int64(),
              init: () => 0,
              add: (n: number) => n + 1,
              result: (n) => n,
              ...(merges ? { merge: (a: number, b: number) => a + b } : {}),
            }),
          })
          .toStream(Slides);
      const bench = new FlowBench(reduced(false));
      await bench.ingest("in", first);
      bench.deploy(reduced(true));
      expect(await bench.drops("f")).toEqual(["aggregate-1"]);
    });
  });

  describe.each([
    ["sessions", session(10)],
    ["windows", tumbling(10)],
  ])("gives results of %s that were only shown", (_, window) => {
    const Results = stream("results", { k: text(), windowStart: timestamp(), windowEnd: timestamp(), n: int64() });
    const shown = (given: boolean): FlowDefinition => {
      const events = flow("f").from(In, { time: "at" });
      const results = events.keyBy("k").window(window).aggregate({ n: count() });
      // So that operators run it, and not the window kernel.
      const firsts = events.keyBy("k").deduplicate().toView("firsts", { key: "k" });
      const view = results.toView("shown");
      return given ? sinks(view, firsts, results.toStream(Results)) : sinks(view, firsts);
    };
    const one = (k: string, at: number) => ({ k, v: 1, at });
    const counts = (bench: FlowBench) =>
      (bench.taken("results") as Array<{ k: string; n: number }>).map(({ k, n }) => `${k}${n}`).toSorted();

    test.each([false, true])(
      "and are open when a stream is given them (turned back in between: %s)",
      async (turned) => {
        const bench = new FlowBench(shown(false));
        await bench.ingest("in", [one("gone", 1), one("a", 31), one("b", 32)]);
        await bench.ingest("in", [one("a", 33)]);
        if (turned) {
          bench.deploy(shown(true));
          await bench.ingest("in", [one("a", 34)]);
          bench.deploy(shown(false));
          await bench.ingest("in", [one("c", 34)]);
        }
        bench.deploy(shown(true));
        await bench.undone(() => bench.ingest("in", [one("a", 35)]));
        await bench.ingest("in", [one("a", 35)]);
        expect(counts(bench)).toEqual([]);
        await bench.ingest("in", [one("z", 100)]);
        expect(counts(bench)).toEqual(turned ? ["a4", "b1", "c1"] : ["a3", "b1"]);
        await bench.ingest("in", [one("z", 200)]);
        expect(counts(bench)).toEqual(["z1"]);
      },
    );
  });
});
