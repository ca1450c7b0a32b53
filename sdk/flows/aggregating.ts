/** The aggregate step: its outputs checked, and the chains that the window kernel can run whole recognised. */

import type { Aggregate } from "../aggregate.ts";
import { misconfigured } from "../errors.ts";
import { recordedTests } from "../expressions/build.ts";
import type { FieldTest } from "../filter.ts";
import { MEASURES_MAX, OUTPUTS_MAX, SHARDS_DEFAULT } from "../limits.ts";
import { checkField } from "../names.ts";
import { type AnyField, type FieldKind, type Fields, float64, int64, optional, text, timestamp } from "../stream.ts";
import type { WindowSpec } from "../window.ts";
import { type Flow, type KeyedParts, makeNode, requireField, unchanging } from "./making.ts";
import type { FlowNode, FlowOutput, WindowedFlow, WindowedOutput } from "./nodes.ts";
import { RESERVED_OUTPUTS } from "./steps.ts";

const NUMBERS: readonly FieldKind[] = ["int64", "float64"];
const SORTABLE: readonly FieldKind[] = ["int64", "float64", "timestamp"];
const ANY: readonly FieldKind[] = ["int64", "float64", "timestamp", "text", "boolean"];
const KINDS: Readonly<Record<string, readonly FieldKind[]>> = {
  sum: NUMBERS,
  avg: NUMBERS,
  min: SORTABLE,
  max: SORTABLE,
  first: ANY,
  last: ANY,
  distinct: ANY,
};
/** What can take an event back. */
const REVOCABLE: ReadonlySet<string> = new Set(["count", "sum", "avg"]);

/** What results of windows have beside their key and outputs. */
const WINDOW_FIELDS = Object.freeze({ windowStart: timestamp(), windowEnd: timestamp() });

/** An aggregate and how its results are named. */
export interface Aggregated {
  readonly node: FlowNode;
  readonly key: readonly string[];
  readonly windowed: boolean;
  readonly kernel: ((view: string) => WindowedFlow) | null;
}

export function aggregateNode(
  keyed: KeyedParts,
  window: WindowSpec | null,
  lateness: number,
  aggregates: Readonly<Record<string, Aggregate | undefined>>,
  ttl: number | null,
): Aggregated {
  const { flow, node, keys } = keyed;
  const outputs = outputList(keyed, window, aggregates);
  if (node.changes && !(window === null && outputs.every(({ kind }) => REVOCABLE.has(kind)))) unchanging(keyed, "this");
  if (ttl !== null) checkLife(flow, node, ttl);
  const lookup = lookupOfChanges(node);
  if (lookup !== null) {
    throw misconfigured(
      `flow "${flow.name}": this cannot follow "${lookup.name}", which asks anew about results that are replaced by later ones: what is taken back ` +
        "would be what the service answers then, and not what was counted; look up before the aggregate",
    );
  }
  if (window !== null) checkKeyNames(keyed);
  const fields: Record<string, AnyField> = {};
  for (const field of keys.fields) fields[field] = node.fields[field] as AnyField;
  if (window !== null) Object.assign(fields, WINDOW_FIELDS);
  for (const output of outputs) fields[output.name] = outputField(output, node.fields);
  const json = outputs.flatMap(({ kind, name }) => (kind === "top" || kind === "collect" ? [name] : []));
  const operator = { kind: "aggregate", keys, window, lateness, outputs, ttl } as const;
  const made = makeNode(flow, operator, [node], { fields, json, changes: window === null || lateness > 0 });
  return {
    node: made,
    key: keys.fields,
    windowed: window !== null,
    kernel: kernelFlow(flow, made),
  };
}

/** A result has the fields of its key beside those of its window. */
function checkKeyNames({ flow, keys }: KeyedParts): void {
  const taken = keys.fields.find((name) => Object.hasOwn(WINDOW_FIELDS, name));
  if (taken === undefined) return;
  throw misconfigured(
    `flow "${flow.name}" cannot have a key field "${taken}" in front of a window: results have that field of their window; ` +
      "give it another name by map() first",
  );
}

/**
 * What is taken back of a key that is forgotten would be taken from one that has begun anew. A key is silent for as long as all are whose results are
 * in it: when these are forgotten no later than it is, nobody takes anything back from it any more. That needs one time for both: an idle source
 * which only one of them has lets that one's time go ahead.
 */
function checkLife(flow: Flow, node: FlowNode, ttl: number): void {
  const sources = sourcesOf(node);
  const mayIdle = [...sources].some(({ operator }) => operator.kind === "source" && operator.idle !== null);
  for (const giver of givers(node)) {
    const life = lifeOf(giver);
    const hasOwnTime = mayIdle && sourcesOf(giver).size !== sources.size;
    if (life <= ttl && !hasOwnTime) continue;
    const what = `flow "${flow.name}": a key is forgotten here after ${ttl} ms (ttl), but "${giver.name}" takes back results`;
    if (hasOwnTime && life < Infinity)
      throw misconfigured(
        `${what} by a time of its own, as it does not read all of these sources, of which one may be idle: leave out ttl, or idle`,
      );
    throw misconfigured(
      `${what} ${life === Infinity ? "for ever" : `for ${life} ms`}: give "${giver.name}" a ttl that is no longer than this one, ` +
        "or make this one longer, or leave it out",
    );
  }
}

/** Operators whose results come by a node, and are taken back. */
function givers(node: FlowNode): readonly FlowNode[] {
  if (!node.changes) return [];
  const { kind } = node.operator;
  return kind === "aggregate" || kind === "deduplicate" ? [node] : node.inputs.flatMap(givers);
}

/** How long behind an event its result may be taken back, ms. */
function lifeOf({ operator }: FlowNode): number {
  // Results of windows have the last millisecond of theirs.
  if (operator.kind === "aggregate" && operator.window !== null) return operator.lateness + 1;
  return "ttl" in operator ? (operator.ttl ?? Infinity) : Infinity;
}

function sourcesOf(node: FlowNode): ReadonlySet<FlowNode> {
  return node.operator.kind === "source"
    ? new Set([node])
    : new Set(node.inputs.flatMap((input) => [...sourcesOf(input)]));
}

/** A lookup that an operator reads from and that is given changes. */
function lookupOfChanges(node: FlowNode): FlowNode | null {
  if (!node.changes) return null;
  if (node.operator.kind === "lookup") return node;
  return node.inputs.reduce<FlowNode | null>((found, input) => found ?? lookupOfChanges(input), null);
}

/** Of events without a value, an aggregate of that field heeds none: a sum is then 0, and what is not a number of anything is null. */
function outputField(output: FlowOutput, fields: Fields): AnyField {
  switch (output.kind) {
    case "count":
    case "distinct":
      return int64();
    case "avg":
      return (fields[output.field] as AnyField).optional === true ? optional(float64()) : float64();
    case "sum":
      return Object.freeze({ kind: (fields[output.field] as AnyField).kind });
    case "top":
    case "collect":
      return text();
    case "reduce":
      return output.to;
    default:
      return fields[output.field] as AnyField;
  }
}

function outputList(
  { flow, node, keys }: KeyedParts,
  window: WindowSpec | null,
  outputs: Readonly<Record<string, Aggregate | undefined>>,
): readonly FlowOutput[] {
  const list: FlowOutput[] = [];
  for (const [name, aggregate] of Object.entries(outputs)) {
    checkField(`the output of flow "${flow.name}"`, name);
    if ((RESERVED_OUTPUTS as readonly string[]).includes(name) || keys.fields.includes(name)) {
      throw misconfigured(`flow "${flow.name}" cannot have an output "${name}": every row has that member already`);
    }
    if (aggregate === undefined) continue;
    checkAggregate(flow, node.fields, aggregate, window);
    list.push(Object.freeze({ ...aggregate, name }));
  }
  if (list.length === 0) throw misconfigured(`flow "${flow.name}" has no outputs`);
  if (list.length > OUTPUTS_MAX) throw misconfigured(`flow "${flow.name}" has more than ${OUTPUTS_MAX} outputs`);
  return Object.freeze(list);
}

function checkAggregate(flow: Flow, fields: Fields, aggregate: Aggregate, window: WindowSpec | null): void {
  const { kind } = aggregate;
  if ("field" in aggregate) requireField(flow, fields, aggregate.field, KINDS[kind] ?? [], kind);
  if (kind === "top") requireField(flow, fields, aggregate.by, SORTABLE, "top");
  if (kind === "top" || kind === "collect")
    for (const field of aggregate.of ?? []) requireField(flow, fields, field, ANY, kind);
  if (kind === "reduce" && window?.kind === "session" && aggregate.merge === undefined)
    throw misconfigured(`flow "${flow.name}": reduce() over sessions needs merge, since sessions become one`);
}

/** What the window kernel runs: filters of plain tests, one key field, tumbling windows, its four aggregates. */
function kernelFlow(flow: Flow, node: FlowNode): ((view: string) => WindowedFlow) | null {
  const { operator } = node;
  if (operator.kind !== "aggregate" || operator.lateness > 0) return null;
  const { keys, window, outputs } = operator;
  const [key, ...more] = keys.fields;
  if (key === undefined || more.length > 0 || keys.shards !== SHARDS_DEFAULT) return null;
  if (window?.kind !== "tumbling" || window.time === "processing") return null;
  const measures = new Set(outputs.flatMap((output) => ("field" in output ? [output.field] : [])));
  if (!outputs.every(isWindowedOutput) || measures.size > MEASURES_MAX) return null;
  const filter: FieldTest[] = [];
  let at = node.inputs[0] as FlowNode;
  for (; at.operator.kind === "filter"; at = at.inputs[0] as FlowNode) {
    const tests = recordedTests(at.operator.test);
    if (tests === undefined) return null;
    filter.unshift(...tests);
  }
  const { operator: source } = at;
  if (source.kind !== "source" || source.idle !== null) return null;
  const { stream, time, outOfOrderness } = source;
  if (![key, ...measures].every((name) => inKernel(stream.fields[name]))) return null;
  return (view) =>
    Object.freeze({
      name: flow.name,
      stream,
      time,
      outOfOrderness,
      filter: Object.freeze(filter),
      key,
      window,
      outputs: outputs as readonly WindowedOutput[],
      view,
    });
}

/** Groups and sums of the kernel know neither null nor booleans. Of filters it is never asked: such tests are none of plain fields. */
function inKernel(field: AnyField | undefined): boolean {
  return field !== undefined && field.optional !== true && field.kind !== "boolean";
}

function isWindowedOutput(output: FlowOutput): output is WindowedOutput {
  return ["count", "sum", "min", "max"].includes(output.kind);
}
