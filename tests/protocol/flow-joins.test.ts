/** Rules of event time by tables worked out by hand: joins, duplicates, user code with timers. */
import { expect } from "vitest";
import { flow, type FlowDefinition, int64, stream, text, timestamp, tumbling } from "../../sdk/index.ts";
import { In, Other, table } from "./support/flow-tables.ts";

const Pair = stream("out", { k: text(), v: int64(), w: int64() });

function joined(rule: "window" | "within" | "all" | "table"): FlowDefinition {
  const f = flow("f");
  const left = f.from(In, { time: "at" }).keyBy("k");
  const right = f.from(Other, { time: "at" }).keyBy("k");
  const join = left.join(right);
  const step = {
    window: () => join.window(tumbling(10)),
    within: () => join.within({ before: 2, after: 5 }),
    all: () => join.all({ keep: 20 }),
    table: () => join.table(),
  }[rule]();
  return step
    .where((a, b) => a.v.ne(b.w))
    .select((a, b) => ({ k: a.k, v: a.v, w: b.w }))
    .toStream(Pair);
}

table("a join in windows gives its pairs when both sides have come to the end", () => joined("window"), [
  {
    events: [
      ["a", 1, 1],
      ["a", 2, 9],
      ["b", 3, 3],
    ],
    out: [],
  },
  {
    of: "other",
    events: [
      ["a", 10, 5],
      ["c", 11, 5],
      ["a", 1, 6],
      ["a", 12, 11],
    ],
    out: [],
  },
  {
    events: [["a", 4, 10]],
    out: [
      ["a", 1, 10],
      ["a", 2, 10],
      ["a", 2, 1],
    ],
  },
  { events: [["a", 5, 9]], late: 1, out: [] },
  { of: "other", events: [["a", 20, 25]], out: [] },
  { events: [["a", 6, 25]], out: [["a", 4, 12]] },
]);

table(
  "a join within bounds gives pairs as they come about, and forgets what can pair no more",
  () => joined("within"),
  [
    { events: [["a", 1, 10]], out: [] },
    // From 8 to 15, both included.
    {
      of: "other",
      events: [
        ["a", 7, 7],
        ["a", 8, 8],
        ["a", 15, 15],
        ["a", 16, 16],
        ["b", 9, 10],
      ],
      out: [
        ["a", 1, 8],
        ["a", 1, 15],
      ],
    },
    {
      events: [
        ["a", 2, 13],
        ["b", 3, 9],
      ],
      out: [
        ["a", 2, 15],
        ["a", 2, 16],
        ["b", 3, 9],
      ],
    },
    { events: [["c", 1, 100]], out: [] },
    { of: "other", events: [["c", 1, 101]], out: [] },
    { events: [["a", 5, 16]], late: 1, out: [] },
  ],
  async (bench) => {
    // Left of both sides are c's: an entry with the rows, and when they die.
    expect(bench.entries).toBe(1 + 2);
  },
);

table("a join of all pairs keeps both sides for as long as it says", () => joined("all"), [
  { events: [["a", 1, 0]], out: [] },
  {
    of: "other",
    events: [
      ["a", 2, 3],
      ["a", 1, 4],
    ],
    out: [["a", 1, 2]],
  },
  {
    events: [["a", 3, 10]],
    out: [
      ["a", 3, 2],
      ["a", 3, 1],
    ],
  },
  {
    events: [["a", 4, 40]],
    out: [
      ["a", 4, 2],
      ["a", 4, 1],
    ],
  },
  // Now both sides have come to 40: what was before 20 is gone.
  {
    of: "other",
    events: [["a", 9, 40]],
    out: [
      ["a", 1, 9],
      ["a", 3, 9],
      ["a", 4, 9],
    ],
  },
  { of: "other", events: [["a", 8, 41]], out: [["a", 4, 8]] },
]);

table("a join with a table meets the newest row that is there", () => joined("table"), [
  { events: [["a", 1, 5]], out: [] },
  {
    of: "other",
    events: [
      ["a", 2, 3],
      ["a", 3, 2],
      ["b", 9, 1],
    ],
    out: [],
  },
  {
    events: [
      ["a", 4, 6],
      ["b", 5, 6],
      ["c", 6, 6],
    ],
    out: [
      ["a", 4, 2],
      ["b", 5, 9],
    ],
  },
  { of: "other", events: [["a", 7, 4]], out: [] },
  { events: [["a", 8, 7]], out: [["a", 8, 7]] },
]);

const Same = stream("out", { k: text(), v: int64(), at: timestamp() });

table(
  "duplicates: the first of each key, until it was silent for long",
  () => flow("f").from(In, { time: "at" }).keyBy("k").deduplicate({ ttl: 10 }).toStream(Same),
  [
    {
      events: [
        ["a", 1, 0],
        ["a", 2, 1],
        ["b", 3, 2],
      ],
      out: [
        ["a", 1, 0],
        ["b", 3, 2],
      ],
    },
    { events: [["a", 4, 9]], out: [] },
    { events: [["c", 5, 15]], out: [["c", 5, 15]] },
    // a was seen at 9 and is remembered until 19; b until 12.
    {
      events: [
        ["a", 6, 15],
        ["b", 7, 15],
      ],
      out: [["b", 7, 15]],
    },
    { events: [["d", 1, 40]], out: [["d", 1, 40]] },
    { events: [["a", 8, 40]], out: [["a", 8, 40]] },
    // None passes twice in one batch, also where its time is over already.
    {
      events: [
        ["e", 1, 5],
        ["e", 2, 5],
        ["e", 3, 7],
      ],
      out: [["e", 1, 5]],
    },
    { events: [["e", 4, 7]], out: [["e", 4, 7]] },
  ],
  async (bench) => expect(bench.entries).toBe(6),
);

table(
  "the last of each key by event time",
  () => flow("f").from(In, { time: "at" }).keyBy("k").deduplicate({ keep: "last" }).toStream(Same),
  [
    {
      events: [
        ["a", 1, 5],
        ["a", 2, 3],
      ],
      out: [["a", 1, 5]],
    },
    { events: [["a", 3, 4]], out: [] },
    {
      events: [
        ["a", 4, 5],
        ["a", 5, 9],
        ["a", 6, 8],
      ],
      out: [["a", 5, 9]],
    },
  ],
);

const Fired = stream("out", { k: text(), at: timestamp(), n: int64() });

table(
  "user code with state and timers",
  () =>
    flow("f")
      .from(In, { time: "at" })
      .keyBy("k")
      .process<typeof Fired.fields, { n: number }>({
        fields: Fired.fields,
        state: () => ({ n: 0 }),
        onEvent(ctx, e) {
          ctx.state.n += 1;
          if (Number(e.v) > 0) ctx.timer(Number(e.at) + Number(e.v));
          else ctx.cancelTimer(Number(e.at) - Number(e.v));
        },
        onTimer(ctx, at) {
          ctx.emit({ k: String(ctx.key), at, n: ctx.state.n });
          ctx.state = undefined as never;
        },
      })
      .toStream(Fired),
  [
    {
      events: [
        ["a", 10, 0],
        ["b", 20, 0],
        ["a", 1, 5],
      ],
      out: [],
    },
    { events: [["c", 100, 6]], out: [["a", 6, 2]] },
    { events: [["a", -20, 0]], out: [] },
    // a's timer of 10 fires; b's of 20 is cancelled by b at 10.
    { events: [["b", -10, 10]], out: [["a", 10, 1]] },
    { events: [["d", 1, 50]], out: [] },
    { events: [["d", 1, 51]], out: [["d", 51, 2]] },
  ],
);
