/** Which fields of a stream's events an app reads, worked out by hand. */
import { expect, test } from "vitest";
import { fieldsRead } from "../../dataflow/reads.ts";
import {
  count,
  defineApp,
  type FlowDefinition,
  flow,
  int64,
  sinks,
  str,
  stream,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";

const In = stream("in", { a: int64(), b: int64(), c: text(), d: text(), at: timestamp() });
const Two = stream("two", { a: int64(), b: int64(), c: text(), d: text(), at: timestamp() });
const from = (name: string) => flow(name).from(In, { time: "at" });
const Out = stream("out", { a: int64() });
const Other = stream("other", { a: int64(), d: text() });

const read = (...flows: FlowDefinition[]) => fieldsRead(defineApp({ services: [], flows }), "in");

test("what an end shows, what tests and computed fields name, and event time", () => {
  const one = from("f")
    .filter((e) => e.b.gt(0))
    .map((e) => ({ a: e.a, unread: e.d }))
    .map((e) => ({ a: e.a }))
    .toStream(Out);
  expect(read(one)).toEqual(["a", "b", "at"]);
  expect(
    read(
      from("f")
        .filter((e) => e.c.eq("x"))
        .map((e) => ({ a: e.a.add(1), d: str("d") }))
        .toStream(Other),
    ),
  ).toEqual(["a", "c", "at"]);
});

test("several flows and branches together", () => {
  const one = from("f")
    .map((e) => ({ a: e.a }))
    .toStream(Out);
  const two = from("g")
    .map((e) => ({ a: e.b, d: e.d }))
    .toStream(Other);
  expect(read(one, two)).toEqual(["a", "b", "d", "at"]);
  const steps = from("h");
  const both = sinks(
    steps.map((e) => ({ a: e.a })).toStream(Out),
    steps.map((e) => ({ a: e.a, d: e.c })).toStream(Other),
  );
  expect(read(both)).toEqual(["a", "c", "at"]);
});

test("each side of a union", () => {
  const f = flow("f");
  const left = f.from(In, { time: "at" }).map((e) => ({ a: e.a, d: e.c, more: e.d }));
  const right = f.from(Two, { time: "at" }).map((e) => ({ a: e.b, d: str(""), more: e.d }));
  const app = defineApp({
    services: [],
    flows: [
      left
        .union(right)
        .map((e) => ({ a: e.a, d: e.d }))
        .toStream(Other),
    ],
  });
  expect(fieldsRead(app, "in")).toEqual(["a", "c", "at"]);
  expect(fieldsRead(app, "two")).toEqual(["b", "at"]);
});

test("all, where user code, a keyed operator, the window kernel or a reader gets whole events", () => {
  expect(
    read(
      from("f")
        .filterRows((e) => e.a === 1)
        .map((e) => ({ a: e.a }))
        .toStream(Out),
    ),
  ).toBeUndefined();
  expect(
    read(
      from("f")
        .keyBy("a")
        .deduplicate()
        .map((e) => ({ a: e.a }))
        .toStream(Out),
    ),
  ).toBeUndefined();
  expect(read(from("f").keyBy("a").window(tumbling("1m")).aggregate({ n: count() }).toView("v"))).toBeUndefined();
  expect(read(from("f").toView("v", { key: "a" }))).toBeUndefined();
  const Kept = stream("in", In.fields, { retention: "1h" });
  const kept = flow("f")
    .from(Kept, { time: "at" })
    .map((e) => ({ a: e.a }))
    .toStream(Out);
  expect(read(kept)).toBeUndefined();
  expect(fieldsRead(defineApp({ services: [], streams: [In] }), "in")).toBeUndefined();
  expect(fieldsRead(defineApp({ services: [] }), "in")).toBeUndefined();
});

test("a keyed operator behind a map reads what the map computes", () => {
  const narrow = from("f")
    .map((e) => ({ a: e.a, at: e.at }))
    .keyBy("a")
    .window(tumbling("1m"))
    .aggregate({ n: count() })
    .toView("v");
  expect(read(narrow)).toEqual(["a", "at"]);
});
