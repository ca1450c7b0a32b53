/** Expressions as data: what a builder's callback recorded, for planners to compile. */

import type { FieldKind } from "../stream.ts";

/** What an expression comes to; conditions are `boolean`. */
export type ValueKind = FieldKind;

/**
 * Functions by name. Whole numbers stop at the int64 bounds; a division by 0 is 0; a double that is not finite becomes 0. Text functions
 * count UTF-16 units, as JavaScript does. Times are UTC.
 */
export type FunctionName =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "mod"
  | "neg"
  | "abs"
  | "eq"
  | "ne"
  | "lt"
  | "le"
  | "gt"
  | "ge"
  | "and"
  | "or"
  | "not"
  | "when"
  | "is-null"
  | "coalesce"
  | "to-int"
  | "to-float"
  | "to-text"
  | "to-timestamp"
  | "concat"
  | "lower"
  | "upper"
  | "trim"
  | "length"
  | "substring"
  | "split"
  | "match"
  | "occurrences"
  | "contains"
  | "starts-with"
  | "ends-with"
  | "floor"
  | "hour"
  | "day-of-week"
  | "day"
  | "month"
  | "year"
  | "format";

export interface FieldNode {
  readonly op: "field";
  readonly kind: FieldKind;
  readonly name: string;
  /** 0 for the only or the left input, 1 for the right one of a join. */
  readonly side: 0 | 1;
  /** It may be null; never set otherwise. Such a node is an argument of `is-null`, `coalesce` and `when` only. */
  readonly optional?: true;
}
export interface LiteralNode {
  readonly op: "literal";
  readonly kind: ValueKind;
  /** bigint for int64 and timestamp; null only where it is optional. */
  readonly value: bigint | number | string | boolean | null;
  readonly optional?: true;
}
export interface CallNode {
  readonly op: FunctionName;
  readonly kind: ValueKind;
  readonly args: readonly ExpressionNode[];
  readonly optional?: true;
}
export type ExpressionNode = FieldNode | LiteralNode | CallNode;

/** An expression as people read it. */
export function expressionText(node: ExpressionNode): string {
  if (node.op === "field") return node.side === 1 ? `right.${node.name}` : node.name;
  if (node.op === "literal") return typeof node.value === "string" ? JSON.stringify(node.value) : String(node.value);
  const args = node.args.map(expressionText);
  const [left = "", right = ""] = args;
  const sign = SIGNS[node.op];
  return sign === undefined ? `${node.op}(${args.join(", ")})` : `(${left} ${sign} ${right})`;
}
const SIGNS: Readonly<Partial<Record<FunctionName, string>>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  mod: "%",
  eq: "=",
  ne: "<>",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  and: "and",
  or: "or",
};

/** Nodes of a tree. */
export function sizeOf(node: ExpressionNode): number {
  return "args" in node ? node.args.reduce((sum, arg) => sum + sizeOf(arg), 1) : 1;
}
