/** Events at the ends of time: no loop without an end, no window that is none, and everything goes on. */
import { describe, expect, test } from "vitest";
import {
  count,
  flow,
  type FlowDefinition,
  int64,
  min,
  session,
  sinks,
  sliding,
  stream,
  text,
  timestamp,
  tumbling,
  type TumblingWindow,
  type WindowSpec,
} from "../../sdk/index.ts";
import { FlowBench } from "./support/flow-bench.ts";

const In = stream("in", { k: text(), at: timestamp() });
const Other = stream("other", { k: text(), at: timestamp() });
const Out = stream("out", { k: text(), windowStart: timestamp(), windowEnd: timestamp(), n: int64() });
const MAX = 8_640_000_000_000_000;

/** A number that no double holds. */
const raw = (digits: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits);
const at = (time: unknown) => ({ k: "a", at: time });

/** A view has operators of another kind than a stream. */
function windowed(window: WindowSpec): FlowDefinition {
  const keyed = flow("f").from(In, { time: "at" }).keyBy("k");
  const counted = () => keyed.window(window as TumblingWindow).aggregate({ n: count() });
  return sinks(counted().toStream(Out), counted().toView("shown"));
}

describe.each<[string, WindowSpec, number]>([
  ["tumbling", tumbling(10), 1],
  ["sliding, a hundred at a time", sliding(10_000, 100), 100],
  ["session", session(10), 1],
])("windows: %s", (_, window, each) => {
  test.each([
    "9223372036854775807",
    "-9223372036854775808",
    "9007199254740993",
    "-9007199254740993",
    "-9007199254740992",
    "9007199254740991",
  ])("take an event at %s", { timeout: 10_000 }, async (time) => {
    const bench = new FlowBench(windowed(window));
    const isLate = time.startsWith("-");
    await bench.ingest("in", [at(5)]);
    bench.taken("out");
    expect(await bench.ingest("in", [at(raw(time))])).toEqual({ f: isLate ? 2 : 0 });
    // What came before has ended where time has.
    expect(bench.taken("out").length).toBe(isLate ? 0 : each);
    bench.restart();
    expect(await bench.ingest("in", [at(6)])).toEqual({ f: isLate ? 0 : 2 });
    const rows = (await bench.view("f", "shown")) as Array<{ window: { start: number; end: number }; n: number }>;
    for (const { start, end } of rows.map((row) => row.window)) {
      expect(end).toBeGreaterThan(start);
      expect(Math.abs(start)).toBeLessThanOrEqual(MAX + 10_000);
    }
    expect(rows.reduce((sum, { n }) => sum + n, 0)).toBe(2 * each);
  });
});

test.each(["9223372036854775807", "-9223372036854775808"])("joins and duplicates take an event at %s", async (time) => {
  const f = flow("f");
  const [left, right] = [f.from(In, { time: "at" }).keyBy("k"), f.from(Other, { time: "at" }).keyBy("k")];
  const near = left.join(right).within({ before: 100, after: 100 });
  const bench = new FlowBench(
    sinks(
      near.select((a, b) => ({ k: a.k, a: a.at, b: b.at })).toView("near", { key: ["a", "b"] }),
      f.from(In, { time: "at" }).keyBy("k").deduplicate({ ttl: 50 }).toView("firsts", { key: "k" }),
    ),
  );
  for (const stream of ["in", "other"]) await bench.ingest(stream, [at(raw(time))]);
  bench.restart();
  expect(await bench.view("f", "near")).toHaveLength(1);
  expect(await bench.view("f", "firsts")).toHaveLength(1);
});

test.each([
  ["9223372036854775807", 9223372036854775000n],
  ["-9223372036854775808", -9223372036854775808n],
  ["9007199254740993", 9007199254740000],
  ["-9007199254740991", -9007199254740992n],
])("what a map cuts %s to is a time, and a key", async (time, cut) => {
  const step = cut === -9007199254740992n ? 8 : 1_000;
  const byHour = flow("f")
    .from(stream("in", { k: text(), at: timestamp(), then: timestamp() }), { time: "at" })
    .map((e) => ({ hour: e.then.floor(step) }))
    .keyBy("hour")
    .aggregate({ n: count() });
  const bench = new FlowBench(
    sinks(byHour.toView("hours"), byHour.toStream(stream("hours", { hour: timestamp(), n: int64() }))),
  );
  for (let batch = 0; batch < 2; batch++) {
    await bench.ingest("in", [{ k: "a", at: 1, then: raw(time) }]);
    bench.restart();
  }
  expect(bench.taken("hours")).toMatchObject([{ n: 1 }, { hour: cut, n: 2 }]);
  expect(await bench.view("f", "hours", { key: String(cut) })).toMatchObject([{ n: 2 }]);
});

const Whole = stream("whole", { k: int64(), v: int64(), at: timestamp() });
const Least = stream("least", { k: int64(), windowStart: timestamp(), windowEnd: timestamp(), v: int64() });

test.each(["-9007199254740993", "-9007199254740992", "-9007199254740991", "9007199254740991", "9007199254740992"])(
  "a value and a key of %s go through operators",
  async (edge) => {
    const from = flow("f").from(Whole, { time: "at" });
    const keyed = from.keyBy("k");
    const bench = new FlowBench(
      sinks(
        from
          .mapRows({ k: int64(), v: int64() }, ({ k, v }) => ({ k, v }))
          .toStream(stream("mapped", { k: int64(), v: int64() })),
        keyed
          .aggregate({ v: min("v") })
          .keyBy("v")
          .aggregate({ n: count() })
          .toView("by-least"),
        keyed
          .window(tumbling(10))
          .aggregate({ v: min("v") })
          .toStream(Least),
        keyed.deduplicate({ keep: "last" }).toView("last", { key: "k" }),
      ),
    );
    await bench.ingest("whole", [
      { k: 1, v: raw(edge), at: 5 },
      { k: raw(edge), v: 3, at: 6 },
    ]);
    bench.restart();
    await bench.ingest("whole", [{ k: 1, v: 3, at: 50 }]);
    const exact = Number.isSafeInteger(Number(edge)) ? Number(edge) : BigInt(edge);
    expect(bench.taken("mapped")).toEqual([
      { k: 1, v: exact },
      { k: exact, v: 3 },
      { k: 1, v: 3 },
    ]);
    expect(bench.taken("least")).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ k: 1, v: exact }),
        expect.objectContaining({ k: exact, v: 3 }),
      ]),
    );
    expect(await bench.view("f", "by-least", { key: edge })).toMatchObject(edge.startsWith("-") ? [{ n: 1 }] : []);
    expect(await bench.view("f", "last")).toHaveLength(2);
  },
);

test("texts are whole numbers however many digits they have, up to the bounds of int64", async () => {
  const whole = stream("wholes", { k: text(), n: int64() });
  const bench = new FlowBench(
    flow("f")
      .from(In, { time: "at" })
      .map((e) => ({ k: e.k, n: e.k.toInt() }))
      .toStream(whole),
  );
  const numbers: ReadonlyArray<readonly [string, bigint | number]> = [
    ["9".repeat(41), 2n ** 63n - 1n],
    [`-${"9".repeat(100_000)}`, -(2n ** 63n)],
    ["-9223372036854775808", -(2n ** 63n)],
    [`+${"0".repeat(50)}7`, 7],
    [`-${"0".repeat(50)}`, 0],
    [`${"0".repeat(100_000)}x`, 0],
    ["-", 0],
  ];
  await bench.ingest(
    "in",
    numbers.map(([k]) => ({ k, at: 1 })),
  );
  expect(bench.taken("wholes")).toEqual(numbers.map(([k, n]) => ({ k, n })));
});

test("years before the first and beyond the last of four digits are written with their sign and all of their digits", async () => {
  const dates = stream("dates", { k: text() });
  const bench = new FlowBench(
    flow("f")
      .from(In, { time: "at" })
      .map((e) => ({ k: e.at.format("yyyy-MM-dd") }))
      .toStream(dates),
  );
  const years = ["-271821-04-20", "-000001-12-31", "0000-01-01", "0999-05-05", "+010000-01-01"];
  await bench.ingest(
    "in",
    years.map((date) => ({ k: "a", at: Date.parse(`${date}T00:00:00Z`) })),
  );
  const written = bench.taken("dates") as Array<{ k: string }>;
  expect(written.map(({ k }) => k)).toEqual([
    "-271821-04-20",
    "-0001-12-31",
    "0000-01-01",
    "0999-05-05",
    "10000-01-01",
  ]);
});

test("a text that is split into its characters gives none that is half of one", async () => {
  const bench = new FlowBench(
    flow("f")
      .from(In, { time: "at" })
      .map((e) => ({ first: e.k.split("", 0) }))
      .keyBy("first")
      .aggregate({ n: count() })
      .toStream(stream("firsts", { first: text(), n: int64() })),
  );
  await bench.ingest("in", [
    { k: "\u{1f600}", at: 1 },
    { k: "ab", at: 1 },
  ]);
  expect(bench.taken("firsts")).toEqual(
    expect.arrayContaining([
      { first: "\ufffd", n: 1 },
      { first: "a", n: 1 },
    ]),
  );
});
