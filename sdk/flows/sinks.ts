/** Where flows end. */

import type { Contract } from "../contract.ts";
import { misconfigured } from "../errors.ts";
import { FLOW_NODES_MAX } from "../limits.ts";
import { checkKebab } from "../names.ts";
import type { StreamDefinition } from "../stream.ts";
import type { Flow } from "./making.ts";
import { keyOf } from "./lookup.ts";
import { type FlowDefinition, type FlowNode, nodesOf, type Sink, type WindowedFlow } from "./nodes.ts";

export function viewSink(
  flow: Flow,
  input: FlowNode,
  view: string,
  key: readonly string[],
  shape: "windowed" | "plain",
): Sink {
  checkKebab(`the view of flow "${flow.name}"`, view);
  return Object.freeze({ kind: "view", name: view, input, key: Object.freeze([...key]), shape });
}

export function streamSink(input: FlowNode, stream: StreamDefinition): Sink {
  return Object.freeze({ kind: "stream", input, stream });
}

export function callSink(
  flow: Flow,
  input: FlowNode,
  contract: Contract,
  name: string,
  options: {
    readonly key: (event: never) => unknown;
    readonly input?: (event: never) => unknown;
    readonly as?: "call" | "message";
    readonly onRefusal?: "dead-letter" | "abort-batch";
  },
): Sink {
  if (contract.functions[name]?.kind !== "fn")
    throw misconfigured(`flow "${flow.name}": service "${contract.name}" has no function "${name}" that writes`);
  const { as = "call", onRefusal = "dead-letter" } = options;
  if (as !== "call" && as !== "message") throw misconfigured(`flow "${flow.name}" calls as "call" or as "message"`);
  if (onRefusal !== "dead-letter" && onRefusal !== "abort-batch")
    throw misconfigured(`flow "${flow.name}": onRefusal is "dead-letter" or "abort-batch"`);
  return Object.freeze({
    kind: "call",
    name: callName(contract, name),
    input,
    contract,
    function: name,
    key: keyOf(flow, input, options.key),
    argument: options.input,
    as,
    onRefusal,
  });
}

export function definition(flow: Flow, sink: Sink, windowed: WindowedFlow | null): FlowDefinition {
  return assemble(flow.name, flow.drops, [sink], windowed);
}

/**
 * Several ends of one flow together: `sinks(results.toView("hot"), results.toStream(Hot))`. All must come of the same `flow()`.
 * @throws TidegateError `misconfigured`
 */
export function sinks<Row>(first: FlowDefinition<Row>, ...more: readonly FlowDefinition[]): FlowDefinition<Row> {
  for (const other of more) {
    if (other.name !== first.name) throw misconfigured(`sinks() is given ends of "${first.name}" and "${other.name}"`);
  }
  if (more.length === 0) return first;
  const all = [first, ...more].flatMap((one) => one.sinks);
  return assemble(first.name, first.drops, all, null) as FlowDefinition<Row>;
}

function assemble(
  name: string,
  drops: readonly string[],
  all: readonly Sink[],
  windowed: WindowedFlow | null,
): FlowDefinition {
  const nodes = nodesOf({ sinks: all });
  if (nodes.length + all.length > FLOW_NODES_MAX)
    throw misconfigured(`flow "${name}" has more than ${FLOW_NODES_MAX} operators and sinks`);
  const names = new Set<string>();
  for (const node of nodes) {
    if (names.has(node.name)) throw misconfigured(`flow "${name}" has two operators with the name "${node.name}"`);
    names.add(node.name);
  }
  for (const sink of all) checkRows(name, sink, nodes);
  const streams = new Set(nodes.flatMap(({ operator }) => (operator.kind === "source" ? [operator.stream] : [])));
  const view = all.find((sink) => sink.kind === "view");
  return Object.freeze({
    kind: "flow",
    name,
    sinks: Object.freeze(apart(all)),
    streams: Object.freeze([...streams]),
    view: view?.name,
    windowed,
    drops,
  });
}

/** A view of nothing but what an operator keeps anyway. */
export function readsState({ input, key, shape }: Extract<Sink, { readonly kind: "view" }>): boolean {
  const { operator } = input;
  if (operator.kind === "aggregate") return shape === "windowed" || operator.window === null;
  return operator.kind === "deduplicate" && operator.keep === "last" && sameNames(operator.keys.fields, key);
}

function sameNames(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name, at) => name === right[at]);
}

/** The rows of a view of events are kept under a name of their own, among those of operators that keep something. */
function checkRows(flow: string, sink: Sink, nodes: readonly FlowNode[]): void {
  if (sink.kind !== "view" || readsState(sink)) return;
  const keeps = ({ operator }: FlowNode): boolean => "keys" in operator || operator.kind === "join";
  if (!nodes.some((node) => node.name === `view-${sink.name}` && keeps(node))) return;
  throw misconfigured(
    `flow "${flow}" has an operator with the name "view-${sink.name}", under which the rows of its view "${sink.name}" are kept: give one of them another name`,
  );
}

/** Ends that call the same function are told apart by their order: what one of them has set aside goes to it again. */
function apart(all: readonly Sink[]): Sink[] {
  const counts = new Map<string, number>();
  return all.map((sink) => {
    if (sink.kind !== "call") return sink;
    const name = callName(sink.contract, sink.function);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? sink : Object.freeze({ ...sink, name: `${name}-${count}` });
  });
}

function callName({ name }: Contract, called: string): string {
  return `${name}.${called}`;
}
