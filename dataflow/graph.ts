/** The graph of a flow for people: its operators in order, and where each of them runs. */

import type { FieldTest, FlowDefinition, FlowOutput } from "../sdk/index.ts";

export type Operator = "source" | "filter" | "key" | "window" | "aggregate" | "view";
/** Columns and expressions run in Wasm; what has effects on stored rows runs in JavaScript beside it. */
export type Runtime = "wasm" | "javascript";

export interface Vertex {
  /** Position in the graph, from 0. */
  readonly id: number;
  readonly operator: Operator;
  readonly runtime: Runtime;
  /** What it does, in words of the flow. */
  readonly detail: string;
}

export interface FlowGraph {
  readonly flow: string;
  readonly vertices: readonly Vertex[];
  /** Pairs of vertex ids, from and to. */
  readonly edges: ReadonlyArray<readonly [number, number]>;
}

/** The operators of a flow. A flow is a chain so far: every vertex but the last has one successor. */
export function graphOf(flow: FlowDefinition): FlowGraph {
  const chain: Array<Omit<Vertex, "id">> = [
    {
      operator: "source",
      runtime: "wasm",
      detail: `${flow.stream.name}, event time ${flow.time} - ${flow.outOfOrderness} ms`,
    },
  ];
  if (flow.filter.length > 0) {
    chain.push({ operator: "filter", runtime: "wasm", detail: flow.filter.map(testText).join(" and ") });
  }
  chain.push(
    { operator: "key", runtime: "wasm", detail: flow.key },
    { operator: "window", runtime: "wasm", detail: `${flow.window.kind} ${flow.window.size} ms` },
    { operator: "aggregate", runtime: "wasm", detail: flow.outputs.map(outputText).join(", ") },
    { operator: "view", runtime: "javascript", detail: flow.view },
  );
  return {
    flow: flow.name,
    vertices: chain.map((vertex, id) => ({ id, ...vertex })),
    edges: chain.slice(1).map((_, id) => [id, id + 1] as const),
  };
}

/** One line per operator, for logs and the console. */
export function explain(graph: FlowGraph): string {
  return graph.vertices.map(({ operator, runtime, detail }) => `${operator} [${runtime}]: ${detail}`).join("\n");
}

function testText({ field, op, value }: FieldTest): string {
  return `${field} ${op} ${typeof value === "string" ? JSON.stringify(value) : value}`;
}

function outputText(output: FlowOutput): string {
  return `${output.name} = ${output.kind === "count" ? "count()" : `${output.kind}(${output.field})`}`;
}
