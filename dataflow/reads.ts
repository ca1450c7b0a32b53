/** Which fields of events flows look at: what no operator, view or reader asks for need not go from the edge to a partition. */

import { type ExpressionNode, type FlowDefinition, type FlowNode, nodesOf } from "../sdk/index.ts";
import type { AppDefinition } from "../sdk/app.ts";

/**
 * Names of the fields of a stream that the app reads, in the order of declaration; undefined where that is all of them: where events are kept
 * for readers, or the window kernel takes them, which wants every column, or nobody is known to read the stream.
 */
export function fieldsRead(app: AppDefinition, stream: string): readonly string[] | undefined {
  const definition = app.streams.get(stream);
  if (definition === undefined || app.kept.has(stream)) return undefined;
  const readers = [...app.flows.values()].filter(({ streams }) => streams.some(({ name }) => name === stream));
  if (readers.length === 0 || readers.some(({ name }) => app.windowed.has(name))) return undefined;
  const read = new Set<string>();
  for (const flow of readers) for (const name of readBy(flow).get(stream) ?? []) read.add(name);
  const names = definition.columns.map(({ name }) => name).filter((name) => read.has(name));
  return names.length === definition.columns.length ? undefined : names;
}

/** Fields that a flow reads, by stream. */
function readBy(flow: FlowDefinition): ReadonlyMap<string, ReadonlySet<string>> {
  const wanted = new Map<FlowNode, Set<string>>();
  const want = (node: FlowNode, names: Iterable<string>): void => {
    let own = wanted.get(node);
    if (own === undefined) wanted.set(node, (own = new Set()));
    for (const name of names) own.add(name);
  };
  const wantAll = (node: FlowNode): void => want(node, Object.keys(node.fields));
  // An end shows its events as they are.
  for (const { input } of flow.sinks) wantAll(input);
  const read = new Map<string, Set<string>>();
  // From the ends to the sources: who reads an operator comes before it.
  for (const node of nodesOf(flow).reverse()) {
    const { operator, inputs } = node;
    const names = wanted.get(node) ?? new Set();
    const [input] = inputs;
    switch (operator.kind) {
      case "source": {
        const { stream, time } = operator;
        read.set(stream.name, new Set([...(read.get(stream.name) ?? []), ...names, time]));
        break;
      }
      case "filter":
        if (input !== undefined) want(input, [...names, ...fieldsOf(operator.test)]);
        break;
      case "map": {
        const computed = operator.columns.filter(({ name }) => names.has(name));
        if (input !== undefined)
          want(
            input,
            computed.flatMap(({ expression }) => fieldsOf(expression)),
          );
        break;
      }
      case "union":
        for (const each of inputs) want(each, names);
        break;
      default:
        // User code is given whole events, and a keyed operator sets late ones aside with all that they have.
        for (const each of inputs) wantAll(each);
    }
  }
  return read;
}

function fieldsOf(node: ExpressionNode): string[] {
  if (node.op === "field") return [node.name];
  return "args" in node ? node.args.flatMap(fieldsOf) : [];
}
