/** Boolean, optional and nested fields through every operator, against results worked out by hand. */
import { describe, expect, test } from "vitest";
import {
  avg,
  boolean,
  collect,
  count,
  distinct,
  first,
  float64,
  flow,
  int64,
  last,
  max,
  min,
  nested,
  optional,
  reduce,
  session,
  sinks,
  sliding,
  str,
  stream,
  sum,
  text,
  timestamp,
  top,
  tumbling,
  when,
} from "../../sdk/index.ts";
import { FlowBench } from "./support/flow-bench.ts";

const Orders = stream("orders", {
  id: nested("order.id", text()),
  country: optional(nested("order.address.country", text())),
  cents: optional(nested("order.cents", int64())),
  rate: optional(float64()),
  express: optional(boolean()),
  gift: boolean(),
  at: timestamp(),
});

/** An order as its JSON is; what is undefined is not there at all. */
function order(
  id: string,
  at: number,
  rest: {
    readonly gift?: boolean;
    readonly country?: string | null;
    readonly cents?: number | bigint | null;
    readonly rate?: number | null;
    readonly express?: boolean | null;
  } = {},
): object {
  const { gift = false, country, cents, rate, express } = rest;
  const address = country === undefined ? {} : { address: { country } };
  return { order: { id, cents, ...address }, rate, express, gift, at };
}

const some = [
  order("a", 1_000, { gift: true, country: "de", cents: 100, rate: 0.5, express: true }),
  order("b", 2_000, { country: null, cents: null, rate: null, express: null }),
  order("c", 3_000, { gift: true }),
  order("d", 4_000, { country: "fr", cents: 300, rate: 1.5, express: false }),
  order("e", 5_000, { country: "de", cents: 50 }),
];
const from = (name: string) => flow(name).from(Orders, { time: "at" });

describe("events", () => {
  test("keep null, true and false, in views and in streams", async () => {
    const Copy = stream("copy", { ...Orders.fields, id: text(), country: optional(text()), cents: optional(int64()) });
    const orders = from("f");
    const bench = new FlowBench(sinks(orders.toView("v", { key: "id" }), orders.toStream(Copy)));
    await bench.ingest("orders", some.slice(0, 3));
    const rows = [
      { id: "a", country: "de", cents: 100, rate: 0.5, express: true, gift: true, at: 1_000 },
      { id: "b", country: null, cents: null, rate: null, express: null, gift: false, at: 2_000 },
      { id: "c", country: null, cents: null, rate: null, express: null, gift: true, at: 3_000 },
    ];
    expect(await bench.view("f", "v")).toEqual(rows);
    expect(bench.taken("copy")).toEqual(rows);
  });

  test("are asked for null, and given values for it", async () => {
    const orders = from("f")
      .filter((e) => e.gift.or(e.express.coalesce(false)).or(e.cents.isNull().not()))
      .map((e) => ({
        id: e.id,
        country: e.country.coalesce("unknown").upper(),
        known: e.country.isNull().not(),
        cents: e.cents.coalesce(0).add(1),
        dear: e.cents.coalesce(0).ge(100),
        either: e.cents.coalesce(when(e.gift, e.cents.coalesce(-1), null)),
        size: when(e.cents.isNull(), str("none"), str("some")),
        large: when(e.cents.coalesce(0).gt(60), e.cents, null),
        express: e.express,
        same: e.gift.eq(e.express.coalesce(true)),
        word: e.gift.toText(),
      }));
    const bench = new FlowBench(orders.toView("v", { key: "id" }));
    await bench.ingest("orders", some);
    expect(await bench.view("f", "v")).toEqual([
      {
        ...{ id: "a", country: "DE", known: true, cents: 101, dear: true, either: 100, size: "some", large: 100 },
        ...{ express: true, same: true, word: "true" },
      },
      {
        ...{ id: "c", country: "UNKNOWN", known: false, cents: 1, dear: false, either: -1, size: "none", large: null },
        ...{ express: null, same: true, word: "true" },
      },
      {
        ...{ id: "d", country: "FR", known: true, cents: 301, dear: true, either: 300, size: "some", large: 300 },
        ...{ express: false, same: true, word: "false" },
      },
      {
        ...{ id: "e", country: "DE", known: true, cents: 51, dear: false, either: 50, size: "some", large: null },
        ...{ express: null, same: false, word: "false" },
      },
    ]);
  });

  test("are null, true and false to functions, which may leave out what is optional", async () => {
    const fields = { id: text(), cents: optional(int64()), gift: boolean() };
    const flowed = from("f")
      .filterRows((e) => e.country !== null || e.gift)
      .flatMap(fields, (e) => [e, { id: `${e.id}!`, gift: !e.gift }])
      .mapRows(fields, ({ id, cents, gift }) => ({
        id,
        gift,
        ...(cents === null ? {} : { cents: Number(cents) * 2 }),
      }));
    const bench = new FlowBench(flowed.toView("v", { key: "id" }));
    await bench.ingest("orders", some.slice(0, 3));
    expect(await bench.view("f", "v")).toEqual([
      { id: "a", cents: 200, gift: true },
      { id: "a!", cents: null, gift: false },
      { id: "c", cents: null, gift: true },
      { id: "c!", cents: null, gift: false },
    ]);
  });

  test("of a function that gives null where there is always a value fail", async () => {
    const wrong = from("f").mapRows({ gift: boolean() }, () => ({ gift: null }) as never);
    const bench = new FlowBench(wrong.toView("v", { key: "gift" }));
    await expect(bench.ingest("orders", some)).rejects.toThrow('"gift": a field of kind boolean cannot be object null');
  });
});

const outputs = {
  n: count(),
  cents: sum("cents"),
  mean: avg("rate"),
  least: min("cents"),
  most: max("rate"),
  first: first("country"),
  last: last("country"),
  countries: distinct("country"),
  express: distinct("express"),
  ever: last("express"),
  best: top(2, { by: "cents", of: ["id", "express"] }),
  all: collect({ of: ["id", "country"] }),
  fast: reduce({
    to: int64(),
    init: () => 0,
    add: (n: number, e) => n + (e["express"] === true ? 1 : 0),
    merge: (a, b) => a + b,
    result: (n) => n,
  }),
};
/** Of all five. */
const gifts = {
  ...{ n: 2, cents: 100, mean: 0.5, least: 100, most: 0.5, first: "de", last: "de", countries: 1, express: 1 },
  ...{ ever: true, best: [{ id: "a", express: true }], fast: 1 },
  all: [
    { id: "a", country: "de" },
    { id: "c", country: null },
  ],
};
const others = {
  ...{ n: 3, cents: 350, mean: 1.5, least: 50, most: 1.5, first: "fr", last: "de", countries: 2, express: 1 },
  ...{ ever: false, fast: 0 },
  best: [
    { id: "d", express: false },
    { id: "e", express: null },
  ],
  all: [
    { id: "b", country: null },
    { id: "d", country: "fr" },
    { id: "e", country: "de" },
  ],
};

describe("aggregates heed no event without a value", () => {
  test("in groups for ever, by a boolean key, also behind a restart", async () => {
    const bench = new FlowBench(from("f").keyBy("gift").aggregate(outputs).toView("v"));
    await bench.ingest("orders", some.slice(0, 3));
    expect(await bench.view("f", "v", { key: "false" })).toEqual([
      {
        ...{ gift: false, n: 1, cents: 0, mean: null, least: null, most: null, first: null, last: null },
        ...{ countries: 0, express: 0, ever: null, best: [], all: [{ id: "b", country: null }], fast: 0 },
      },
    ]);
    bench.restart();
    await bench.ingest("orders", some.slice(3));
    expect(await bench.view("f", "v")).toEqual([
      { gift: false, ...others },
      { gift: true, ...gifts },
    ]);
    expect(await bench.view("f", "v", { key: "yes" })).toEqual([]);
  });

  test.each([
    ["tumbling", tumbling("10s")],
    ["session", session("10s")],
  ])("in %s windows, as events too", async (_, window) => {
    const results = from("f").keyBy("gift").window(window).aggregate(outputs);
    const given = results.map((e) => ({ gift: e.gift, least: e.least, mean: e.mean.coalesce(-1), ever: e.ever }));
    const bench = new FlowBench(sinks(results.toView("v"), given.toView("g", { key: "gift" })));
    await bench.ingest("orders", some);
    const rows = (await bench.view("f", "v")) as Array<Record<string, unknown>>;
    expect(
      rows
        .map(({ window: _window, final: _final, ...row }) => row)
        .toSorted((a, b) => Number(a["key"]) - Number(b["key"])),
    ).toEqual([
      { key: false, ...others },
      { key: true, ...gifts },
    ]);
    await bench.ingest("orders", [order("late", 60_000)]);
    expect(await bench.view("f", "g")).toEqual([
      { gift: false, least: 50, mean: 1.5, ever: false },
      { gift: true, least: 100, mean: 0.5, ever: true },
    ]);
  });

  test("in panes of sliding windows, with none at all in one of them", async () => {
    const given = from("f")
      .keyBy("gift")
      .window(sliding("4s", "2s"))
      .aggregate({ n: count(), cents: sum("cents"), least: min("cents"), last: last("country") });
    const bench = new FlowBench(given.toStream(stream("out", given.fields)));
    await bench.ingest(
      "orders",
      some.filter((_, at) => at < 3),
    );
    await bench.ingest("orders", [order("late", 60_000)]);
    expect(bench.taken("out")).toEqual(
      expect.arrayContaining([
        { gift: false, windowStart: 0, windowEnd: 4_000, n: 1, cents: 0, least: null, last: null },
        { gift: true, windowStart: 0, windowEnd: 4_000, n: 2, cents: 100, least: 100, last: "de" },
        { gift: true, windowStart: 2_000, windowEnd: 6_000, n: 1, cents: 0, least: null, last: null },
      ]),
    );
  });

  test("nor what is taken back of it", async () => {
    const flowed = from("f")
      .keyBy("id")
      .aggregate({ cents: max("cents"), gift: last("gift") });
    const bench = new FlowBench(
      flowed
        .keyBy("gift")
        .aggregate({ n: count(), cents: sum("cents"), mean: avg("cents") })
        .toView("v"),
    );
    await bench.ingest("orders", [order("a", 1_000), order("b", 1_000, { cents: 7 })]);
    expect(await bench.view("f", "v")).toEqual([{ gift: false, n: 2, cents: 7, mean: 7 }]);
    await bench.ingest("orders", [order("a", 2_000, { cents: 9 })]);
    expect(await bench.view("f", "v")).toEqual([{ gift: false, n: 2, cents: 16, mean: 8 }]);
    await bench.ingest("orders", [order("b", 3_000, { gift: true })]);
    expect(await bench.view("f", "v")).toEqual([
      { gift: false, n: 1, cents: 9, mean: 9 },
      { gift: true, n: 1, cents: 7, mean: 7 },
    ]);
  });
});

describe("keyed operators keep null, true and false, behind a restart too", () => {
  const Notes = stream("notes", { id: text(), note: optional(text()), good: optional(boolean()), at: timestamp() });
  const select = [
    { id: "a", country: "de", gift: true, note: null, good: true },
    { id: "b", country: null, gift: false, note: "b!", good: null },
  ];
  test.each(["window", "within", "all", "table"] as const)("join: %s", async (rule) => {
    const f = flow("f");
    const joining = f
      .from(Orders, { time: "at" })
      .keyBy("id")
      .join(f.from(Notes, { time: "at" }).keyBy("id"));
    const joined = {
      window: () => joining.window(tumbling("10s")),
      within: () => joining.within({ before: "10s", after: "10s" }),
      all: () => joining.all(),
      table: () => joining.table(),
    }[rule]();
    const pairs = joined
      .where((left, right) => left.gift.or(right.good.isNull()))
      .select((left, right) => ({
        ...{ id: left.id, country: left.country, gift: left.gift, note: right.note, good: right.good },
      }));
    const bench = new FlowBench(pairs.toView("v", { key: "id" }));
    const notes = [
      { id: "a", good: true, at: 1_000 },
      { id: "b", note: "b!", good: null, at: 1_000 },
      { id: "d", good: false, at: 1_000 },
    ];
    if (rule === "table") await bench.ingest("notes", notes);
    else await bench.ingest("orders", some);
    bench.restart();
    if (rule === "table") await bench.ingest("orders", some);
    else await bench.ingest("notes", notes);
    if (rule === "window") {
      await bench.ingest("orders", [order("z", 60_000)]);
      await bench.ingest("notes", [{ id: "z", at: 60_000 }]);
    }
    expect(((await bench.view("f", "v")) as Array<{ id: string }>).filter(({ id }) => id !== "z")).toEqual(select);
  });

  test("deduplicate", async () => {
    const newest = from("f").keyBy("gift").deduplicate({ keep: "last" });
    const bench = new FlowBench(newest.toView("v", { key: "gift" }));
    await bench.ingest("orders", some);
    bench.restart();
    await bench.ingest("orders", [order("old", 1)]);
    const shown = (await bench.view("f", "v")) as Array<Record<string, unknown>>;
    expect(shown.map(({ id, cents, express }) => [id, cents, express])).toEqual([
      ["e", 50, null],
      ["c", null, null],
    ]);
  });

  test("process, whose key is a boolean", async () => {
    const code = from("f")
      .keyBy("gift")
      .process({
        fields: { gift: boolean(), countries: optional(text()), at: timestamp() },
        state: () => [] as Array<string | null>,
        onEvent(ctx, e) {
          ctx.state.push(e.country);
          const known = ctx.state.filter((one) => one !== null);
          ctx.emit({
            gift: ctx.key === true,
            at: ctx.time,
            ...(known.length === 0 ? {} : { countries: known.join() }),
          });
        },
      });
    const bench = new FlowBench(code.toView("v", { key: "gift" }));
    await bench.ingest("orders", some.slice(0, 2));
    expect(await bench.view("f", "v")).toEqual([
      { gift: false, countries: null, at: 2_000 },
      { gift: true, countries: "de", at: 1_000 },
    ]);
    bench.restart();
    await bench.ingest("orders", some.slice(2));
    expect(await bench.view("f", "v")).toEqual([
      { gift: false, countries: "fr,de", at: 5_000 },
      { gift: true, countries: "de", at: 3_000 },
    ]);
  });

  test("union, and late events", async () => {
    const f = flow("f");
    const one = f.from(Orders, { time: "at" });
    const bench = new FlowBench(
      one
        .union(one.filter((e) => e.gift))
        .keyBy("gift")
        .window(tumbling("1s"))
        .aggregate({ n: count() })
        .toView("v"),
    );
    await bench.ingest("orders", some);
    await bench.ingest("orders", [order("late", 0, { express: false })]);
    expect(await bench.late("f")).toEqual([
      { id: "late", country: null, cents: null, rate: null, express: false, gift: false, at: 0 },
    ]);
  });
});
