/** Streams: named sources of events with typed fields, exactly those that the kernels parse and enforce. */

import { type Duration, milliseconds } from "./duration.ts";
import { misconfigured } from "./errors.ts";
import { FIELDS_MAX } from "./limits.ts";
import { checkField, checkKebab } from "./names.ts";
import { checkPaths } from "./stream-paths.ts";

/** `timestamp` is an int64 of milliseconds since 1970. */
export type FieldKind = "int64" | "float64" | "text" | "timestamp" | "boolean";
export interface Field<Kind extends FieldKind = FieldKind, Optional extends boolean = false> {
  readonly kind: Kind;
  /** True where an event may be without a value; never set otherwise. */
  readonly optional?: Optional;
  /** Members that lead to the value in the JSON of an event; where it is not given, the field's own name. */
  readonly path?: readonly string[];
}
/** A field that may or may not be optional. */
export type AnyField = Field<FieldKind, boolean>;
export type Fields = Readonly<Record<string, AnyField>>;

/** A whole number from -2^63 to 2^63-1, kept exact. */
export const int64 = (): Field<"int64"> => INT64;
/** A finite IEEE 754 double. */
export const float64 = (): Field<"float64"> => FLOAT64;
/** A string. */
export const text = (): Field<"text"> => TEXT;
/** Milliseconds since 1970 as a whole number. */
export const timestamp = (): Field<"timestamp"> => TIMESTAMP;
/** True or false. */
export const boolean = (): Field<"boolean"> => BOOLEAN;
/** A field that events may be without: a member that is not there, or is null, is null in flows. */
export const optional = <Kind extends FieldKind>(field: Field<Kind, boolean>): Field<Kind, true> =>
  Object.freeze({ ...field, optional: true });
/**
 * A field whose value is deeper in the JSON of an event: `nested("customer.address.city", text())`. Names that have dots themselves are given
 * one by one: `nested(["customer", "v1.city"], text())`. In flows, views and events out it has the name under which it is declared.
 */
export const nested = <Kind extends FieldKind, Optional extends boolean>(
  path: string | readonly string[],
  field: Field<Kind, Optional>,
): Field<Kind, Optional> =>
  Object.freeze({ ...field, path: Object.freeze(typeof path === "string" ? path.split(".") : [...path]) });

const INT64: Field<"int64"> = Object.freeze({ kind: "int64" });
const FLOAT64: Field<"float64"> = Object.freeze({ kind: "float64" });
const TEXT: Field<"text"> = Object.freeze({ kind: "text" });
const TIMESTAMP: Field<"timestamp"> = Object.freeze({ kind: "timestamp" });
const BOOLEAN: Field<"boolean"> = Object.freeze({ kind: "boolean" });

/** Storage type of a field; the kernels' `ColumnType`. */
export type ColumnType = "i64" | "f64" | "text" | "bool";
/** A declared field as the kernels want it; the kernels' `EventColumn`. */
export interface EventColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly optional?: boolean | undefined;
  readonly path?: readonly string[] | undefined;
}
const COLUMN_TYPES: Readonly<Record<FieldKind, ColumnType>> = {
  int64: "i64",
  timestamp: "i64",
  float64: "f64",
  text: "text",
  boolean: "bool",
};

/** A stream; `columns` are its fields in the order of declaration. */
export interface StreamDefinition<F extends Fields = Fields, Name extends string = string> {
  readonly kind: "stream";
  readonly name: Name;
  readonly fields: F;
  readonly columns: readonly EventColumn[];
  /** How long its committed events can be read, ms; null where it is not declared: then only what flows write to it can be, for a day. */
  readonly retention: number | null;
}

/** One event as flows have it: null where an optional field has no value. Whole numbers beyond 2^53 are bigint. */
export type EventOf<F extends Fields> = { readonly [N in keyof F]: ValueOf<F[N]> };
/** One event as it is given to a stream, by the names of fields: optional ones may be left out. */
export type EventInput<F extends Fields> = Flat<
  { readonly [N in keyof F as F[N] extends Field ? N : never]: ValueOf<F[N]> } & {
    readonly [N in keyof F as F[N] extends Field ? never : N]?: ValueOf<F[N]> | undefined;
  }
>;
type Flat<T> = { readonly [N in keyof T]: T[N] };
/** The values of a field. */
export type ValueOf<T> = T extends AnyField ? FieldValue<T["kind"]> | (T extends Field ? never : null) : never;
export type FieldValue<Kind extends FieldKind> = Kind extends "text"
  ? string
  : Kind extends "float64"
    ? number
    : Kind extends "boolean"
      ? boolean
      : number | bigint;

/** Names of the fields that are of one of the kinds. */
export type FieldsOfKind<F extends Fields, Kind extends FieldKind> = {
  [N in keyof F & string]: F[N]["kind"] extends Kind ? N : never;
}[keyof F & string];
/** Those of them that always have a value. */
export type RequiredOfKind<F extends Fields, Kind extends FieldKind> = {
  [N in keyof F & string]: F[N] extends Field<Kind> ? N : never;
}[keyof F & string];

/**
 * Declares a stream: `stream("sales", { item: text(), amount: int64(), at: timestamp() })`. Events have all declared fields but
 * `optional` ones; members that are not declared are checked as JSON and dropped. `retention` makes its events readable at `GET /v1/streams/{stream}`, for so long.
 * @throws TidegateError `misconfigured`
 */
export function stream<const Name extends string, const F extends Fields>(
  name: Name,
  fields: F,
  options: { readonly retention?: Duration } = {},
): StreamDefinition<F, Name> {
  checkKebab("the stream name", name);
  const entries = Object.entries(fields);
  if (entries.length === 0) throw misconfigured(`stream "${name}" has no fields`);
  if (entries.length > FIELDS_MAX) throw misconfigured(`stream "${name}" has more than ${FIELDS_MAX} fields`);
  const columns = entries.map(([field, { kind, optional: free, path }]) => {
    checkField(`the field of stream "${name}"`, field);
    if (!Object.hasOwn(COLUMN_TYPES, kind))
      throw misconfigured(`field "${field}" of stream "${name}" has no known type`);
    return Object.freeze({
      name: field,
      type: COLUMN_TYPES[kind],
      ...(free === true ? { optional: true } : {}),
      ...(path === undefined ? {} : { path }),
    });
  });
  checkPaths(name, columns);
  return Object.freeze({
    kind: "stream",
    name,
    fields: Object.freeze({ ...fields }),
    columns: Object.freeze(columns),
    retention:
      options.retention === undefined ? null : milliseconds(options.retention, `the retention of stream "${name}"`),
  });
}

/** What {@link stream} made. */
export function isStream(value: unknown): value is StreamDefinition {
  return typeof value === "object" && value !== null && Reflect.get(value, "kind") === "stream";
}
