/** What the steps of a flow share: making operators, and checking what the compiler could not. */

import { milliseconds } from "../duration.ts";
import type { Duration } from "../duration.ts";
import { misconfigured } from "../errors.ts";
import { nodeOf } from "../expressions/build.ts";
import { type ExpressionNode, sizeOf } from "../expressions/node.ts";
import { recorded } from "../expressions/recording.ts";
import { FIELDS_MAX } from "../limits.ts";
import { checkField } from "../names.ts";
import type { AnyField, FieldKind, Fields } from "../stream.ts";
import type { ComputedField, FlowNode, Keys, Operator } from "./nodes.ts";

/** Events grouped by a key. */
export interface KeyedParts {
  readonly flow: Flow;
  readonly node: FlowNode;
  readonly keys: Keys;
}

/** What the steps of one flow share. */
export interface Flow {
  readonly name: string;
  readonly drops: readonly string[];
  /** Operators made so far, by kind: names count them. */
  readonly made: Map<string, number>;
}

export function makeNode(
  flow: Flow,
  operator: Operator,
  inputs: readonly FlowNode[],
  shape: { readonly fields: Fields; readonly json?: readonly string[]; readonly changes?: boolean },
): FlowNode {
  const number = (flow.made.get(operator.kind) ?? 0) + 1;
  flow.made.set(operator.kind, number);
  if (Object.keys(shape.fields).length > FIELDS_MAX)
    throw misconfigured(`flow "${flow.name}": ${operator.kind} gives more than ${FIELDS_MAX} fields`);
  return Object.freeze({
    name: `${operator.kind}-${number}`,
    operator: Object.freeze(operator),
    inputs: Object.freeze([...inputs]),
    fields: Object.freeze({ ...shape.fields }),
    json: Object.freeze([...(shape.json ?? [])]),
    changes: shape.changes ?? inputs.some((input) => input.changes),
  });
}

export function durationOr(duration: Duration | undefined, otherwise: number | null, what: string): number | null {
  return duration === undefined ? otherwise : milliseconds(duration, what);
}

/** The input of an operator that cannot take anything back. */
export function unchanging({ flow, node }: Pick<KeyedParts, "flow" | "node">, what: string): FlowNode {
  if (!node.changes) return node;
  throw misconfigured(
    `flow "${flow.name}": ${what} cannot follow "${node.name}", whose results are replaced by later ones; only count, sum and avg can`,
  );
}

/** Conditions of one filter after another. */
export function comparisonsOf(node: FlowNode): number {
  const { operator } = node;
  if (operator.kind !== "filter") return 0;
  return countComparisons(operator.test) + node.inputs.reduce((sum, input) => sum + comparisonsOf(input), 0);
}

export function countComparisons(node: ExpressionNode): number {
  if (!("args" in node)) return 0;
  const own = node.kind === "boolean" && !["and", "or", "not"].includes(node.op) ? 1 : 0;
  return own + (sizeOf(node) > 1 ? node.args.reduce((sum, arg) => sum + countComparisons(arg), 0) : 0);
}

/** @param fields makes an object of expressions @throws TidegateError `misconfigured` */
export function computed(
  flow: Flow,
  step: string,
  fields: () => unknown,
): { columns: readonly ComputedField[]; kinds: Fields } {
  const result = recorded(`${step} of flow "${flow.name}"`, fields, (value) =>
    Object.values(value ?? {}).map((one) => nodeOf(one)),
  );
  if (typeof result !== "object" || result === null)
    throw misconfigured(`${step} of flow "${flow.name}" must return an object of expressions`);
  const columns: ComputedField[] = [];
  const kinds: Record<string, AnyField> = {};
  for (const [name, value] of Object.entries(result)) {
    checkField(`the field of ${step} in flow "${flow.name}"`, name);
    const expression = nodeOf(value);
    if (expression === undefined)
      throw misconfigured(
        `${step} of flow "${flow.name}": "${name}" is no expression; use int(), float() or str() for constants`,
      );
    columns.push(Object.freeze({ name, expression }));
    kinds[name] = fieldOf(expression);
  }
  if (columns.length === 0) throw misconfigured(`${step} of flow "${flow.name}" returns no fields`);
  return { columns: Object.freeze(columns), kinds };
}

const KINDS: readonly unknown[] = ["int64", "float64", "text", "timestamp", "boolean"] satisfies FieldKind[];

export function checkedFields(flow: Flow, fields: Fields): Fields {
  for (const [name, field] of Object.entries(fields)) {
    checkField(`the field of flow "${flow.name}"`, name);
    if (!KINDS.includes(field?.kind)) throw misconfigured(`field "${name}" of flow "${flow.name}" has no known type`);
    if (field.path !== undefined)
      throw misconfigured(`field "${name}" of flow "${flow.name}" is nested: only fields of streams are`);
  }
  return fields;
}

/** A field without where it was in JSON: what is behind a source does not depend on it. */
export function fieldOf({ kind, optional }: Pick<AnyField, "kind" | "optional">): AnyField {
  return Object.freeze(optional === true ? { kind, optional } : { kind });
}

/** The fields of events behind a source. */
export function plainFields(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, fieldOf(field)]));
}

export function requireCode(flow: Flow, step: string, code: unknown): void {
  if (typeof code !== "function") throw misconfigured(`${step} of flow "${flow.name}" takes a function`);
}

/** @param widened what is given always may be put where it may be null */
export function requireSameFields(flow: Flow, what: string, wanted: Fields, given: Fields, widened = false): void {
  for (const name of new Set([...Object.keys(wanted), ...Object.keys(given)])) {
    const [left, right] = [wanted[name], given[name]];
    if (left?.kind !== right?.kind || (left?.optional !== right?.optional && !(widened && left?.optional === true)))
      throw misconfigured(
        `flow "${flow.name}": ${what} needs field "${name}" to be ${shown(left)}, and it is ${shown(right)}`,
      );
  }
}

function shown(field: AnyField | undefined): string {
  if (field === undefined) return "absent";
  return field.optional === true ? `optional ${field.kind}` : field.kind;
}

export function requireField(
  flow: Flow,
  fields: Fields,
  field: string,
  kinds: readonly FieldKind[],
  use: string,
): AnyField {
  const found = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (found === undefined) throw misconfigured(`flow "${flow.name}": it has no field "${field}"`);
  if (!kinds.includes(found.kind)) {
    throw misconfigured(
      `flow "${flow.name}": field "${field}" is ${found.kind} and cannot be its ${use}; it takes ${kinds.join(", ")}`,
    );
  }
  return found;
}

/** Of a field that every event has to have. */
export function requireValue(
  flow: Flow,
  fields: Fields,
  field: string,
  kinds: readonly FieldKind[],
  use: string,
): void {
  if (requireField(flow, fields, field, kinds, use).optional === true)
    throw misconfigured(
      `flow "${flow.name}": field "${field}" is optional and cannot be its ${use}: give it a value with coalesce() first`,
    );
}
