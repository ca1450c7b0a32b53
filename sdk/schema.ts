/** Schemas as Tidegate takes them from any library that speaks Standard Schema, and how it runs and describes them. */

import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import { misconfigured } from "./errors.ts";
import { ISSUE_MAX_LENGTH, ISSUES_MAX } from "./limits.ts";

/** Any Standard Schema: Zod 4.2 or later, ArkType, Valibot … `I` is what callers write, `O` what comes out of validation. */
export type Schema<I = unknown, O = unknown> = StandardSchemaV1<I, O>;

/** What a caller gives for a schema. */
export type SchemaInput<S extends Schema> = StandardSchemaV1.InferInput<S>;
/** What validation by a schema yields. */
export type SchemaOutput<S extends Schema> = StandardSchemaV1.InferOutput<S>;

export interface Issue {
  /** JSON pointer (RFC 6901) into the value; empty for the value itself. Like the message it is cut, with "…" behind it, after {@link ISSUE_MAX_LENGTH} characters. */
  readonly path: string;
  readonly message: string;
}
export type Validated = { readonly ok: true; readonly value: unknown } | Invalid;
export interface Invalid {
  readonly ok: false;
  /** The first of them, {@link ISSUES_MAX} at most. */
  readonly issues: readonly Issue[];
}

/**
 * Runs a schema. A promise comes back only if the schema itself is asynchronous, so that the common case costs none.
 * Without a schema nothing but `undefined` and `null` is valid, and it becomes `undefined`.
 */
export function validate(schema: Schema | undefined, value: unknown): Validated | Promise<Validated> {
  if (schema === undefined) return validateAbsent(value);
  const result = schema["~standard"].validate(value);
  return result instanceof Promise ? result.then(settle) : settle(result);
}

function validateAbsent(value: unknown): Validated {
  if (value === undefined || value === null) return { ok: true, value: undefined };
  return { ok: false, issues: [{ path: "", message: "nothing is expected here" }] };
}

function settle(result: StandardSchemaV1.Result<unknown>): Validated {
  if (result.issues === undefined) return { ok: true, value: result.value };
  const told = result.issues.slice(0, ISSUES_MAX);
  return { ok: false, issues: told.map(({ path, message }) => ({ path: cut(pointer(path)), message: cut(message) })) };
}

/** Names of members are the caller's own: in paths and messages they may be as long as the whole value. */
function cut(text: string): string {
  if (text.length <= ISSUE_MAX_LENGTH) return text;
  const points = [...text.slice(0, 2 * ISSUE_MAX_LENGTH + 1)];
  return points.length <= ISSUE_MAX_LENGTH ? text : `${points.slice(0, ISSUE_MAX_LENGTH).join("")}…`;
}

function pointer(path: StandardSchemaV1.Issue["path"]): string {
  let text = "";
  for (const part of path ?? []) text += `/${escapePointer(String(typeof part === "object" ? part.key : part))}`;
  return text;
}

/** One reference token of a JSON pointer (RFC 6901, section 3). */
export function escapePointer(token: string): string {
  return token.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Whether a value can serve as a {@link Schema}. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard: unknown = Reflect.get(value, "~standard");
  return typeof standard === "object" && standard !== null && typeof Reflect.get(standard, "validate") === "function";
}

/**
 * JSON Schema (draft 2020-12) of what a schema takes or yields, for OpenAPI and forms.
 * @throws TidegateError `misconfigured` if its library offers none, or cannot express this schema.
 */
export function jsonSchemaOf(schema: Schema, side: "input" | "output"): Record<string, unknown> {
  const standard: Partial<StandardJSONSchemaV1["~standard"]> & Schema["~standard"] = schema["~standard"];
  if (standard.jsonSchema === undefined) {
    throw misconfigured(
      `the schema library "${standard.vendor}" offers no JSON Schema; use one with Standard JSON Schema, such as Zod 4.2 or later`,
    );
  }
  try {
    const options = side === "output" && standard.vendor === "zod" ? { libraryOptions: ZOD_RESULTS } : {};
    return standard.jsonSchema[side]({ target: "draft-2020-12", ...options });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw misconfigured(`the ${side} of a "${standard.vendor}" schema has no JSON Schema: ${reason}`);
  }
}

/** What has no JSON Schema by its type has one as a result, since it is written in a known way: as `JsonOf` says. */
const AS_RESULT: Readonly<Record<string, object>> = {
  date: { type: "string", format: "date-time" },
  bigint: { type: "string", pattern: "^-?[0-9]+$" },
  map: { type: "array", items: { type: "array", minItems: 2, maxItems: 2 } },
  set: { type: "array" },
};
/** Zod refuses a whole schema for one such part, unless it is told what to make of it. */
const ZOD_RESULTS = {
  unrepresentable: "any",
  override({ zodSchema, jsonSchema }: { zodSchema: { _zod: { def: { type: string } } }; jsonSchema: object }): void {
    const { type } = zodSchema._zod.def;
    if (Object.hasOwn(AS_RESULT, type)) Object.assign(jsonSchema, AS_RESULT[type]);
  },
};

/** The schema of "no data", for refusals that carry none. */
export const noData: Schema<undefined, undefined> & StandardJSONSchemaV1<undefined, undefined> = {
  "~standard": {
    version: 1,
    vendor: "tidegate",
    validate: (value) =>
      value === undefined || value === null
        ? { value: undefined }
        : { issues: [{ message: "this refusal carries no data" }] },
    jsonSchema: { input: () => ({ type: "null" }), output: () => ({ type: "null" }) },
  },
};
