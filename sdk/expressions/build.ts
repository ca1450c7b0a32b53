/** Makes expressions: every method records what was asked for, checked by kind, and computes nothing. */

import { type Duration, milliseconds } from "../duration.ts";
import { misconfigured } from "../errors.ts";
import type { Comparison, FieldTest } from "../filter.ts";
import { EXPRESSION_MAX, INT64_MAX, INT64_MIN } from "../limits.ts";
import type { FieldKind, Fields } from "../stream.ts";
import { type ExpressionNode, expressionText, type FunctionName, sizeOf, type ValueKind } from "./node.ts";
import { made } from "./recording.ts";
import type {
  Condition,
  EventExpression,
  Expression,
  NumberExpression,
  Operand,
  OptionalExpression,
  TextExpression,
} from "./types.ts";

/** One class for all kinds: which methods a kind has is for the compiler, and checked again as they are called. */
class Recorded {
  readonly node: ExpressionNode;
  readonly kind: ValueKind;
  readonly optional: boolean;

  constructor(node: ExpressionNode) {
    if (sizeOf(node) > EXPRESSION_MAX) throw misconfigured(`an expression has more than ${EXPRESSION_MAX} parts`);
    this.node = node;
    this.kind = node.kind;
    this.optional = node.optional === true;
    Object.freeze(this);
  }

  get tests(): readonly FieldTest[] | undefined {
    return recordedTests(this.node);
  }

  #make(op: FunctionName, kind: ValueKind, ...args: ExpressionNode[]): Recorded {
    return call(op, kind, [this, ...args].map(required));
  }
  #only(what: string, ...kinds: ValueKind[]): void {
    if (!kinds.includes(this.kind)) {
      const text = expressionText(this.node);
      if (ORDERS.has(what) && this.kind === "text")
        throw misconfigured(`text field "${text}" has no order, only eq and ne`);
      throw misconfigured(`${text} is ${this.kind} and has no ${what}; that is for ${kinds.join(", ")}`);
    }
  }
  #operand(value: unknown): ExpressionNode {
    if (value instanceof Recorded) {
      if (value.kind === this.kind) return required(value);
      throw misconfigured(
        `${expressionText(this.node)} is ${this.kind} and ${expressionText(value.node)} ${value.kind}: convert one`,
      );
    }
    return literal(this.kind, value, expressionText(this.node));
  }
  #compare(op: Comparison, value: unknown): Recorded {
    return this.#make(op, "boolean", this.#operand(value));
  }
  #order(op: Comparison, value: unknown): Recorded {
    this.#only(op, "int64", "float64", "timestamp");
    return this.#compare(op, value);
  }
  #arithmetic(op: FunctionName, value: unknown): Recorded {
    if (this.kind === "timestamp" && (op === "add" || op === "sub")) {
      const duration = milliseconds(value as Duration, `what is added to ${expressionText(this.node)}`);
      return this.#make(op, "timestamp", literal("timestamp", duration, "a duration"));
    }
    this.#only(op, "int64", "float64");
    return this.#make(op, this.kind, this.#operand(value));
  }
  #text(op: FunctionName, kind: ValueKind, ...args: ExpressionNode[]): Recorded {
    this.#only(op, "text");
    return this.#make(op, kind, ...args);
  }
  #time(op: FunctionName, kind: ValueKind, ...args: ExpressionNode[]): Recorded {
    this.#only(op, "timestamp");
    return this.#make(op, kind, ...args);
  }

  eq = (value: unknown): Recorded => this.#compare("eq", value);
  ne = (value: unknown): Recorded => this.#compare("ne", value);
  lt = (value: unknown): Recorded => this.#order("lt", value);
  le = (value: unknown): Recorded => this.#order("le", value);
  gt = (value: unknown): Recorded => this.#order("gt", value);
  ge = (value: unknown): Recorded => this.#order("ge", value);
  between = (low: unknown, high: unknown): Recorded => this.ge(low).and(this.le(high));
  isIn = (...values: unknown[]): Recorded => values.map((value) => this.eq(value)).reduce((all, one) => all.or(one));

  isNull(): Recorded {
    if (!this.optional) throw misconfigured(`${expressionText(this.node)} is never null: it is no optional field`);
    return call("is-null", "boolean", [this.node]);
  }
  coalesce(otherwise: unknown): Recorded {
    if (!this.optional) throw misconfigured(`${expressionText(this.node)} is never null: it needs no coalesce`);
    const { kind, node } = this;
    if (otherwise instanceof Recorded && otherwise.optional && otherwise.kind === kind)
      return call("coalesce", kind, [node, otherwise.node], true);
    return call("coalesce", kind, [node, this.#operand(otherwise)]);
  }

  and(other: unknown): Recorded {
    this.#only("and", "boolean");
    return this.#make("and", "boolean", condition(other).node);
  }
  or(other: unknown): Recorded {
    this.#only("or", "boolean");
    return this.#make("or", "boolean", condition(other).node);
  }
  not(): Recorded {
    this.#only("not", "boolean");
    return this.#make("not", "boolean");
  }

  add = (value: unknown): Recorded => this.#arithmetic("add", value);
  sub = (value: unknown): Recorded => this.#arithmetic("sub", value);
  mul = (value: unknown): Recorded => this.#arithmetic("mul", value);
  div = (value: unknown): Recorded => this.#arithmetic("div", value);
  mod = (value: unknown): Recorded => this.#arithmetic("mod", value);
  neg(): Recorded {
    this.#only("neg", "int64", "float64");
    return this.#make("neg", this.kind);
  }
  abs(): Recorded {
    this.#only("abs", "int64", "float64");
    return this.#make("abs", this.kind);
  }
  toInt = (): Recorded => (this.kind === "int64" ? this : this.#make("to-int", "int64"));
  toFloat(): Recorded {
    this.#only("toFloat", "int64", "float64");
    return this.kind === "float64" ? this : this.#make("to-float", "float64");
  }
  toText = (): Recorded => (this.kind === "text" ? this : this.#make("to-text", "text"));
  toTimestamp(): Recorded {
    this.#only("toTimestamp", "int64");
    return this.#make("to-timestamp", "timestamp");
  }

  concat = (...more: unknown[]): Recorded => this.#text("concat", "text", ...more.map((one) => this.#operand(one)));
  lower = (): Recorded => this.#text("lower", "text");
  upper = (): Recorded => this.#text("upper", "text");
  trim = (): Recorded => this.#text("trim", "text");
  length = (): Recorded => this.#text("length", "int64");
  substring = (from: number, to?: number): Recorded =>
    this.#text("substring", "text", whole(from), ...(to === undefined ? [] : [whole(to)]));
  split = (separator: string, part: number): Recorded =>
    this.#text("split", "text", literal("text", separator, "a separator"), whole(part));
  match(pattern: RegExp, group = 0): Recorded {
    const flags = pattern.flags.replace(/[gy]/g, "");
    return this.#text("match", "text", plain(pattern.source), plain(flags), whole(group));
  }
  occurrences = (of: string): Recorded => this.#text("occurrences", "int64", plain(of));
  contains = (text: string): Recorded => this.#text("contains", "boolean", plain(text));
  startsWith = (text: string): Recorded => this.#text("starts-with", "boolean", plain(text));
  endsWith = (text: string): Recorded => this.#text("ends-with", "boolean", plain(text));

  floor(duration: Duration): Recorded {
    const length = milliseconds(duration, "the duration of floor");
    if (length === 0) throw misconfigured("floor needs a duration above 0");
    return this.#time("floor", "timestamp", literal("timestamp", length, "a duration"));
  }
  hour = (): Recorded => this.#time("hour", "int64");
  dayOfWeek = (): Recorded => this.#time("day-of-week", "int64");
  day = (): Recorded => this.#time("day", "int64");
  month = (): Recorded => this.#time("month", "int64");
  year = (): Recorded => this.#time("year", "int64");
  format = (pattern: string): Recorded => this.#time("format", "text", plain(pattern));
}
const ORDERS: ReadonlySet<string> = new Set(["lt", "le", "gt", "ge"]);

function call(op: FunctionName, kind: ValueKind, args: readonly ExpressionNode[], mayBeNull = false): Recorded {
  const given = { op, kind, args: Object.freeze(args) };
  const node: ExpressionNode = Object.freeze(mayBeNull ? { ...given, optional: true as const } : given);
  made(node, args);
  return new Recorded(node);
}

/** What is computed with has a value in every event. */
function required(value: Recorded | ExpressionNode): ExpressionNode {
  const node = value instanceof Recorded ? value.node : value;
  if (node.optional !== true) return node;
  throw misconfigured(`${expressionText(node)} may be null: use coalesce() or isNull() first`);
}

function plain(text: unknown): ExpressionNode {
  return literal("text", text, "an argument");
}
function whole(value: unknown): ExpressionNode {
  return literal("int64", value, "an argument");
}

function condition(value: unknown): Recorded {
  if (!(value instanceof Recorded) || value.kind !== "boolean")
    throw misconfigured("a condition is combined with something that is none");
  required(value);
  return value;
}

/** @throws TidegateError `misconfigured` for a value that a field of the kind cannot have */
function literal(kind: ValueKind, value: unknown, what: string): ExpressionNode {
  return Object.freeze({ op: "literal", kind, value: checked(kind, value, what) });
}

function checked(kind: ValueKind, value: unknown, what: string): bigint | number | string | boolean {
  if (kind === "text") {
    if (typeof value === "string" && value.isWellFormed()) return value;
  } else if (kind === "float64") {
    if (typeof value === "number" && Number.isFinite(value)) return value;
  } else if (kind === "boolean") {
    if (typeof value === "boolean") return value;
  } else if (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value))) {
    const exact = BigInt(value);
    if (exact >= INT64_MIN && exact <= INT64_MAX) return exact;
  }
  throw misconfigured(`field "${what}" is ${kind}: it cannot be compared with ${typeof value} ${String(value)}`);
}

/** Fields compared with values, and nothing else. */
export function recordedTests(node: ExpressionNode): readonly FieldTest[] | undefined {
  if (node.op === "and") {
    const parts = node.args.map(recordedTests);
    return parts.every((part) => part !== undefined) ? Object.freeze(parts.flat()) : undefined;
  }
  if (!isComparison(node.op) || !("args" in node)) return undefined;
  const [field, value] = node.args;
  if (field?.op !== "field" || value?.op !== "literal") return undefined;
  if (value.value === null || typeof value.value === "boolean") return undefined;
  return Object.freeze([Object.freeze({ field: field.name, op: node.op, value: value.value })]);
}

function isComparison(op: string): op is Comparison {
  return op === "eq" || op === "ne" || op === "lt" || op === "le" || op === "gt" || op === "ge";
}

/** The stand-in for an event that records what a callback makes of it. */
export function eventExpression<F extends Fields>(fields: F, side: 0 | 1 = 0): EventExpression<F> {
  const event: Record<string, Recorded> = Object.create(null);
  for (const [name, { kind, optional }] of Object.entries(fields)) {
    const node = { op: "field", kind, name, side } as const;
    event[name] = new Recorded(Object.freeze(optional === true ? { ...node, optional } : node));
  }
  return Object.freeze(event) as unknown as EventExpression<F>;
}

/** The node of what a callback returned, or undefined when that is no expression. */
export function nodeOf(value: unknown): ExpressionNode | undefined {
  return value instanceof Recorded ? value.node : undefined;
}

/** A constant whole number. */
export const int = (value: number | bigint): NumberExpression<"int64"> =>
  new Recorded(literal("int64", value, "int()")) as unknown as NumberExpression<"int64">;
/** A constant double. */
export const float = (value: number): NumberExpression<"float64"> =>
  new Recorded(literal("float64", value, "float()")) as unknown as NumberExpression<"float64">;
/** A constant text. */
export const str = (value: string): TextExpression =>
  new Recorded(literal("text", value, "str()")) as unknown as TextExpression;

/** One of two, by a condition: `when(e.price.gt(100), str("dear"), str("cheap"))`. With null, or what may be null, it may be null itself. */
export function when<K extends FieldKind>(
  test: Condition,
  yes: Expression<K> & { readonly kind: K },
  no: Operand<K>,
): Expression<K>;
export function when<K extends FieldKind>(
  test: Condition,
  yes: (Expression<K> | OptionalExpression<K>) & { readonly kind: K },
  no: Operand<K> | OptionalExpression<K> | null,
): OptionalExpression<K>;
export function when(test: unknown, yes: unknown, no: unknown): unknown {
  const left = nodeOf(yes);
  if (left === undefined) throw misconfigured("the second argument of when() is an expression, such as int(1)");
  const right = nodeOf(no) ?? (no === null ? nothing(left.kind) : literal(left.kind, no, "when()"));
  if (left.kind !== right.kind)
    throw misconfigured(`when() has ${left.kind} on one side and ${right.kind} on the other`);
  const mayBeNull = left.optional === true || right.optional === true;
  return call("when", left.kind, [condition(test).node, left, right], mayBeNull);
}

function nothing(kind: ValueKind): ExpressionNode {
  return Object.freeze({ op: "literal", kind, value: null, optional: true });
}
