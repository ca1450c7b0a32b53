/** Aggregates of a window: how each output of a flow is made from its group's events. */

import type { Fields, FieldsOfKind } from "./stream.ts";

interface Count {
  readonly kind: "count";
}
interface Sum<Name extends string> {
  readonly kind: "sum";
  readonly field: Name;
}
interface Extreme<Name extends string> {
  readonly kind: "min" | "max";
  readonly field: Name;
}
export type Aggregate<Name extends string = string> = Count | Sum<Name> | Extreme<Name>;

/** The aggregates that a stream's fields allow: sums of numbers, extremes of numbers and timestamps. */
export type AggregateFor<F extends Fields> =
  | Count
  | Sum<FieldsOfKind<F, "int64" | "float64">>
  | Extreme<FieldsOfKind<F, "int64" | "float64" | "timestamp">>;

/** Number of events. */
export const count = (): Count => Object.freeze({ kind: "count" });
/** Sum of a numeric field; int64 sums are exact and stop at the int64 bounds. */
export const sum = <const Name extends string>(field: Name): Sum<Name> => Object.freeze({ kind: "sum", field });
/** Least value of a field. */
export const min = <const Name extends string>(field: Name): Extreme<Name> => Object.freeze({ kind: "min", field });
/** Greatest value of a field. */
export const max = <const Name extends string>(field: Name): Extreme<Name> => Object.freeze({ kind: "max", field });
