/** The schemas of an OpenAPI document: each gets a place under `#/components/schemas`, and its own references are moved along. */
import { jsonSchemaOf, noData, type Schema, type Validated, validate } from "../../sdk/schema.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;
export interface Reference {
  readonly $ref: string;
}

const HOME = "#/components/schemas/";
/** Members whose values are data, not schemas: a `$ref` in them is just text. */
const DATA = new Set(["const", "enum", "default", "examples", "example"]);
/** Members whose values are schemas by names, which may be any: also those of the above. */
const BY_NAME = new Set(["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]);

export class SchemaTable {
  readonly #schemas: Record<string, JsonSchema> = {};

  /** Adds a schema of our own, with references as they shall be. */
  add(name: string, schema: JsonSchema): Reference {
    this.#schemas[name] = schema;
    return { $ref: HOME + name };
  }

  /**
   * Adds what a user's schema takes or yields. One that has no JSON Schema stays undescribed, with the reason, since the other functions
   * still deserve a document.
   */
  addUser(name: string, schema: Schema, side: "input" | "output"): Reference {
    return this.add(name, describe(name, schema, side));
  }

  get all(): Readonly<Record<string, JsonSchema>> {
    return this.#schemas;
  }
}

/** The body of a call, which must be there where the schema does not take nothing at all. */
export function bodyOf(schema: Schema, reference: Reference): object {
  return { required: !takesNothing(schema), content: { "application/json": { schema: reference } } };
}

/** Whether an input may be left out. Of a schema that would have to be awaited that is not known, and nobody is told to send one. */
export function takesNothing(schema: Schema): boolean {
  const made = madeOf(schema, undefined);
  return made === undefined || made.ok;
}

/** What of a schema's results comes over HTTP: `null` too, where nothing at all is a result. No JSON Schema says that by itself. */
export function orNothing(schema: Schema, reference: Reference): Reference | JsonSchema {
  const yields = (value: undefined | null): boolean => {
    const made = madeOf(schema, value);
    return made?.ok === true && made.value === value;
  };
  const isTold = !yields(undefined) || yields(null) || schema === noData;
  return isTold ? reference : { anyOf: [reference, { type: "null" }] };
}

/** Undefined where it takes its time. */
function madeOf(schema: Schema, value: undefined | null): Validated | undefined {
  try {
    const made = validate(schema, value);
    if (!(made instanceof Promise)) return made;
    made.catch(() => undefined);
    return undefined;
  } catch {
    // It would end a call in the same way.
    return { ok: false, issues: [] };
  }
}

function describe(name: string, schema: Schema, side: "input" | "output"): JsonSchema {
  try {
    // As a resource of its own it would resolve `#` against itself; here `#` is the document.
    const { $schema: _dialect, $id: _identity, ...rest } = jsonSchemaOf(schema, side);
    return relocate(rest, HOME + name) as JsonSchema;
  } catch (error) {
    return { description: error instanceof Error ? error.message : "has no JSON Schema" };
  }
}

/**
 * Copies a schema, with references to its root turned into references to `home`.
 * @param byName whether it is no schema, but has some by name
 */
function relocate(value: unknown, home: string, byName = false): unknown {
  if (Array.isArray(value)) return value.map((item) => relocate(item, home));
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [member, inner] of Object.entries(value)) {
    const isReference = member === "$ref" && typeof inner === "string" && inner.startsWith("#");
    if (isReference) copy[member] = home + inner.slice(1);
    else if (!byName && DATA.has(member)) copy[member] = inner;
    else copy[member] = relocate(inner, home, !byName && BY_NAME.has(member));
  }
  return copy;
}
