/** Boolean, optional and nested fields of streams: what they record, what is refused, and events as JSON. */
import { describe, expect, test } from "vitest";
import { byPath, eventText } from "../../sdk/event-text.ts";
import {
  boolean,
  count,
  flow,
  int64,
  max,
  nested,
  optional,
  stream,
  sum,
  text,
  timestamp,
  tumbling,
} from "../../sdk/index.ts";

const misconfigured = (message: RegExp): unknown =>
  expect.objectContaining({ type: "misconfigured", message: expect.stringMatching(message) });
const Orders = stream("orders", {
  id: nested("order.id", text()),
  country: optional(nested("order.address.country", text())),
  cents: nested(["v1.total", "cents"], optional(int64())),
  gift: boolean(),
  amount: int64(),
  at: timestamp(),
});

test("are columns as the kernels want them", () => {
  expect(Orders.columns).toEqual([
    { name: "id", type: "text", path: ["order", "id"] },
    { name: "country", type: "text", optional: true, path: ["order", "address", "country"] },
    { name: "cents", type: "i64", optional: true, path: ["v1.total", "cents"] },
    { name: "gift", type: "bool" },
    { name: "amount", type: "i64" },
    { name: "at", type: "i64" },
  ]);
});

test.each([
  [
    "a path through another's value",
    { a: int64(), b: nested("a.b", int64()) },
    /"b".*leads through the value of another field/,
  ],
  [
    "a path to an object with fields",
    { b: nested("a.b", int64()), a: int64() },
    /"a".*is that of another field, or of an object/,
  ],
  ["the same path twice", { a: nested("x", int64()), b: nested("x", int64()) }, /"b".*is that of another field/],
  ["an empty name", { a: nested("x..y", int64()) }, /"a".*must name members/],
  ["no path", { a: nested([], int64()) }, /must name members/],
  [
    "too many objects",
    Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`f${at}`, nested(`o${at}.x`, int64())])),
    /more than 14 objects/,
  ],
])("refuse %s", (_, fields, message) => {
  expect(() => stream("s", fields)).toThrow(misconfigured(message));
});

describe("in a flow", () => {
  const orders = () => flow("f").from(Orders, { time: "at" });
  const untyped = (step: unknown): Record<string, (...args: unknown[]) => unknown> =>
    step as Record<string, (...args: unknown[]) => unknown>;

  test("forget where they were in JSON: the state of operators does not depend on it", () => {
    expect(orders().fields).toEqual({
      ...{ id: { kind: "text" }, country: { kind: "text", optional: true }, cents: { kind: "int64", optional: true } },
      ...{ gift: { kind: "boolean" }, amount: { kind: "int64" }, at: { kind: "timestamp" } },
    });
  });

  test.each([
    [
      "compare",
      (e: never) => untyped(e["country"])["eq"]?.("de"),
      /country may be null: use coalesce\(\) or isNull\(\) first/,
    ],
    ["are compared", (e: never) => untyped(e["amount"])["eq"]?.(e["cents"]), /cents may be null/],
    ["are no condition", (e: never) => untyped(e["gift"])["and"]?.(e["gone"] ?? e["cents"]), /something that is none/],
    ["are never null", (e: never) => untyped(e["gift"])["isNull"]?.(), /gift is never null/],
    ["need none for null", (e: never) => untyped(e["gift"])["coalesce"]?.(true), /gift is never null/],
    ["are not of another kind", (e: never) => untyped(e["cents"])["coalesce"]?.("no"), /cents" is int64/],
  ])("%s", (_, test_, message) => {
    expect(() => untyped(orders())["filter"]?.(test_)).toThrow(misconfigured(message));
  });

  test("are keys and times only where they have a value", () => {
    expect(() => untyped(orders())["keyBy"]?.("country")).toThrow(
      misconfigured(/"country" is optional and cannot be its key: give it a value with coalesce\(\) first/),
    );
    const Late = stream("late", { at: optional(timestamp()) });
    expect(() => flow("f").from(Late, { time: "at" as never })).toThrow(misconfigured(/cannot be its time/));
    expect(() => untyped(orders())["mapRows"]?.({ a: nested("b", int64()) }, () => ({}))).toThrow(
      misconfigured(/"a" of flow "f" is nested/),
    );
  });

  test("go into a stream whose fields may be null, and not from there where they may not", () => {
    const one = { amount: int64(), gift: boolean() };
    const some = orders().map((e) => ({ amount: e.amount, gift: e.gift }));
    some.toStream(stream("loose", { ...one, amount: optional(int64()) }));
    const loose = orders().map((e) => ({ amount: e.cents, gift: e.gift }));
    expect(() => loose.toStream(stream("strict", one) as never)).toThrow(
      misconfigured(/needs field "amount" to be int64, and it is optional int64/),
    );
    expect(() => untyped(some)["union"]?.(flow("f").from(Orders, { time: "at" }))).toThrow(/united with another flow/);
  });

  test("leave flows to the window kernel that do not group or sum them", () => {
    const kernel = orders()
      .keyBy("id")
      .window(tumbling("1m"))
      .aggregate({ n: count(), most: max("amount") })
      .toView("v");
    expect(kernel.windowed).not.toBeNull();
    const byGift = orders().keyBy("gift").window(tumbling("1m")).aggregate({ n: count() }).toView("v");
    const ofCents = orders()
      .keyBy("id")
      .window(tumbling("1m"))
      .aggregate({ n: sum("cents") })
      .toView("v");
    const gifts = orders()
      .filter((e) => e.gift)
      .keyBy("id")
      .window(tumbling("1m"))
      .aggregate({ n: count() })
      .toView("v");
    expect([byGift.windowed, ofCents.windowed, gifts.windowed]).toEqual([null, null, null]);
  });
});

test("events by name are JSON by path, exact, without what is not there", () => {
  const event = { id: "a", country: null, cents: 2n ** 62n, gift: true, at: 5, other: 1 };
  expect(eventText(byPath(Orders.columns, event))).toBe(
    '{"order":{"id":"a","address":{"country":null}},"v1.total":{"cents":4611686018427387904},"gift":true,"at":5}',
  );
  const odd = stream("odd", { a: nested("__proto__.constructor", int64()), b: nested("toString", int64()) });
  expect(eventText(byPath(odd.columns, { a: 1, b: 2 }))).toBe('{"__proto__":{"constructor":1},"toString":2}');
  expect(eventText({ a: 1n, b: undefined, c: [1] })).toBe('{"a":1,"c":[1]}');
});
