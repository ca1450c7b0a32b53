/** Running and describing Standard Schemas. */

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { toJson } from "../../sdk/json.ts";
import { isSchema, jsonSchemaOf, noData, validate } from "../../sdk/schema.ts";
import type { Schema } from "../../sdk/schema.ts";

describe("validate", () => {
  test("answers at once for a synchronous schema, with the transformed value", () => {
    const schema = z.object({ item: z.string().trim(), count: z.number().default(1) });
    expect(validate(schema, { item: " pen " })).toStrictEqual({ ok: true, value: { item: "pen", count: 1 } });
  });

  test("answers later for an asynchronous schema only", async () => {
    const schema = z.string().refine(async (text) => text !== "taken");
    expect(validate(schema, "free")).toBeInstanceOf(Promise);
    expect(await validate(schema, "free")).toStrictEqual({ ok: true, value: "free" });
    expect(await validate(schema, "taken")).toMatchObject({ ok: false, issues: [{ path: "" }] });
  });

  test("names each issue by JSON pointer", () => {
    const schema = z.object({ "a/b": z.array(z.object({ "c~d": z.number() })), e: z.string() });
    const result = validate(schema, { "a/b": [{ "c~d": 1 }, { "c~d": "x" }] });
    expect(result).toMatchObject({ ok: false, issues: [{ path: "/a~1b/1/c~0d" }, { path: "/e" }] });
  });

  test("understands paths of objects with a key, as the standard allows", () => {
    const schema: Schema = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: () => ({ issues: [{ message: "no", path: [{ key: "a" }, 0, { key: "b" }] }] }),
      },
    };
    expect(validate(schema, 1)).toStrictEqual({ ok: false, issues: [{ path: "/a/0/b", message: "no" }] });
  });

  test("cuts paths and messages that would be as long as the value, between characters", () => {
    const name = "🌊".repeat(300);
    const named = validate(z.record(z.string(), z.number()), { [name]: "x" });
    const path = `/${"🌊".repeat(255)}…`;
    expect(named).toMatchObject({ ok: false, issues: [{ path, message: expect.stringContaining("expected number") }] });
    const unknown = validate(
      z.strictObject({}),
      Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [at, 1])),
    );
    expect(unknown).toMatchObject({ issues: [{ path: "", message: expect.stringMatching(/^Unrecognized.{244}…$/) }] });
    const short = "🌊".repeat(255);
    expect(validate(z.record(z.string(), z.number()), { [short]: "x" })).toMatchObject({
      issues: [{ path: `/${short}` }],
    });
  });

  test("lets nothing through where no schema is", () => {
    expect(validate(undefined, undefined)).toStrictEqual({ ok: true, value: undefined });
    expect(validate(undefined, null)).toStrictEqual({ ok: true, value: undefined });
    expect(validate(undefined, {})).toMatchObject({ ok: false, issues: [{ path: "" }] });
  });
});

describe("jsonSchemaOf", () => {
  test("describes both sides of a schema", () => {
    const schema = z.object({ count: z.number().default(1) });
    expect(jsonSchemaOf(schema, "input")).not.toHaveProperty("required");
    expect(jsonSchemaOf(schema, "output")).toHaveProperty("required", ["count"]);
  });

  test("says what to do when the library offers none", () => {
    const schema: Schema = { "~standard": { version: 1, vendor: "plain", validate: (value) => ({ value }) } };
    expect(() => jsonSchemaOf(schema, "input")).toThrow(/"plain" offers no JSON Schema; use one/);
    expect(() => jsonSchemaOf(schema, "input")).toThrow(expect.objectContaining({ type: "misconfigured" }));
  });

  test("says which library could not express a schema, and why", () => {
    expect(() => jsonSchemaOf(z.date(), "input")).toThrow(/input of a "zod" schema has no JSON Schema: Date cannot/);
  });

  test("describes results as they are written where types have no JSON Schema", () => {
    const result = z.object({
      at: z.date().nullable(),
      total: z.bigint(),
      of: z.map(z.string(), z.date()),
      in: z.set(z.int()),
    });
    const described = jsonSchemaOf(result, "output");
    expect(described["required"]).toEqual(["at", "total", "of", "in"]);
    expect(described["properties"]).toMatchObject({
      at: { anyOf: [{ type: "string", format: "date-time" }, { type: "null" }] },
      total: { type: "string", pattern: "^-?[0-9]+$" },
      of: { type: "array", items: { type: "array", minItems: 2, maxItems: 2 } },
      in: { type: "array" },
    });
    const stored = JSON.parse(
      toJson({ at: new Date(5), total: 7n, of: new Map([["a", new Date(5)]]), in: new Set([1]) }),
    ) as unknown;
    expect(stored).toEqual({
      at: "1970-01-01T00:00:00.005Z",
      total: "7",
      of: [["a", "1970-01-01T00:00:00.005Z"]],
      in: [1],
    });
  });
});

describe("noData", () => {
  test("takes nothing, and says so in JSON Schema", () => {
    expect(validate(noData, undefined)).toStrictEqual({ ok: true, value: undefined });
    expect(validate(noData, null)).toStrictEqual({ ok: true, value: undefined });
    expect(validate(noData, 1)).toMatchObject({ ok: false });
    expect(jsonSchemaOf(noData, "output")).toStrictEqual({ type: "null" });
  });
});

test("isSchema tells schemas from look-alikes", () => {
  expect([z.string(), noData].every(isSchema)).toBe(true);
  expect([null, undefined, {}, "text", { "~standard": null }, { "~standard": { validate: 1 } }].some(isSchema)).toBe(
    false,
  );
});
