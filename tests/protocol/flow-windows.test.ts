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
  session,
  sinks,
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

table(
  "sessions: events closer than the gap are one, and one between two makes them one",
  () =>
    flow("f")
      .from(In, { time: "at", outOfOrderness: 20 })
      .keyBy("k")
      .window(session(10))
      .aggregate({ n: count(), total: sum("v") })
      .toStream(Counted),
  [
    {
      events: [
        ["a", 1, 0],
        ["a", 2, 9],
        ["a", 4, 30],
        ["b", 1, 10],
        ["b", 2, 20],
      ],
      out: [],
    },
    // Exactly the gap apart are two; in between there is one that joins them, and out of order too.
    {
      events: [
        ["b", 4, 15],
        ["a", 8, 18],
      ],
      out: [],
    },
    { events: [["a", 16, 27]], out: [] },
    { events: [["c", 1, 49]], out: [] },
    // Watermark 30: b, from 10 to 30, has ended. a reaches to 40.
    { events: [["c", 2, 50]], out: [["b", 10, 30, 3, 7]] },
    { events: [["a", 100, 19]], late: 0, out: [] },
    { events: [["c", 4, 60]], out: [["a", 0, 40, 6, 131]] },
    { events: [["a", 1, 5]], late: 1, out: [] },
    {
      events: [["c", 8, 90]],
      out: [
        ["c", 49, 60, 2, 3],
        ["c", 60, 70, 1, 4],
      ],
    },
  ],
);

table(
  "sessions within their lateness: one that has given its result takes it back when it grows",
  () =>
    flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .window(session(10))
      .allowedLateness(50)
      .aggregate({ n: count(), total: sum("v") })
      .keyBy("k")
      .aggregate({ n: count(), total: sum("total") })
      .toView("totals"),
  [
    {
      events: [
        ["a", 1, 0],
        ["a", 2, 15],
        ["b", 7, 40],
      ],
    },
    { events: [["a", 4, 8]] },
  ],
  async (bench) => {
    // Two sessions had given 1 and 2; they are one of 7 now, and b is still open.
    expect(await bench.view("f", "totals")).toEqual([{ k: "a", n: 1, total: 7 }]);
  },
);

// Time has come to 30. Alone an event before 20, or at 20, would be late. a: 15 is near 22, which is not. d: 5 is near 14, and that near 23.
// e: 20 and 11 are near each other, and both too late. f: 11 and 21 are just the gap apart.
const BEHIND: ReadonlyArray<readonly [string, number, number]> = [
  ["a", 1, 15],
  ["a", 2, 22],
  ["d", 1, 5],
  ["d", 2, 14],
  ["d", 4, 23],
  ["e", 1, 20],
  ["e", 2, 11],
  ["f", 1, 11],
  ["f", 2, 21],
];
describe.each(
  // Each of a key's events once the first, in the middle and the last of them.
  [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((from) => {
    const turned = [...BEHIND.slice(from), ...BEHIND.slice(0, from)];
    return [turned, turned.toReversed()];
  }),
)("sessions, a batch that begins with %j", (...events) => {
  table(
    "which events are late does not depend on their order",
    () =>
      flow("f")
        .from(In, { time: "at" })
        .keyBy("k")
        .window(session(10))
        .aggregate({ n: count(), total: sum("v") })
        .toStream(Counted),
    [
      { events: [["b", 1, 30]], out: [] },
      { events, late: 3, out: [] },
      {
        events: [["b", 2, 33]],
        out: [
          ["a", 15, 32, 2, 3],
          ["d", 5, 33, 3, 7],
          ["f", 21, 31, 1, 2],
        ],
      },
    ],
  );
});

table(
  "sessions: what is too late alone joins two that still take events, and takes their results back",
  () =>
    flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .window(session(10))
      .allowedLateness(20)
      .aggregate({ n: count(), total: sum("v") })
      .toStream(Counted),
  [
    {
      events: [
        ["a", 1, 0],
        ["a", 2, 16],
      ],
      out: [["a", 0, 10, 1, 1]],
    },
    {
      events: [["b", 1, 29]],
      out: [["a", 16, 26, 1, 2]],
    },
    // Time is 29: alone an event at or before -1 is late. -5 and -12 are part of what begins at 0, in whatever order.
    {
      events: [
        ["a", 16, -12],
        ["a", 8, -5],
        ["a", 4, 8],
      ],
      out: [["a", -12, 26, 5, 31]],
    },
    // -23 is just behind: 11 from the beginning.
    { events: [["a", 32, -23]], late: 1, out: [] },
  ],
);

table(
  "sessions: one that comes to reach as far back as one that has ended is not that one, nor in its place",
  () => {
    const sessions = flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .window(session(10))
      .aggregate({ n: count(), total: sum("v") });
    return sinks(sessions.toStream(Counted), sessions.toView("sessions"));
  },
  [
    { events: [["a", 1, 0]], out: [] },
    { events: [["b", 1, 20]], out: [["a", 0, 10, 1, 1]] },
    // Time is 20, and the first is over. These make another, from 15 back to just its beginning, one after the other.
    { events: [["a", 2, 15]], out: [] },
    { events: [["a", 4, 8]], out: [] },
    { events: [["a", 8, 0]], out: [] },
    { events: [["a", 16, 24]], out: [] },
    { events: [["c", 1, 33]], out: [["b", 20, 30, 1, 1]] },
    { events: [["a", 64, -5]], late: 0, out: [] },
    {
      events: [["c", 2, 34]],
      out: [["a", -5, 34, 5, 94]],
    },
    { events: [["a", 32, 3]], late: 1, out: [] },
  ],
  async (bench) => {
    const rows = await bench.view("f", "sessions", { key: "a" });
    expect(rows).toEqual([
      { key: "a", window: { start: -5, end: 34 }, n: 5, total: 94, final: true },
      { key: "a", window: { start: 0, end: 10 }, n: 1, total: 1, final: true },
    ]);
  },
);

table(
  "sessions: several of a key that begin at once stand in its view in their order",
  () =>
    flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .window(session(10))
      .aggregate({ n: count(), total: sum("v") })
      .toView("sessions"),
  [
    { events: [["a", 1, 0]] },
    { events: [["b", 1, 20]] },
    {
      events: [
        ["a", 2, 0],
        ["a", 4, 15],
        ["a", 8, 8],
      ],
    },
    // That one is over too, and a third comes to reach back to there.
    { events: [["b", 1, 40]] },
    {
      events: [8, 16, 24, 32, 0].map((at) => ["a", 1, at] as const),
    },
  ],
  async (bench) => {
    const rows = (first: unknown[]) => [
      ...first,
      { key: "b", window: { start: 20, end: 30 }, n: 1, total: 1, final: true },
      { key: "b", window: { start: 40, end: 50 }, n: 1, total: 1, final: false },
    ];
    expect(await bench.view("f", "sessions")).toEqual(
      rows([
        { key: "a", window: { start: 0, end: 10 }, n: 1, total: 1, final: true },
        { key: "a", window: { start: 0, end: 25 }, n: 3, total: 14, final: true },
        { key: "a", window: { start: 0, end: 42 }, n: 5, total: 5, final: false },
      ]),
    );
  },
);

const countedSessions = (outOfOrderness: number): FlowDefinition =>
  flow("f")
    .from(In, { time: "at", outOfOrderness })
    .keyBy("k")
    .window(session(10))
    .allowedLateness(50)
    .aggregate({ n: count(), total: sum("v") })
    .toStream(Counted);

table("sessions of one key that end with one batch give their results once each", () => countedSessions(20), [
  {
    events: [
      ["a", 1, 0],
      ["a", 2, 15],
    ],
    out: [],
  },
  {
    events: [["b", 4, 60]],
    out: [
      ["a", 0, 10, 1, 1],
      ["a", 15, 25, 1, 2],
    ],
  },
  { events: [["b", 8, 61]], out: [] },
]);

table(
  "a session that goes on, though it had given its result, gives one when it ends again",
  () => countedSessions(0),
  [
    { events: [["a", 1, 0]], out: [] },
    { events: [["b", 1, 12]], out: [["a", 0, 10, 1, 1]] },
    // It reaches from 0 to 19 now, and time has come to 12.
    { events: [["a", 2, 9]], out: [] },
    { events: [["b", 2, 20]], out: [["a", 0, 19, 2, 3]] },
    { events: [["b", 4, 29]], out: [] },
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
