/** Expressions as the compiler sees them: which functions a value of each kind has. */

import type { Duration } from "../duration.ts";
import type { FieldTest } from "../filter.ts";
import type { Field, FieldKind, Fields, FieldValue } from "../stream.ts";
import type { ExpressionNode, ValueKind } from "./node.ts";

/** A value of the kind, or an expression that has one. */
export type Operand<K extends FieldKind> = FieldValue<K> | Expression<K>;

interface Value<K extends ValueKind> {
  readonly kind: K;
  readonly node: ExpressionNode;
}

interface Comparable<K extends FieldKind> extends Value<K> {
  eq(value: Operand<K>): Condition;
  ne(value: Operand<K>): Condition;
  /** Equal to one of them. */
  isIn(first: Operand<K>, ...more: ReadonlyArray<Operand<K>>): Condition;
  /** Decimal digits for numbers and timestamps; `true` and `false`. */
  toText(): TextExpression;
}

interface Ordered<K extends FieldKind> extends Comparable<K> {
  lt(value: Operand<K>): Condition;
  le(value: Operand<K>): Condition;
  gt(value: Operand<K>): Condition;
  ge(value: Operand<K>): Condition;
  /** From the first to the second, both included. */
  between(low: Operand<K>, high: Operand<K>): Condition;
}

/** What a filter returns, and what a boolean field is. */
export interface Condition extends Comparable<"boolean"> {
  /** The tests that must all hold, where it is nothing but fields compared with values; else undefined. */
  readonly tests: readonly FieldTest[] | undefined;
  and(other: Condition): Condition;
  or(other: Condition): Condition;
  not(): Condition;
}

export interface NumberExpression<K extends "int64" | "float64"> extends Ordered<K> {
  add(value: Operand<K>): NumberExpression<K>;
  sub(value: Operand<K>): NumberExpression<K>;
  mul(value: Operand<K>): NumberExpression<K>;
  /** Whole numbers are cut towards 0; by 0 it is 0. */
  div(value: Operand<K>): NumberExpression<K>;
  /** The remainder, with the sign of the dividend; by 0 it is 0. */
  mod(value: Operand<K>): NumberExpression<K>;
  neg(): NumberExpression<K>;
  abs(): NumberExpression<K>;
  /** A double is cut towards 0, and at the int64 bounds. */
  toInt(): NumberExpression<"int64">;
  toFloat(): NumberExpression<"float64">;
  /** Milliseconds since 1970. */
  toTimestamp(): TimeExpression;
}

export interface TimeExpression extends Ordered<"timestamp"> {
  add(duration: Duration): TimeExpression;
  sub(duration: Duration): TimeExpression;
  /** The last multiple of a duration since 1970, at or before. */
  floor(duration: Duration): TimeExpression;
  /** 0 to 23, UTC. */
  hour(): NumberExpression<"int64">;
  /** 1 Monday to 7 Sunday, UTC. */
  dayOfWeek(): NumberExpression<"int64">;
  /** Of the month, from 1, UTC. */
  day(): NumberExpression<"int64">;
  /** From 1, UTC. */
  month(): NumberExpression<"int64">;
  year(): NumberExpression<"int64">;
  /** Of the letters `yyyy`, `MM`, `dd`, `HH`, `mm`, `ss` and `SSS`, UTC; others stand for themselves. */
  format(pattern: string): TextExpression;
  /** Milliseconds since 1970. */
  toInt(): NumberExpression<"int64">;
}

export interface TextExpression extends Comparable<"text"> {
  concat(...more: ReadonlyArray<Operand<"text">>): TextExpression;
  lower(): TextExpression;
  upper(): TextExpression;
  trim(): TextExpression;
  /** UTF-16 units. */
  length(): NumberExpression<"int64">;
  /** From one place, from 0, to before another. */
  substring(from: number, to?: number): TextExpression;
  /** The part with this number, from 0, between separators; empty where there is none. */
  split(separator: string, part: number): TextExpression;
  /** What a group of a regular expression matched, 0 for all of it; empty where nothing does. */
  match(pattern: RegExp, group?: number): TextExpression;
  /** How often a text occurs, without overlaps. */
  occurrences(of: string): NumberExpression<"int64">;
  contains(text: string): Condition;
  startsWith(text: string): Condition;
  endsWith(text: string): Condition;
  /** The whole number that the text is in decimal; 0 where it is none. */
  toInt(): NumberExpression<"int64">;
}

/** An expression of a kind. */
export type Expression<K extends ValueKind> = K extends "text"
  ? TextExpression
  : K extends "boolean"
    ? Condition
    : K extends "timestamp"
      ? TimeExpression
      : K extends "int64" | "float64"
        ? NumberExpression<K>
        : never;

/** What may be null. It can be passed on as it is; to compute with it, say first what null is to count as. */
export interface OptionalExpression<K extends ValueKind> extends Value<K> {
  readonly optional: true;
  isNull(): Condition;
  /** The value, or another where there is none: `e.country.coalesce("unknown")`. */
  coalesce(otherwise: Operand<K>): Expression<K>;
  coalesce(otherwise: OptionalExpression<K>): OptionalExpression<K>;
}

/** The event in a callback that records. */
export type EventExpression<F extends Fields> = {
  readonly [N in keyof F]: F[N] extends Field ? Expression<F[N]["kind"]> : OptionalExpression<F[N]["kind"]>;
};
