/** What breaks clients of a deployed app, from two documents: made by the real generator from real contracts. */
import {
  contract,
  defineApp,
  fn,
  type Functions,
  int64,
  nested,
  noData,
  query,
  service,
  stream,
  text,
  timestamp,
  flow,
  tumbling,
  count,
} from "tidegate";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { added, compare } from "../../cli/check/compare.ts";
import { gaps } from "../../cli/check/subset.ts";
import { openApiDocument } from "../../worker/openapi/document.ts";

function documentOf(functions: Functions, fields: Parameters<typeof stream>[1] = { at: timestamp() }): unknown {
  const declared = contract("one", { stays: fn({}), ...functions });
  const handlers = Object.fromEntries(Object.keys({ stays: 0, ...functions }).map((name) => [name, () => undefined]));
  const made = service(declared, { state: () => 0 }, handlers as never);
  const visits = flow("visits")
    .from(
      stream("visits", { page: text(), ...fields } as {
        page: ReturnType<typeof text>;
        at: ReturnType<typeof timestamp>;
      }),
      { time: "at", outOfOrderness: "1s" },
    )
    .keyBy("page")
    .window(tumbling("1m"))
    .aggregate({ visits: count() })
    .toView("visits");
  return JSON.parse(JSON.stringify(openApiDocument(defineApp({ services: [made], flows: [visits] }))));
}
const breaks = (before: Functions, after: Functions): string[] =>
  compare(documentOf(before), documentOf(after)).map(({ operation, what }) => `${operation}: ${what}`);
const input = (schema: z.ZodType): Functions => ({ go: fn({ input: schema }) });
const output = (schema: z.ZodType): Functions => ({ go: fn({ output: schema }) });

describe("nothing breaks when", () => {
  const tree: z.ZodType = z.object({
    name: z.string(),
    get children() {
      return z.array(tree);
    },
  });
  const kind = <K extends string>(name: K) => z.object({ kind: z.literal(name), size: z.int() });
  const shapes = z.discriminatedUnion("kind", [kind("a"), kind("b")]);
  const overlapping: z.ZodType = z.xor([
    z.object({ a: z.int() }),
    z.object({
      get b() {
        return overlapping.optional();
      },
    }),
  ]);
  const [one, two] = [z.object({ a: z.int() }), z.object({ b: z.int() })];
  const either = z.xor([one, two]);
  test.each<[string, Functions, Functions]>([
    ["nothing changes", input(z.object({ a: z.int() })), input(z.object({ a: z.int() }))],
    ["a recursive schema stays", input(tree), input(tree)],
    ["a function is added", {}, { go: fn({}) }],
    ["an optional member is taken", input(z.object({})), input(z.object({ a: z.int().optional() }))],
    [
      "an optional member is taken where any others pass, too",
      input(z.looseObject({ a: z.int() })),
      input(z.looseObject({ a: z.int(), b: z.int().optional() })),
    ],
    ["a member is not asked for any more", input(z.object({ a: z.int() })), input(z.object({}))],
    ["bounds of an input widen", input(z.int().min(5).max(9)), input(z.int().min(1).max(90))],
    ["an input may be one thing more", input(z.enum(["a"])), input(z.enum(["a", "b"]))],
    ["one of some values may be anything of their length", input(z.enum(["a", "bb"])), input(z.string().min(1).max(2))],
    ["one of some numbers may be any between them", input(z.literal([1, 2])), input(z.number().min(1).lt(3))],
    ["an integer may be any number", input(z.int()), input(z.number())],
    ["a result has a member more", output(z.object({ a: z.int() })), output(z.object({ a: z.int(), b: z.string() }))],
    ["bounds of a result narrow", output(z.int().max(90)), output(z.int().max(9))],
    ["a result is one thing less", output(z.union([z.string(), z.null()])), output(z.string())],
    ["an input may be left out", input(z.object({ a: z.int() })), input(z.object({ a: z.int() }).default({ a: 1 }))],
    ["a result is no longer nothing", output(z.int().optional()), output(z.int())],
    ["a tuple has one place more", input(z.tuple([z.int()])), input(z.tuple([z.int(), z.string().optional()]))],
    [
      "a record has a member of its own",
      input(z.record(z.string(), z.int())),
      input(z.object({ a: z.int().optional() })),
    ],
    [
      "a record of some names has another member",
      input(z.record(z.enum(["a"]), z.int())),
      input(z.object({ a: z.int(), b: z.string().optional() })),
    ],
    ["one kind of several is added", input(z.discriminatedUnion("kind", [kind("a")])), input(shapes)],
    ["several kinds stay", input(shapes), input(shapes)],
    ["alternatives that overlap stay", input(overlapping), input(overlapping)],
    ["alternatives that overlap stay, or nothing", output(either.optional()), output(either.optional())],
    ["such a result is no longer nothing", output(either.optional()), output(either)],
    ["such an input may be null, too", input(either), input(either.nullable())],
    ["one of them has words", input(either), input(z.xor([one.describe("the first"), two]))],
    ["a recursive one of them has words", input(z.xor([tree, two])), input(z.xor([tree.describe("a tree"), two]))],
    ["a recursive schema that may be null stays", input(tree.nullable()), input(tree.nullable())],
    ["a recursive result is no longer null", output(tree.nullable()), output(tree)],
    ["a refusal goes", { go: fn({ refusals: { no: noData } }) }, { go: fn({}) }],
  ])("%s", (_what, before, after) => {
    expect(breaks(before, after)).toEqual([]);
  });
});

describe("clients break when", () => {
  test.each<[string, Functions, Functions, RegExp]>([
    ["a function is gone", { go: fn({}), on: fn({}) }, { on: fn({}) }, /go: is not there any more/],
    [
      "one of some values is too short",
      input(z.enum(["a", "bb"])),
      input(z.string().min(2)),
      /: it: minLength is 2 now, and was not bounded$/,
    ],
    [
      "one of some numbers is out of bounds",
      input(z.literal([1, 2])),
      input(z.number().gt(1)),
      /: it: exclusiveMinimum is 1 now, and was not bounded$/,
    ],
    ["a value is too long", input(z.literal("four")), input(z.string().max(3)), /: it: maxLength is 3 now/],
    ["a query may write now", { go: query({}) }, { go: fn({}) }, /^GET .*go: is not there any more/],
    ["an input is asked for", { go: fn({}) }, input(z.object({ a: z.int() })), /takes a body/],
    ["a member must be there", input(z.object({})), input(z.object({ a: z.int() })), /\/a must be there now/],
    [
      "a member is of another type",
      input(z.object({ a: z.int() })),
      input(z.object({ a: z.string() })),
      /\/a: its type is string now, and was integer/,
    ],
    ["an item is of another type", input(z.array(z.int())), input(z.array(z.string())), /\/\*: its type/],
    [
      "a nested member is of another type",
      input(z.object({ a: z.object({ b: z.string() }) })),
      input(z.object({ a: z.object({ b: z.int() }) })),
      /\/a\/b: its type/,
    ],
    ["an input may be less", input(z.string().max(9)), input(z.string().max(5)), /maxLength is 5 now, and was 9/],
    ["an input is bounded", input(z.string()), input(z.string().max(5)), /maxLength is 5 now, and was not bounded/],
    [
      "an input may not be one of its values",
      input(z.enum(["a", "b"])),
      input(z.enum(["a"])),
      /its value is "a" now, and was "a" or "b"/,
    ],
    ["a pattern is asked for", input(z.string()), input(z.string().regex(/^a/)), /another pattern/],
    ["unknown members are refused", input(z.object({ a: z.int() })), input(z.strictObject({})), /\/a is another type/],
    [
      "a result lacks a member",
      output(z.object({ a: z.int(), b: z.int() })),
      output(z.object({ a: z.int() })),
      /\/b may be missing now/,
    ],
    [
      "a result may lack a member",
      output(z.object({ a: z.int() })),
      output(z.object({ a: z.int().optional() })),
      /\/a may be missing now/,
    ],
    [
      "an input must be there",
      input(z.object({ a: z.int() }).optional()),
      input(z.object({ a: z.int() })),
      /POST .*go: a body of application\/json must be there now/,
    ],
    [
      "an input of a query must be there",
      { go: query({ input: z.string().default("a") }) },
      { go: query({ input: z.string() }) },
      /GET .*go: \?input= must be there now/,
    ],
    ["a result may be nothing", output(z.int()), output(z.int().optional()), /its type is null now, and was integer/],
    [
      "the data of a refusal may be nothing",
      { go: fn({ refusals: { no: z.string() } }) },
      { go: fn({ refusals: { no: z.string().optional() } }) },
      /the data of \/problems\/one\/no: it: its type is null now/,
    ],
    [
      "what follows in a tuple is of another type",
      input(z.tuple([z.int()], z.union([z.int(), z.string()]))),
      input(z.tuple([z.int()], z.int())),
      /\/\*: its type is integer now, and was string/,
    ],
    [
      "a member is asked for where any others pass",
      input(z.looseObject({})),
      input(z.looseObject({ a: z.int() })),
      /\/a must be there now/,
    ],
    [
      "no others pass any more",
      input(z.looseObject({ a: z.int() })),
      input(z.strictObject({ a: z.int(), b: z.int().optional() })),
      /\/\* is another type/,
    ],
    [
      "a record of anything has a member of one type",
      input(z.record(z.string(), z.unknown())),
      input(z.looseObject({ a: z.int().optional() })),
      /\/a: its type is integer now/,
    ],
    [
      "a member of a result may be anything, as any others",
      output(z.looseObject({ a: z.int().optional() })),
      output(z.looseObject({})),
      /\/a: its type is anything now/,
    ],
    [
      "a record has a member of another type",
      input(z.record(z.string(), z.int())),
      input(z.object({ a: z.string().optional() })),
      /\/a: its type is string now, and was integer/,
    ],
    [
      "several alternatives fit, of which one must",
      input(z.int()),
      input(z.xor([z.number(), z.int()])),
      /may fit several of the alternatives/,
    ],
    [
      "one kind of several is gone",
      input(z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") }), z.object({ kind: z.literal("b") })])),
      input(z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") })])),
      /fits none of the alternatives any more/,
    ],
    ["a result is of another type", output(z.int()), output(z.string()), /its type is string now, and was integer/],
    [
      "a result may be null",
      output(z.string()),
      output(z.string().nullable()),
      /its type is string or null now, and was string/,
    ],
    ["a result may be another value", output(z.enum(["a"])), output(z.enum(["a", "b"])), /its value is "a" or "b" now/],
    [
      "a refusal is new",
      { go: fn({}) },
      { go: fn({ refusals: { no: noData } }) },
      /may refuse with \/problems\/one\/no now/,
    ],
    [
      "a refusal tells something else",
      { go: fn({ refusals: { no: z.object({ left: z.int() }) } }) },
      { go: fn({ refusals: { no: z.object({}) } }) },
      /the data of \/problems\/one\/no: \/left may be missing/,
    ],
  ])("%s", (_what, before, after, told) => {
    const found = breaks(before, after);
    expect(found.join("\n")).toMatch(told);
  });

  test.each([
    ["a member that is called like words", { description: { type: "string" } }, { description: { type: "integer" } }],
    ["a value that has such a member", { a: { const: { title: "a" } } }, { a: { const: { title: "b" } } }],
    ["a member of a name that all objects have", { a: {} }, { a: {}, toString: { type: "string" } }],
  ])("alternatives of which one must fit differ in %s", (_what, before, after) => {
    const either = (properties: object) => ({
      schema: { oneOf: [{ type: "object", properties, required: Object.keys(properties) }, { type: "object" }] },
      document: {},
    });
    expect(gaps(either(before), either(before))).toEqual([]);
    expect(gaps(either(after), either(before))).not.toEqual([]);
  });

  test("definitions that lead to each other are compared once each", () => {
    const names = Array.from({ length: 12 }, (_, n) => `n${n}`);
    const members = Object.fromEntries(names.map((name) => [name, { $ref: `#/$defs/${name}` }]));
    const document = (last: string) => ({
      $defs: Object.fromEntries(
        names.map((name, n) => [name, { properties: { ...members, end: { type: n < 11 ? "string" : last } } }]),
      ),
    });
    const schema = { oneOf: [{ $ref: "#/$defs/n0" }, { type: "null" }] };
    const placed = { schema, document: document("string") };
    expect(gaps(placed, { schema, document: document("string") })).toEqual([]);
  });

  test.each(["properties", "anyOf", "oneOf"])("many of them, by %s, take no longer for what has changed", (by) => {
    const names = Array.from({ length: 40 }, (_, n) => `n${n}`);
    const references = names.map((name) => ({ $ref: `#/$defs/${name}` }));
    // Each tells itself apart by what it is, and all have all others within.
    const definition = (name: string, end: string) => {
      const members = Object.fromEntries(names.map((other, n) => [other, references[n]]));
      const within = by === "properties" ? members : { any: { [by]: [...references, { type: "null" }] } };
      const properties = { is: { const: name }, ...within, end: { type: name === "n39" ? end : "string" } };
      return { type: "object", properties, required: ["is", "any"] };
    };
    const placed = (end: string) => ({
      schema: { $ref: "#/$defs/n0" },
      document: { $defs: Object.fromEntries(names.map((name) => [name, definition(name, end)])) },
    });
    const begun = performance.now();
    const found = gaps(placed("integer"), placed("string"));
    expect(gaps(placed("number"), placed("integer"))).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(5_000);
    const said =
      by === "properties" ? "/n39/end: its type is integer now" : "/any fits none of the alternatives any more";
    expect(found.some((gap) => gap.includes(said))).toBe(true);
  });

  test("a recursive schema is written in another place, and takes more", () => {
    const nodes = (more: object) => {
      const next = { type: "object", properties: { next: { $ref: "#/$defs/node" }, ...more } };
      return { $defs: { node: { type: "object", properties: { next, ...more } } } };
    };
    const short = { schema: { $ref: "#/$defs/node" }, document: nodes({ id: { type: "integer" } }) };
    const schema = { type: "object", properties: { next: { $ref: "#/$defs/node" } } };
    expect(gaps({ schema, document: nodes({}) }, short)).toEqual([]);
    expect(gaps(short, { schema, document: nodes({ id: { type: "string" } }) })).not.toEqual([]);
  });

  test("something is asked for beside alternatives that stay", () => {
    const anyOf = [{ type: "object" }, { type: "null" }];
    const document = {};
    const found = gaps({ schema: { anyOf, required: ["a"] }, document }, { schema: { type: "object" }, document });
    expect(found).toEqual(["/a must be there now"]);
  });

  test("an event must have another field", () => {
    const found = compare(documentOf({}), documentOf({}, { at: timestamp(), amount: int64() }));
    expect(new Set(found.map(({ operation }) => operation))).toEqual(new Set(["POST /v1/streams/visits"]));
    expect(found.map(({ what }) => what)).toContain("a body of application/x-ndjson: /amount must be there now");
  });

  test("two schemas have the same text and lead elsewhere", () => {
    const document = (inner: object) => ({
      paths: {
        "/a": {
          post: { requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/A" } } } } },
        },
      },
      components: {
        schemas: { A: { type: "object", properties: { b: { $ref: "#/components/schemas/B" } } }, B: inner },
      },
    });
    expect(compare(document({ type: "string" }), document({ type: "integer" }))).toHaveLength(1);
  });
});

describe("a document of an engine that did not say what may be nothing", () => {
  /** As such an engine wrote it. */
  function older(functions: Functions): unknown {
    const { "x-tidegate-document": _mark, ...document } = documentOf(functions) as Record<string, unknown>;
    const asBefore = (name: string, value: unknown): unknown => {
      const { anyOf, requestBody, ...rest } = Object(value) as Record<string, { required?: boolean }[]>;
      if (anyOf?.[0] && "$ref" in anyOf[0]) return anyOf[0];
      if (requestBody) return { ...rest, requestBody: { ...requestBody, required: false } };
      return name === "parameters" && Array.isArray(value) ? value.map(({ required: _new, ...one }) => one) : value;
    };
    return JSON.parse(JSON.stringify(document, asBefore));
  }
  const all = {
    go: query({ input: z.object({ a: z.int() }), output: z.object({ a: z.int() }).optional() }),
    write: fn({ input: z.int(), refusals: { no: z.string().optional(), none: noData } }),
  };

  test("is compatible with the same app", () => {
    const [before, now] = [older(all), documentOf(all)];
    expect(compare(before, now)).toEqual([]);
    expect(compare(now, before)).toEqual([]);
  });

  test("is compatible with the same stream, whose events it showed as they are sent", () => {
    const made = stream("notes", { id: nested("order.id", text()) }, { retention: "1h" });
    const now = JSON.parse(JSON.stringify(openApiDocument(defineApp({ services: [], streams: [made] }))));
    const { "x-tidegate-document": _mark, ...before } = structuredClone(now);
    before.components.schemas["stream.notes.kept"] = { $ref: "#/components/schemas/stream.notes.event" };
    expect(compare(before, now)).toEqual([]);
    expect(compare({ ...before, "x-tidegate-document": 2 }, now)).not.toEqual([]);
  });

  test("is compatible with the same members called default and enum, whose references it left as they were", () => {
    const tree: z.ZodType = z.object({
      name: z.string(),
      get default() {
        return tree.optional();
      },
    });
    const both = z.object({ tree, enum: tree.optional(), kind: z.xor([tree, z.null()]) });
    // The first refers to its root, the second to a definition.
    for (const schema of [tree, both]) {
      const all = { go: fn({ input: schema, output: schema, refusals: { no: schema } }) };
      const asItWas = (name: string, value: unknown): unknown =>
        name === "default" || name === "enum"
          ? JSON.parse(JSON.stringify(value).replaceAll(/#\/components\/schemas\/[^/"]+/g, "#"))
          : value;
      const [before, now] = [JSON.parse(JSON.stringify(older(all), asItWas)), documentOf(all)];
      expect(before).not.toEqual(older(all));
      expect(compare(before, now)).toEqual([]);
      expect(compare(now, before)).toEqual([]);
      // One that says all has them right.
      expect(compare({ ...before, "x-tidegate-document": 2 }, now)).not.toEqual([]);
    }
  });

  test("tells all else that breaks", () => {
    const other = {
      ...all,
      go: query({ input: z.object({ a: z.string() }), output: z.object({ a: z.int() }).nullable() }),
    };
    const found = compare(older(all), documentOf(other)).map(({ what }) => what);
    expect(found).toContainEqual(expect.stringContaining("/a: its type is string now"));
    expect(found).toContainEqual(expect.stringContaining("the result: it: its type is null now"));
  });
});

test("what is new is told", () => {
  expect(added(documentOf({}), documentOf({ go: query({}) }))).toEqual([
    "GET /v1/services/one/{key}/go",
    "POST /v1/services/one/{key}/go",
  ]);
});
