/** Filters of flows: expressions over an event's fields, recorded as data so that the kernels can run them over columns. */

import { misconfigured } from "./errors.ts";
import { INT64_MAX, INT64_MIN } from "./limits.ts";
import type { FieldKind, Fields, FieldValue, StreamDefinition } from "./stream.ts";

export type Comparison = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

/** `field op value`; bigint for int64 and timestamp, number for float64, string for text. */
export interface FieldTest {
  readonly field: string;
  readonly op: Comparison;
  readonly value: bigint | number | string;
}

/** What a filter callback returns: tests that must all hold. */
export interface Predicate {
  readonly tests: readonly FieldTest[];
  /** Both this and the other. */
  and(other: Predicate): Predicate;
}

interface Equality<V> {
  eq(value: V): Predicate;
  ne(value: V): Predicate;
}
interface Ordering<V> extends Equality<V> {
  lt(value: V): Predicate;
  le(value: V): Predicate;
  gt(value: V): Predicate;
  ge(value: V): Predicate;
}

/** A field in a filter callback. Text knows `eq` and `ne` only. */
export type FieldExpression<Kind extends FieldKind> = Kind extends "text"
  ? Equality<string>
  : Ordering<FieldValue<Kind>>;
/** The event in a filter callback. */
export type EventExpression<F extends Fields> = { readonly [N in keyof F]: FieldExpression<F[N]["kind"]> };

/** The stand-in for an event that records what a filter callback compares. */
export function eventExpression<F extends Fields>(stream: StreamDefinition<F>): EventExpression<F> {
  const event: Record<string, Ordering<never>> = Object.create(null);
  for (const [field, { kind }] of Object.entries(stream.fields)) event[field] = fieldExpression(field, kind);
  return Object.freeze(event) as EventExpression<F>;
}

function fieldExpression(field: string, kind: FieldKind): Ordering<never> {
  const test = (op: Comparison) => (value: unknown) => {
    if (kind === "text" && op !== "eq" && op !== "ne")
      throw misconfigured(`text field "${field}" has no order, only eq and ne`);
    return predicate([Object.freeze({ field, op, value: operand(field, kind, value) })]);
  };
  return { eq: test("eq"), ne: test("ne"), lt: test("lt"), le: test("le"), gt: test("gt"), ge: test("ge") };
}

function operand(field: string, kind: FieldKind, value: unknown): bigint | number | string {
  if (kind === "text") {
    if (typeof value === "string" && value.isWellFormed()) return value;
  } else if (kind === "float64") {
    if (typeof value === "number" && Number.isFinite(value)) return value;
  } else if (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value))) {
    const exact = BigInt(value);
    if (exact >= INT64_MIN && exact <= INT64_MAX) return exact;
  }
  throw misconfigured(`field "${field}" is ${kind}: it cannot be compared with ${typeof value} ${String(value)}`);
}

function predicate(tests: readonly FieldTest[]): Predicate {
  return Object.freeze({
    tests: Object.freeze(tests),
    and: (other: Predicate) => predicate([...tests, ...other.tests]),
  });
}
