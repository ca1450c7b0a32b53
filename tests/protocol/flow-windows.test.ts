/** Rules of event time by tables worked out by hand: windows, sessions, late events, aggregates. */
import { describe, expect, test } from "vitest";
import {
  avg,
  collect,
  count,
  distinct,
  first,
  float64,
  flow,
  type FlowDefinition,
  last,
  max,
  min,
  reduce,
  sliding,
  sum,
  top,
  tumbling,
} from "../../sdk/index.ts";
import { FlowBench } from "./support/flow-bench.ts";
import { Counted, HOW, In, play, table } from "./support/flow-tables.ts";

table(
  "tumbling windows give their results when the watermark has come to their end, and events behind that are late",
  () =>
    flow("f")
      .from(In, { time: "at", outOfOrderness: 5 })
      .keyBy("k")
      .window(tumbling(10))
      .aggregate({ n: count(), total: sum("v") })
      .toStream(Counted),
  [
    {
      events: [
        ["a", 1, 0],
        ["b", 2, 9],
        ["a", 3, 10],
      ],
      out: [],
    },
    // Watermark 9: nothing has ended. An event of the first window is in time.
    { events: [["a", 4, 14]], out: [] },
    {
      events: [
        ["a", 10, 3],
        ["a", 5, 15],
      ],
      out: [
        ["a", 0, 10, 2, 11],
        ["b", 0, 10, 1, 2],
      ],
    },
    // The watermark is 10: an event at 9 is late, one at 10 is not.
    {
      events: [
        ["b", 7, 9],
        ["b", 8, 10],
      ],
      late: 1,
      out: [],
    },
    {
      events: [["c", 1, 40]],
      out: [
        ["a", 10, 20, 3, 12],
        ["b", 10, 20, 1, 8],
      ],
    },
    // Several windows end at once; empty ones give nothing.
    {
      events: [
        ["c", 2, 41],
        ["c", 3, 100],
      ],
      out: [["c", 40, 50, 2, 3]],
    },
    { events: [], out: [] },
    { events: [["x", 1, -5]], late: 1, out: [] },
  ],
  async (bench) => {
    expect(await bench.late("f")).toEqual([
      { k: "b", v: 7, at: 9 },
      { k: "x", v: 1, at: -5 },
    ]);
    // Of closed windows nothing is kept where no view shows them: one group and the beginning of its window are left.
    expect(bench.entries).toBe(2);
  },
);

table(
  "windows before 1970, and an event at the very end of a window",
  () =>
    flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .window(tumbling(10))
      .aggregate({ n: count(), total: sum("v") })
      .toStream(Counted),
  [
    {
      events: [
        ["a", 1, -11],
        ["a", 2, -10],
        ["a", 3, -1],
      ],
      out: [["a", -20, -10, 1, 1]],
    },
    { events: [["a", 4, 0]], out: [["a", -10, 0, 2, 5]] },
  ],
);

table(
  "sliding windows: an event is in each that covers it",
  () =>
    flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .window(sliding(10, 5))
      .aggregate({ n: count(), total: sum("v") })
      .toStream(Counted),
  [
    {
      events: [
        ["a", 1, 2],
        ["a", 2, 7],
      ],
      out: [["a", -5, 5, 1, 1]],
    },
    // Watermark 12: [0, 10) ends. An event at 6 is late for it, and not for [5, 15).
    { events: [["a", 4, 12]], out: [["a", 0, 10, 2, 3]] },
    { events: [["a", 8, 6]], out: [] },
    {
      events: [["a", 16, 30]],
      out: [
        ["a", 5, 15, 3, 14],
        ["a", 10, 20, 1, 4],
      ],
    },
    { events: [["a", 1, 19]], late: 1, out: [] },
  ],
);

table(
  "allowed lateness: a closed window gives its result again",
  () =>
    flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .window(tumbling(10))
      .allowedLateness(20)
      .aggregate({ n: count(), total: sum("v") })
      .toStream(Counted),
  [
    {
      events: [
        ["a", 1, 1],
        ["a", 2, 12],
      ],
      out: [["a", 0, 10, 1, 1]],
    },
    {
      events: [
        ["a", 4, 5],
        ["b", 1, 6],
      ],
      out: [
        ["a", 0, 10, 2, 5],
        ["b", 0, 10, 1, 1],
      ],
    },
    { events: [["a", 8, 29]], out: [["a", 10, 20, 1, 2]] },
    { events: [["a", 16, 9]], out: [["a", 0, 10, 3, 21]] },
    { events: [["a", 32, 30]], out: [["a", 20, 30, 1, 8]] },
    { events: [["a", 64, 9]], late: 1, out: [] },
  ],
);

describe("aggregates", () => {
  const all = (): FlowDefinition =>
    flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .window(tumbling(100))
      .aggregate({
        n: count(),
        total: sum("v"),
        least: min("v"),
        most: max("v"),
        mean: avg("v"),
        different: distinct("v"),
        begin: first("v"),
        end: last("v"),
        two: top(2, { by: "v", of: ["v"] }),
        tied: top(1, { by: "v", of: ["at"], ties: true }),
        list: collect({ of: ["v"], limit: 3 }),
        product: reduce<typeof In.fields, number, "float64">({
          to: float64(),
          init: () => 1,
          add: (state, e) => state * Number(e.v),
          result: (state) => state,
        }),
      })
      .toView("all");
  test.each(HOW)("of every kind, %s", async (how) => {
    const bench = new FlowBench(all());
    await play(bench, how, [
      {
        events: [
          ["a", 5, 20],
          ["a", 2, 10],
          ["b", 1, 1],
        ],
      },
      {
        events: [
          ["a", 5, 30],
          ["a", 3, 30],
        ],
      },
    ]);
    expect(await bench.view("f", "all", { key: "a" })).toEqual([
      {
        key: "a",
        window: { start: 0, end: 100 },
        n: 4,
        total: 15,
        least: 2,
        most: 5,
        mean: 3.75,
        different: 3,
        begin: 2,
        end: 3,
        two: [{ v: 5 }, { v: 5 }],
        tied: [{ at: 20 }, { at: 30 }],
        list: [{ v: 2 }, { v: 5 }, { v: 5 }],
        product: 150,
        final: false,
      },
    ]);
  });
});

table(
  "what changes is taken back: a mean of maxima",
  () =>
    flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .aggregate({ most: max("v") })
      .keyBy()
      .aggregate({ n: count(), mean: avg("most") })
      .toView("mean"),
  [
    {
      events: [
        ["a", 1, 0],
        ["b", 5, 0],
      ],
    },
    {
      events: [
        ["a", 3, 1],
        ["a", 2, 2],
      ],
    },
    {
      events: [
        ["b", 4, 3],
        ["c", 7, 4],
      ],
    },
  ],
  async (bench) => expect(await bench.view("f", "mean")).toEqual([{ n: 3, mean: 5 }]),
);
