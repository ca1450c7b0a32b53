/** Rules of sessions by tables worked out by hand: what is one, what is late, whatever the order within a batch. */
import { describe, expect } from "vitest";
import { count, flow, session, sinks, sum } from "../../sdk/index.ts";
import { Counted, In, table } from "./support/flow-tables.ts";

/** Counted and summed by key: sessions whose gap is 10. */
function sessions({ outOfOrderness = 0, lateness = 0 } = {}) {
  const windows = flow("f").from(In, { time: "at", outOfOrderness }).keyBy("k").window(session(10));
  return (lateness === 0 ? windows : windows.allowedLateness(lateness)).aggregate({ n: count(), total: sum("v") });
}

table(
  "sessions: events closer than the gap are one, and one between two makes them one",
  () => sessions({ outOfOrderness: 20 }).toStream(Counted),
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
    sessions({ lateness: 50 })
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
  table("which events are late does not depend on their order", () => sessions().toStream(Counted), [
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
  ]);
});

table(
  "sessions: what is too late alone joins two that still take events, and takes their results back",
  () => sessions({ lateness: 20 }).toStream(Counted),
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
    const all = sessions();
    return sinks(all.toStream(Counted), all.toView("sessions"));
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
  () => sessions().toView("sessions"),
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

table(
  "sessions of one key that end with one batch give their results once each",
  () => sessions({ outOfOrderness: 20, lateness: 50 }).toStream(Counted),
  [
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
  ],
);

table(
  "a session that goes on, though it had given its result, gives one when it ends again",
  () => sessions({ lateness: 50 }).toStream(Counted),
  [
    { events: [["a", 1, 0]], out: [] },
    { events: [["b", 1, 12]], out: [["a", 0, 10, 1, 1]] },
    // It reaches from 0 to 19 now, and time has come to 12.
    { events: [["a", 2, 9]], out: [] },
    { events: [["b", 2, 20]], out: [["a", 0, 19, 2, 3]] },
    { events: [["b", 4, 29]], out: [] },
  ],
);
