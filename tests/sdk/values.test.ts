/** The state codec: everything that it takes comes back equal, and everything else is named. */

import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VALUE_MAX_DEPTH } from "../../sdk/limits.ts";
import { isSameValue } from "../../sdk/same-value.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";

const roundTrip = (value: unknown): unknown => decodeValue(encodeValue(value));

const name = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("__proto__", "~t", "v", "constructor", "toJSON", "length"),
);
const storable = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom(null, undefined, true, false, 0, -0, Number.MAX_VALUE, 5e-324),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.integer({ min: 0xd7ff, max: 0xe000 }).map((unit) => String.fromCharCode(unit)) }),
      fc.bigInt(),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array(),
    ),
    fc.array(tie("value")),
    fc.array(fc.tuple(tie("value"), tie("value"))).map((entries) => new Map(entries)),
    fc.array(tie("value")).map((members) => new Set(members)),
    fc
      .array(
        fc.tuple(
          name,
          tie("value").filter((member) => member !== undefined),
        ),
      )
      .map((entries) => Object.fromEntries(entries)),
  ),
})).value;

describe("encodeValue and decodeValue", () => {
  test("give back a value equal to any that they take", () => {
    fc.assert(
      fc.property(storable, (value) => isDeepStrictEqual(roundTrip(value), value)),
      { numRuns: 1_000 },
    );
  });

  test("write plain values exactly as JSON does", () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: "medium" }), (value) => {
        fc.pre(!JSON.stringify(value).includes('"~t"') && !hasNegativeZero(value));
        expect(encodeValue(value)).toBe(JSON.stringify(value));
      }),
    );
  });

  test.each([
    ["a Date", { at: new Date(86_400_000) }],
    ["a bigint beyond 2^64", [2n ** 70n, -1n]],
    ["bytes", { key: new Uint8Array([0, 255, 128]) }],
    [
      "a Map with keys of any kind",
      new Map<unknown, unknown>([
        [1, "one"],
        ["1", { deep: new Map([[new Date(0), 1n]]) }],
      ]),
    ],
    ["a Set", new Set([1, "1", 1n, null])],
    ["-0", { balance: -0 }],
    ["undefined by itself", undefined],
    ["undefined in an array", [1, undefined, 3]],
    ["a user's object that looks like a tag", { "~t": "d", v: 0 }],
    [
      "a user's tag look-alike around a real one",
      { "~t": { "~t": "o", v: [{ "~t": new Date(1) }] }, other: new Set([1]) },
    ],
    ["a text that looks like a tag", { text: '{"~t":"d","v":0}' }],
    ["members named like prototype members", { constructor: 1, hasOwnProperty: 2n }],
  ])("carry %s", (_what, value) => {
    expect(isDeepStrictEqual(roundTrip(value), value)).toBe(true);
  });

  test("keep __proto__ an ordinary member, beside special values too", () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":true},"n":1}');
    for (const candidate of [value, { inner: value, at: new Date(0) }]) {
      const back = roundTrip(candidate);
      expect(isDeepStrictEqual(back, candidate)).toBe(true);
      expect(Reflect.get(back as object, "polluted")).toBeUndefined();
    }
    const tagged = roundTrip(Object.fromEntries([["__proto__", new Date(5)]])) as object;
    expect(Object.getPrototypeOf(tagged)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(tagged, "__proto__")?.value).toEqual(new Date(5));
  });

  test("drop members that are undefined, as JSON does", () => {
    expect(encodeValue({ a: undefined, b: 1 })).toBe('{"b":1}');
    expect(roundTrip({ a: undefined, at: new Date(0) })).toStrictEqual({ at: new Date(0) });
  });

  test("make copies of what is referred to twice", () => {
    const shared = { at: new Date(1) };
    const back = roundTrip([shared, { shared }]) as [unknown, { shared: unknown }];
    expect(back).toStrictEqual([shared, { shared }]);
    expect(back[0]).not.toBe(back[1].shared);
  });

  test("carry objects without a prototype as ordinary ones", () => {
    expect(roundTrip(Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 });
  });

  test("take a value as deep as the limit", () => {
    const nested = nest(VALUE_MAX_DEPTH);
    expect(isDeepStrictEqual(roundTrip(nested), nested)).toBe(true);
  });

  class Account {
    balance = 0;
  }
  class Ledger extends Map<string, number> {}
  const cycle: { inner: { back?: unknown } } = { inner: {} };
  cycle.inner.back = cycle;
  test.each([
    ["NaN", { a: [NaN] }, "/a/0", "NaN"],
    ["Infinity", -Infinity, "", "-Infinity"],
    ["a function", { a: { "b/c~d": () => 1 } }, "/a/b~1c~0d", "a function"],
    ["a symbol", [Symbol("s")], "/0", "a symbol"],
    ["a class instance", { a: new Account() }, "/a", "an instance of Account"],
    ["an instance of a subclass of Map", new Ledger(), "", "an instance of Ledger"],
    ["a regular expression", { a: /x/ }, "/a", "an instance of RegExp"],
    ["other typed arrays", { a: new Float64Array(1) }, "/a", "an instance of Float64Array"],
    ["a promise that was not awaited", { a: Promise.resolve(1) }, "/a", "an instance of Promise"],
    ["an invalid Date", { at: new Date(NaN) }, "/at", "an invalid Date"],
    ["a cycle", cycle, "/inner/back", "a reference to one of its own parents"],
    ["a value in a Map", new Map([["k", NaN]]), "/0/1", "NaN"],
    ["a value in a Set", new Set([NaN]), "/0", "NaN"],
    ["what is nested too deeply", nest(VALUE_MAX_DEPTH + 1), "/a".repeat(VALUE_MAX_DEPTH), "nested more than"],
  ])("refuse %s and say where it is", (_what, value, path, reason) => {
    expect(() => encodeValue(value)).toThrow(TypeError);
    expect(() => encodeValue(value)).toThrow(`at "${path}" is ${reason}`);
  });

  test("name in the error what they were given", () => {
    expect(() => encodeValue({ a: NaN })).toThrow('the value cannot be stored or sent: at "/a" is NaN');
    expect(() => encodeValue({ a: NaN }, "the state")).toThrow('the state cannot be stored or sent: at "/a" is NaN');
  });

  test("refuse a tag that they never wrote", () => {
    expect(() => decodeValue('{"~t":"x"}')).toThrow('unknown tag "x"');
  });
});

describe("values", () => {
  const at = new Date(5);
  test.each([
    [{ by: "ann", at }, { at, by: "ann" }, true],
    [{ a: [{ b: 1n, c: 2 }] }, { a: [{ c: 2, b: 1n }] }, true],
    [JSON.parse('{"__proto__":1,"a":2}'), JSON.parse('{"a":2,"__proto__":1}'), true],
    [{ by: "ann", at: 1 }, { by: "bob", at: 1 }, false],
    [[1, 2], [2, 1], false],
    [{ x: { a: 1 }, y: [["a", 1]] }, { x: [["a", 1]], y: { a: 1 } }, false],
    [undefined, null, false],
  ])("are the same in whatever order their members are: %#", (one, other, same) => {
    expect(isSameValue(one, other)).toBe(same);
  });
});

function nest(levels: number): unknown {
  let value: unknown = { leaf: true };
  for (let level = 1; level < levels; level++) value = { a: value };
  return value;
}

function hasNegativeZero(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.values(value).some(hasNegativeZero);
  return Object.is(value, -0);
}
