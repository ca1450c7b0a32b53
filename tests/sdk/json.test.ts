/** Results as HTTP clients see them. */

import { describe, expect, expectTypeOf, test } from "vitest";
import { toJson } from "../../sdk/json.ts";
import type { JsonOf } from "../../sdk/json.ts";

describe("toJson", () => {
  test.each([
    ["plain values as they are", { a: [1, "x", null, true] }, '{"a":[1,"x",null,true]}'],
    ["a Date as ISO text", { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    ["a bigint as decimal text", [2n ** 64n], '["18446744073709551616"]'],
    ["bytes as base64", new Uint8Array([251, 255]), '"+/8="'],
    ["a Map as pairs", new Map([["a", 1n]]), '[["a","1"]]'],
    ["a Set as an array", new Set([1, new Date(0)]), '[1,"1970-01-01T00:00:00.000Z"]'],
    ["nothing as null", undefined, "null"],
    ["nothing in an array as null", [undefined, 1n], '[null,"1"]'],
    ["no undefined members", { a: undefined, b: 1n }, '{"b":"1"}'],
    ["-0 as 0", [-0], "[0]"],
    ["the codec's own marker as an ordinary member", { "~t": "d", v: 1n }, '{"~t":"d","v":"1"}'],
    ["a member without a name", { "": 1 }, '{"":1}'],
  ])("writes %s", (_what, value, text) => {
    expect(toJson(value)).toBe(text);
  });

  test("refuses what JSON cannot say", () => {
    expect(() => toJson({ rate: NaN })).toThrow('at "/rate" is NaN');
    expect(() => toJson({ at: new Date(NaN) })).toThrow("an invalid Date");
  });

  test("has the type that it says", () => {
    interface Row {
      at: Date;
      total?: bigint;
      tags: ReadonlySet<string>;
      by: Map<number, { bytes: Uint8Array }>;
      pair: [Date, number];
    }
    expectTypeOf<JsonOf<Row>>().toEqualTypeOf<{
      at: string;
      total?: string | undefined;
      tags: string[];
      by: Array<[number, { bytes: string }]>;
      pair: [string, number];
    }>();
    expectTypeOf<JsonOf<void>>().toEqualTypeOf<null>();
    expectTypeOf<JsonOf<unknown>>().toEqualTypeOf<unknown>();
  });
});
