/** Rules of event time by tables worked out by hand: several sources, idle ones, processing time, and what views show. */
import { describe, expect, test } from "vitest";
import {
  count,
  flow,
  type FlowDefinition,
  processing,
  session,
  sinks,
  sliding,
  stream,
  sum,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";
import { FlowBench } from "./support/flow-bench.ts";
import { Counted, HOW, In, Other, play, table } from "./support/flow-tables.ts";

/** Events of two streams counted together. @param idle ms after which each falls idle */
function both({ left, right }: { readonly left?: number; readonly right?: number }): FlowDefinition {
  const f = flow("f");
  const idleAfter = (ms: number | undefined) => (ms === undefined ? {} : { idle: ms });
  return f
    .from(In, { time: "at", ...idleAfter(left) })
    .union(f.from(Other, { time: "at", ...idleAfter(right) }).map((e) => ({ k: e.k, v: e.w, at: e.at })))
    .keyBy("k")
    .window(tumbling(10))
    .aggregate({ n: count(), total: sum("v") })
    .toStream(Counted);
}

describe("several sources", () => {
  table("have come as far as the slowest", () => both({}), [
    {
      events: [
        ["a", 1, 5],
        ["a", 2, 30],
      ],
      out: [],
    },
    { of: "other", events: [["a", 4, 6]], out: [] },
    { events: [["a", 8, 9]], out: [] },
    { of: "other", events: [["a", 16, 12]], out: [["a", 0, 10, 3, 13]] },
    { of: "other", events: [["a", 32, 31]], out: [["a", 10, 20, 1, 16]] },
  ]);
  table("do not wait for one that is idle, and do when it is not", () => both({ right: 1_000 }), [
    { of: "other", events: [["a", 4, 6]], out: [] },
    {
      events: [
        ["a", 1, 5],
        ["a", 2, 30],
      ],
      out: [],
    },
    // Other has been silent for more than a second: its 6 holds back nobody.
    { events: [["a", 8, 33]], later: 1_001, out: [["a", 0, 10, 2, 5]] },
    // It is back, behind: the watermark does not go back, and its event is late.
    { of: "other", events: [["a", 16, 7]], late: 1, out: [] },
    { events: [["a", 1, 50]], out: [] },
    { of: "other", events: [["a", 1, 45]], out: [["a", 30, 40, 2, 10]] },
  ]);
});

table(
  "windows of processing time: nothing is late",
  () =>
    flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .window(processing(tumbling(1_000)))
      .aggregate({ n: count(), total: sum("v") })
      .toStream(Counted),
  [
    {
      events: [
        ["a", 1, 500],
        ["a", 2, 5],
      ],
      out: [],
    },
    { events: [["a", 4, 1]], later: 999, out: [] },
    { events: [["a", 8, 2]], later: 1, out: [["a", 1_000_000, 1_001_000, 3, 7]] },
  ],
);

table(
  "windows of processing time: nothing is late when the clock is set back either",
  () =>
    flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .window(processing(tumbling(1_000)))
      .aggregate({ n: count(), total: sum("v") })
      .toStream(Counted),
  [
    { events: [["a", 1, 500]], out: [] },
    { events: [["a", 2, 1]], later: 1_000, out: [["a", 1_000_000, 1_001_000, 1, 1]] },
    { events: [["a", 4, 2]], later: -800, out: [] },
    { events: [["a", 8, 3]], later: 1_800, out: [["a", 1_001_000, 1_002_000, 2, 6]] },
  ],
);

describe("without events", () => {
  test.each(HOW)("windows of processing time end all the same, %s", async (how) => {
    const bench = new FlowBench(
      flow("f")
        .from(In, { time: "at" })
        .keyBy("k")
        .window(processing(tumbling(1_000)))
        .aggregate({ n: count(), total: sum("v") })
        .toStream(Counted),
    );
    await play(bench, how, [{ events: [["a", 1, 500]], out: [] }]);
    await bench.pass(999);
    expect(bench.taken("out")).toEqual([]);
    if (how === HOW[1]) bench.restart();
    await bench.pass(1);
    expect(bench.taken("out")).toEqual([{ k: "a", windowStart: 1_000_000, windowEnd: 1_001_000, n: 1, total: 1 }]);
  });

  test.each(HOW)("sources fall idle all the same, one that was never heard of too, %s", async (how) => {
    const bench = new FlowBench(both({ right: 500 }));
    const events = [
      ["a", 1, 5],
      ["a", 2, 30],
    ] as const;
    await play(bench, how, [{ events, out: [] }]);
    await bench.pass(500);
    expect(bench.taken("out")).toEqual([]);
    await bench.pass(1);
    expect(bench.taken("out")).toEqual([{ k: "a", windowStart: 0, windowEnd: 10, n: 1, total: 1 }]);
  });
});

test.each(HOW)("when all sources are idle time is as far as in the quickest, %s", async (how) => {
  const bench = new FlowBench(both({ left: 500, right: 1_000 }));
  const window = (start: number, n: number, total: number) => ["a", start, start + 10, n, total] as const;
  await play(bench, how, [
    {
      events: [
        ["a", 1, 5],
        ["a", 2, 15],
        ["a", 4, 35],
      ],
      out: [],
    },
    { of: "other", events: [["a", 8, 12]], out: [window(0, 1, 1)] },
  ]);
  await bench.pass(501);
  expect(bench.taken("out")).toEqual([]);
  await bench.pass(500);
  expect(bench.taken("out")).toEqual([{ k: "a", windowStart: 10, windowEnd: 20, n: 2, total: 10 }]);
  // The slower one comes back behind: time does not go back.
  await play(bench, how, [
    {
      of: "other",
      events: [
        ["a", 16, 29],
        ["a", 32, 30],
      ],
      late: 1,
      out: [],
    },
  ]);
});

describe("what only a view shows becomes final without events", () => {
  const finals = async (bench: FlowBench): Promise<unknown[]> =>
    (await bench.view("f", "v")).map((row) => (row as { readonly final: boolean }).final);

  test.each([tumbling(1_000), sliding(1_000, 1_000), session(1_000)])("by the clock: $kind", async (window) => {
    const bench = new FlowBench(
      flow("f").from(In, { time: "at" }).keyBy("k").window(processing(window)).aggregate({ n: count() }).toView("v"),
    );
    await bench.ingest("in", [{ k: "a", v: 1, at: 500 }]);
    await bench.pass(999);
    expect(await finals(bench)).toEqual([false]);
    bench.restart();
    await bench.pass(1);
    expect(await finals(bench)).toEqual([true]);
  });

  test.each([0, 20])("when a source falls idle, with a lateness of %i", async (lateness) => {
    const f = flow("f");
    const left = f.from(In, { time: "at" });
    const right = f.from(Other, { time: "at", idle: 500 }).map((e) => ({ k: e.k, v: e.w, at: e.at }));
    const windows = left.union(right).keyBy("k").window(tumbling(10)).allowedLateness(lateness);
    const bench = new FlowBench(windows.aggregate({ n: count() }).toView("v"));
    await bench.ingest("in", [
      { k: "a", v: 1, at: 5 },
      { k: "a", v: 2, at: 30 },
    ]);
    await bench.pass(500);
    expect(await finals(bench)).toEqual([false, false]);
    await bench.pass(1);
    expect(await finals(bench)).toEqual([true, false]);
  });
});

describe("what only a view shows becomes final by a version whose source may be idle", () => {
  const version = (window: Parameters<ReturnType<typeof keyed>["window"]>[0], idle: { readonly idle?: number }) =>
    keyed(idle).window(window).aggregate({ n: count() }).toView("v");
  const keyed = (idle: { readonly idle?: number }) => {
    const f = flow("f");
    const others = f.from(Other, { time: "at", ...idle }).map((e) => ({ k: e.k, v: e.w, at: e.at }));
    return f
      .from(In, { time: "at" })
      .union(others)
      .filter((e) => e.v.gt(0))
      .keyBy("k");
  };

  test.each([session(10), tumbling(10)])("$kind", async (window) => {
    const bench = new FlowBench(version(window, {}));
    await bench.ingest("other", [{ k: "a", w: 1, at: 1 }]);
    await bench.ingest("in", [{ k: "b", v: 1, at: 1 }]);
    await bench.ingest("in", [{ k: "a", v: 1, at: 2 }]);
    bench.deploy(version(window, { idle: 500 }));
    // One of them goes on, the other does not.
    await bench.ingest("in", [{ k: "a", v: 1, at: 5 }]);
    await bench.ingest("in", [{ k: "a", v: 0, at: 100 }]);
    await bench.pass(2_000);
    expect(await bench.view("f", "v")).toMatchObject([
      { key: "a", n: 3, final: true },
      { key: "b", n: 1, final: true },
    ]);
  });

  test("also where none of its keys has a further event", async () => {
    const bench = new FlowBench(version(session(10), {}));
    await bench.ingest("other", [{ k: "a", w: 1, at: 1 }]);
    bench.deploy(version(session(10), { idle: 500 }));
    await bench.ingest("in", [{ k: "b", v: 0, at: 100 }]);
    await bench.pass(2_000);
    expect(await bench.view("f", "v")).toMatchObject([{ n: 1, final: true }]);
  });
});

describe("a source that a new version adds to a flow that has run for long", () => {
  const windows = (...names: ReadonlyArray<"in" | "other">): FlowDefinition => {
    const f = flow("f");
    const make = {
      in: () => f.from(In, { time: "at" }).map((e) => ({ k: e.k, v: e.v, at: e.at })),
      other: () => f.from(Other, { time: "at", idle: 500 }).map((e) => ({ k: e.k, v: e.w, at: e.at })),
    };
    const [first, ...others] = names.map((name) => make[name]()) as [ReturnType<typeof make.in>];
    const all = others.length === 0 ? first : first.union(...others);
    return all
      .keyBy("k")
      .window(tumbling(10))
      .aggregate({ n: count(), total: sum("v") })
      .toStream(Counted);
  };
  const begun = async (): Promise<FlowBench> => {
    const bench = new FlowBench(windows("in"));
    await bench.ingest("in", [{ k: "a", v: 1, at: 1 }]);
    await bench.pass(100_000);
    bench.deploy(windows("in", "other"));
    await bench.ingest("in", [{ k: "a", v: 2, at: 30 }]);
    return bench;
  };

  test("is not idle before it has been silent since then: its first event is not late", async () => {
    const bench = await begun();
    await bench.pass(400);
    expect(bench.taken("out")).toEqual([]);
    expect(await bench.ingest("other", [{ k: "a", w: 4, at: 6 }])).toEqual({ f: 0 });
    await bench.ingest("other", [{ k: "a", w: 8, at: 12 }]);
    expect(bench.taken("out")).toEqual([{ k: "a", windowStart: 0, windowEnd: 10, n: 2, total: 5 }]);
  });

  test("is idle then, also where nothing more comes, and once for all", async () => {
    const bench = await begun();
    await bench.pass(500);
    expect(bench.taken("out")).toEqual([]);
    await bench.pass(1);
    expect(bench.taken("out")).toMatchObject([{ windowStart: 0, n: 1 }]);
    bench.restart();
    await bench.ingest("in", [{ k: "a", v: 16, at: 40 }]);
    expect(bench.taken("out")).toMatchObject([{ windowStart: 30, n: 1 }]);
  });
});

describe("sources of one stream with a time each", () => {
  const Sold = stream("sold", { k: text(), ordered: timestamp(), delivered: timestamp(), paid: timestamp() });
  type By = { readonly time: "ordered" | "delivered" | "paid"; readonly outOfOrderness?: number };
  const ordered: By = { time: "ordered" };
  const delivered: By = { time: "delivered" };
  const patient: By = { time: "ordered", outOfOrderness: 1_000 };
  const version = (drops: readonly string[], ...sources: readonly By[]): FlowDefinition => {
    const f = flow("f", { drops });
    const nameOf = ({ time, outOfOrderness = 0 }: By): string => `by-${time}-${outOfOrderness}`;
    const made = sources.map((by) => {
      const windows = f.from(Sold, by).keyBy("k").window(tumbling(10)).aggregate({ n: count() });
      return windows.named(nameOf(by)).toView(nameOf(by));
    });
    // So that operators run it, and not the window kernel.
    const [first, ...more] = [f.from(Sold, ordered).toView("all", { key: "k" }), ...made];
    return sinks(first as FlowDefinition, ...more);
  };
  const sold = (at: number) => [{ k: "a", ordered: at, delivered: at + 1_000, paid: at }];

  test.each<[string, number, readonly By[], readonly string[], readonly By[]]>([
    ["one goes", 7, [delivered, ordered], ["by-delivered-0"], [ordered]],
    ["their order is turned", 7, [delivered, ordered], [], [ordered, delivered]],
    ["the more patient one stays", -500, [ordered, patient], ["by-ordered-0"], [patient]],
    ["one becomes another", 7, [ordered, delivered], ["by-delivered-0"], [ordered, { time: "paid" }]],
    ["one becomes more patient", 7, [ordered, delivered], ["by-ordered-0"], [delivered, patient]],
  ])("go on with their own when %s", async (_, last, before, drops, after) => {
    const bench = new FlowBench(version([], ...before));
    await bench.ingest("sold", sold(5));
    bench.deploy(version(drops, ...after));
    for (const at of [6, last]) expect(await bench.ingest("sold", sold(at))).toEqual({ f: 0 });
  });

  test("goes on with its own when it is there again", async () => {
    const bench = new FlowBench(version([], delivered, patient));
    await bench.ingest("sold", sold(5));
    bench.deploy(version(["by-delivered-0"], patient));
    await bench.ingest("sold", sold(6));
    bench.deploy(version(["by-delivered-0"], patient, delivered));
    expect(await bench.ingest("sold", sold(7))).toEqual({ f: 0 });
  });

  test("the only one of its stream has come as far by another time", async () => {
    const joined = (time: "ordered" | "paid"): FlowDefinition => {
      const f = flow("f");
      const left = f.from(Sold, { time }).map((e) => ({ k: e.k }));
      return left
        .union(f.from(In, { time: "at" }).map((e) => ({ k: e.k })))
        .keyBy("k")
        .window(tumbling(10))
        .aggregate({ n: count() })
        .toView("v");
    };
    const bench = new FlowBench(joined("ordered"));
    await bench.ingest("sold", sold(50));
    bench.deploy(joined("paid"));
    await bench.ingest("in", [{ k: "a", v: 1, at: 60 }]);
    expect(await bench.ingest("in", [{ k: "a", v: 1, at: 39 }])).toEqual({ f: 1 });
  });
});

describe("a view of windows", () => {
  test.each(HOW)("shows open ones too, in the order of windows and keys, by pages and by key, %s", async (how) => {
    // The kernel runs it when it is alone: another flow makes it one of operators.
    const both = new FlowBench(
      flow("f").from(In, { time: "at" }).keyBy("k").window(tumbling(10)).aggregate({ n: count() }).toView("v"),
      flow("g").from(In, { time: "at" }).toView("all", { key: "k" }),
    );
    await play(both, how, [
      {
        events: [
          ["b", 1, 1],
          ["a", 1, 2],
          ["é", 1, 3],
          ["😀", 1, 4],
          ["\uffee", 1, 4],
        ],
      },
      { events: [["a", 1, 12]] },
    ]);
    const row = (key: string, start: number, final: boolean) => ({
      key,
      window: { start, end: start + 10 },
      n: 1,
      final,
    });
    expect(await both.view("f", "v")).toEqual([
      row("a", 0, true),
      row("b", 0, true),
      row("é", 0, true),
      row("\uffee", 0, true),
      row("😀", 0, true),
      row("a", 10, false),
    ]);
    expect(await both.view("f", "v", { key: "a" })).toEqual([row("a", 0, true), row("a", 10, false)]);
    expect(await both.view("g", "all", { key: "a" })).toEqual([{ k: "a", v: 1, at: 12 }]);
  });
});
