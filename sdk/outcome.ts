/** What becomes of work that a transaction has begun and that ends later: an effect, a promise, a saga. It comes as the input of a function. */

import type { StandardJSONSchemaV1 } from "@standard-schema/spec";
import { escapePointer, jsonSchemaOf, type Schema, type SchemaInput, type SchemaOutput, validate } from "./schema.ts";

/** Why it failed for good. */
export interface OutcomeError {
  /** Stable, such as `effect-failed`, `timeout`, `deadline`, `rejected`, `cancelled`. */
  readonly type: string;
  /** For people. */
  readonly message: string;
  /** What whoever rejected a promise gave as the reason. */
  readonly data?: unknown;
}

/** How it ended. `about` is what `reply` was given. */
export type Outcome<O = unknown> =
  | { readonly ok: true; readonly value: O; readonly about?: string | undefined }
  | { readonly ok: false; readonly error: OutcomeError; readonly about?: string | undefined };

type OutcomeSchema<S extends Schema | undefined> = S extends Schema
  ? Schema<Outcome<SchemaInput<S>>, Outcome<SchemaOutput<S>>> & JsonSchemaOf
  : Schema<Outcome<undefined>, Outcome<undefined>> & JsonSchemaOf;
type JsonSchemaOf = StandardJSONSchemaV1<unknown, unknown>;

/**
 * The input of a function that hears how something ended, given the schema of its value; without one it has none:
 *
 * ```ts
 * import { contract, fn, outcome } from "tidegate";
 * import * as z from "zod";
 *
 * const Order = contract("order", {
 *   charged: fn({ input: outcome(z.object({ receipt: z.string() })) }),
 * });
 * ```
 */
export function outcome<S extends Schema | undefined = undefined>(value?: S): OutcomeSchema<S> {
  const schema: Schema<Outcome, Outcome> & JsonSchemaOf = {
    "~standard": {
      version: 1,
      vendor: "tidegate",
      validate: (given) => check(value, given),
      jsonSchema: { input: () => describe(value, "input"), output: () => describe(value, "output") },
    },
  };
  return schema as unknown as OutcomeSchema<S>;
}

interface Result {
  readonly value: Outcome;
}
interface Failed {
  readonly issues: ReadonlyArray<{ readonly message: string; readonly path?: readonly string[] }>;
}

function check(schema: Schema | undefined, given: unknown): Result | Failed | Promise<Result | Failed> {
  if (typeof given !== "object" || given === null) return failed("an outcome is an object");
  const { ok, value, error, about } = given as { [Name in "ok" | "value" | "error" | "about"]?: unknown };
  if (about !== undefined && typeof about !== "string") return failed("`about` is a text");
  const told = about === undefined ? {} : { about };
  if (ok === false) {
    if (!isError(error)) return failed("`error` has a type and a message");
    return { value: { ok, error, ...told } };
  }
  if (ok !== true) return failed("`ok` is true or false");
  const checked = validate(schema, value);
  const settle = (result: Awaited<typeof checked>): Result | Failed => {
    if (result.ok) return { value: { ok, value: result.value, ...told } };
    return { issues: result.issues.map(({ path, message }) => ({ path: ["value", ...partsOf(path)], message })) };
  };
  return checked instanceof Promise ? checked.then(settle) : settle(checked);
}

/** Of a JSON pointer. */
function partsOf(path: string): string[] {
  return path === ""
    ? []
    : path
        .slice(1)
        .split("/")
        .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function failed(message: string): Failed {
  return { issues: [{ message }] };
}

function isError(error: unknown): error is OutcomeError {
  if (typeof error !== "object" || error === null) return false;
  const { type, message } = error as { type?: unknown; message?: unknown };
  return typeof type === "string" && typeof message === "string";
}

function describe(schema: Schema | undefined, side: "input" | "output"): Record<string, unknown> {
  const about = { type: "string" };
  const value = schema === undefined ? { type: "null" } : rooted(jsonSchemaOf(schema, side));
  const error = {
    type: "object",
    properties: { type: { type: "string" }, message: { type: "string" }, data: {} },
    required: ["type", "message"],
  };
  const required = schema === undefined ? ["ok"] : ["ok", "value"];
  return {
    oneOf: [
      { type: "object", properties: { ok: { const: true }, value, about }, required },
      { type: "object", properties: { ok: { const: false }, error, about }, required: ["ok", "error"] },
    ],
  };
}

/** A schema as a part of another: what it refers to within itself is found there. */
function rooted(schema: Record<string, unknown>): unknown {
  const { $schema: _dialect, $id: _identity, ...rest } = schema;
  return relocate(rest, `#/oneOf/0/properties/${escapePointer("value")}`);
}

function relocate(value: unknown, home: string): unknown {
  if (Array.isArray(value)) return value.map((item) => relocate(item, home));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === "$ref" && typeof inner === "string" && inner.startsWith("#")
        ? home + inner.slice(1)
        : relocate(inner, home),
    ]),
  );
}
