/** Aggregates: how each output of a step is made from its group's events. */

import { misconfigured } from "./errors.ts";
import { ROWS_KEPT_MAX } from "./limits.ts";
import type { EventOf, Field, FieldKind, Fields, FieldsOfKind } from "./stream.ts";

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
interface Average<Name extends string> {
  readonly kind: "avg";
  readonly field: Name;
}
interface Distinct<Name extends string> {
  readonly kind: "distinct";
  readonly field: Name;
}
interface Edge<Name extends string> {
  readonly kind: "first" | "last";
  readonly field: Name;
}
interface Top<By extends string, Of extends string> {
  readonly kind: "top";
  readonly k: number;
  readonly by: By;
  readonly of: readonly Of[] | undefined;
  readonly order: "descending" | "ascending";
  /** All that are equal to the k-th, beyond `k`. */
  readonly ties: boolean;
}
interface Collect<Of extends string> {
  readonly kind: "collect";
  readonly of: readonly Of[] | undefined;
  readonly limit: number;
}
/** An aggregate of the user's own. Its state is a value like that of a service. */
export interface Reduce<F extends Fields = Fields, K extends FieldKind = FieldKind> {
  readonly kind: "reduce";
  readonly to: Field<K>;
  readonly init: () => unknown;
  readonly add: (state: never, event: EventOf<F>) => unknown;
  readonly merge: ((left: never, right: never) => unknown) | undefined;
  readonly result: (state: never) => unknown;
}
export type Aggregate<Name extends string = string> =
  | Count
  | Sum<Name>
  | Extreme<Name>
  | Average<Name>
  | Distinct<Name>
  | Edge<Name>
  | Top<Name, Name>
  | Collect<Name>
  | Reduce;

type Any<F extends Fields> = keyof F & string;
type Numeric<F extends Fields> = FieldsOfKind<F, "int64" | "float64">;
type Sortable<F extends Fields> = FieldsOfKind<F, "int64" | "float64" | "timestamp">;

/** The aggregates that a stream's fields allow: sums of numbers, extremes of numbers and timestamps. */
export type AggregateFor<F extends Fields> =
  | Count
  | Sum<Numeric<F>>
  | Extreme<Sortable<F>>
  | Average<Numeric<F>>
  | Distinct<Any<F>>
  | Edge<Any<F>>
  | Top<Sortable<F>, Any<F>>
  | Collect<Any<F>>
  | Reduce<F>;

/** Number of events. */
export const count = (): Count => Object.freeze({ kind: "count" });
/** Sum of a numeric field; int64 sums are exact and stop at the int64 bounds, behind results that change only what is given of them. Null adds nothing. */
export const sum = <const Name extends string>(field: Name): Sum<Name> => Object.freeze({ kind: "sum", field });
/** Least value of a field; null where an optional one has none. */
export const min = <const Name extends string>(field: Name): Extreme<Name> => Object.freeze({ kind: "min", field });
/** Greatest value of a field; null where an optional one has none. */
export const max = <const Name extends string>(field: Name): Extreme<Name> => Object.freeze({ kind: "max", field });
/** Mean of a numeric field, a float64; of the events that have it, and null where an optional one has none. */
export const avg = <const Name extends string>(field: Name): Average<Name> => Object.freeze({ kind: "avg", field });
/**
 * Number of different values of a field, exact: each is kept. Null is none. All values of a group are one entry of 1 MiB at most, some 100,000 short ones:
 * a batch that would make it larger is refused, `transaction-too-large`.
 */
export const distinct = <const Name extends string>(field: Name): Distinct<Name> =>
  Object.freeze({ kind: "distinct", field });
/** The field in the event with the least event time, of those that have it; of equals, of the one that came first. */
export const first = <const Name extends string>(field: Name): Edge<Name> => Object.freeze({ kind: "first", field });
/** The field in the event with the greatest event time, of those that have it; of equals, of the one that came last. */
export const last = <const Name extends string>(field: Name): Edge<Name> => Object.freeze({ kind: "last", field });

/**
 * The events with the `k` greatest values of a field, as a list of objects, those without a value left out; of equals, those with the lesser event time, then those that came first.
 * `top(10, { by: "price", of: ["bidder", "price"] })`. With `ties`, all that are equal to the last of them too.
 */
export function top<const By extends string, const Of extends string = never>(
  k: number,
  options: {
    readonly by: By;
    readonly of?: readonly Of[];
    readonly order?: "descending" | "ascending";
    readonly ties?: boolean;
  },
): Top<By, Of> {
  if (!Number.isInteger(k) || k < 1 || k > ROWS_KEPT_MAX)
    throw misconfigured(`top() keeps 1 to ${ROWS_KEPT_MAX} events`);
  const { by, of, order = "descending", ties = false } = options;
  return Object.freeze({ kind: "top", k, by, of: of && Object.freeze([...of]), order, ties });
}

/** The events themselves, in the order of event time, as a list of objects; those beyond `limit` (default and most 1,000) are left out. */
export function collect<const Of extends string = never>(
  options: { readonly of?: readonly Of[]; readonly limit?: number } = {},
): Collect<Of> {
  const { of, limit = ROWS_KEPT_MAX } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > ROWS_KEPT_MAX)
    throw misconfigured(`collect() keeps 1 to ${ROWS_KEPT_MAX} events`);
  return Object.freeze({ kind: "collect", of: of && Object.freeze([...of]), limit });
}

/**
 * An aggregate in JavaScript: `reduce({ to: float64(), init: () => 0, add: (s, e) => s + e.price, result: (s) => s })`. `merge` is needed for
 * sessions, which may become one. The callbacks are pure.
 */
export function reduce<F extends Fields, S, K extends FieldKind>(options: {
  readonly to: Field<K>;
  readonly init: () => S;
  readonly add: (state: S, event: EventOf<F>) => S;
  readonly merge?: (left: S, right: S) => S;
  readonly result: (state: S) => unknown;
}): Reduce<F, K> {
  const { to, init, add, merge, result } = options;
  return Object.freeze({ kind: "reduce", to, init, add, merge, result });
}
