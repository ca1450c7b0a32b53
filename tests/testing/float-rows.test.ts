/** Numbers of rows and events as the client's types say: a float64 is a number, however large, and an int64 beyond 2^53 a bigint. */
import { collect, flow, float64, int64, sinks, stream, sum, text, timestamp, top, tumbling } from "tidegate";
import { expect, test } from "vitest";
import { rowsOf } from "../../dataflow/columns/rows.ts";
import type { ShardStore } from "../../dataflow/operators/store.ts";
import { Upsert } from "../../dataflow/operators/upsert.ts";
import { testApp } from "../../testing/index.ts";

const LARGE = 1e17;
const WHOLE = 2n ** 60n + 1n;
const fields = { k: text(), x: float64(), n: int64(), at: timestamp() };
const Samples = stream("samples", fields, { retention: "1h" });
const totals = { x: sum("x"), n: sum("n") };
const flows = [
  flow("windowed").from(Samples, { time: "at" }).keyBy("k").window(tumbling("1m")).aggregate(totals).toView("windows"),
  flow("running").from(Samples, { time: "at" }).keyBy("k").aggregate(totals).toView("running"),
  flow("newest").from(Samples, { time: "at" }).toView("newest", { key: "k" }),
  flow("filtered").from(Samples, { time: "at" }).keyBy("k").deduplicate({ ttl: "1h" }).toView("first", { key: "k" }),
];

test("in events, in rows of every kind, and in rows that are ranked", async () => {
  const app = testApp({ services: [], flows });
  const client = app.client({});
  await client.stream(Samples).send([{ k: "a", x: LARGE, n: WHOLE, at: 1_000 }]);
  for await (const { event } of client.stream(Samples).read({ after: "-1", follow: false }))
    expect(event).toEqual({ k: "a", x: LARGE, n: WHOLE, at: 1_000 });
  for (const view of ["windows", "running", "newest", "first"]) {
    const [row] = (await client.view(view).get()).rows;
    expect([view, row]).toEqual([view, expect.objectContaining({ x: LARGE, n: WHOLE })]);
    const [top] = (await client.view(view).get(undefined, { top: "x" })).rows;
    expect([view, top]).toEqual([view, row]);
  }
});

test("in lists, wherever these are shown", async () => {
  const kept = { collected: collect({ of: ["x", "n"] }), greatest: top(1, { by: "x", of: ["x", "n"] }) };
  const running = flow("running-lists").from(Samples, { time: "at" }).keyBy("k").aggregate(kept);
  const windows = flow("window-lists").from(Samples, { time: "at" }).keyBy("k").window(tumbling("1m")).aggregate(kept);
  const lists = running.map((e) => ({ k: e.k, collected: e.collected, greatest: e.greatest }));
  const app = testApp({
    services: [],
    flows: [sinks(running.toView("running"), lists.toView("rows", { key: "k" })), windows.toView("windows")],
  });
  const client = app.client({});
  await client.stream(Samples).send([{ k: "a", x: LARGE, n: WHOLE, at: 1_000 }]);
  const list = [{ x: LARGE, n: WHOLE }];
  for (const view of ["running", "rows", "windows"]) {
    const [row] = (await client.view(view).get()).rows;
    expect([view, row]).toEqual([view, expect.objectContaining({ collected: list, greatest: list })]);
  }
});

test("a row that an earlier version of the engine stored is taken back all the same", () => {
  const entries = new Map<string, string>();
  const store: ShardStore = {
    get: (_, key) => entries.get(key) ?? null,
    put: (_, key, value) => void (value === null ? entries.delete(key) : entries.set(key, value)),
    drop: (_, key) => void entries.delete(key),
    range: () => [],
  };
  const upsert = new Upsert({ keys: ["k"], names: ["k", "x", "list"], json: new Set(["list"]) });
  const list = '[{"x":-1.5e+17,"t":"\\"1e+17"}]';
  const change = (sign: 1 | -1): void => {
    const row = { k: "a", x: LARGE, list };
    const rows = rowsOf({ k: text(), x: float64(), list: text() }, [row], Float64Array.of(0), Int8Array.of(sign));
    upsert.apply({ inputs: [rows], before: 0, after: 0, now: 0 }, store);
  };
  change(1);
  const [[key, row] = []] = [...entries] as [[string, string]];
  expect(row).toBe(`{"k":"a","x":1e+17,"list":${list}}`);
  change(-1);
  expect(entries.size).toBe(0);
  const earlierList = '[{"x":-150000000000000000,"t":"\\"1e+17"}]';
  for (const x of ["1e+17", "100000000000000000"]) {
    entries.set(key as string, `{"k":"a","x":${x},"list":${earlierList}}`);
    change(-1);
    expect(entries.size).toBe(0);
  }
});
