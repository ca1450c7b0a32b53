/** The graph of a flow for people: its operators in order, and where each of them runs. */

import type {
  ExpressionNode,
  FieldTest,
  FlowDefinition,
  FlowNode,
  FlowOutput,
  Keys,
  Sink,
  WindowedFlow,
  WindowSpec,
} from "../sdk/index.ts";
import { expressionText, nodesOf } from "../sdk/index.ts";
import { isVector } from "./columns/vectors.ts";
import { windowedOf } from "./plan.ts";

/**
 * `wasm`: kernels of the Wasm core. `columns`: programs over typed columns, without an object per event, parts of which kernels may run too. `javascript`: functions of the
 * user's, an event at a time, and what has effects on stored rows.
 */
export type Runtime = "wasm" | "columns" | "javascript";

export interface Vertex {
  /** Position in the graph, from 0. */
  readonly id: number;
  /** Under which its state is found in later versions of the flow. */
  readonly name: string;
  readonly operator: string;
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

/**
 * The operators of a flow.
 * @param kernel whether the window kernel runs it whole, as it does when no other kind of flow uses its stream
 */
export function graphOf(flow: FlowDefinition, kernel: boolean = flow.windowed !== null): FlowGraph {
  return kernel ? kernelGraph(windowedOf(flow)) : operatorGraph(flow);
}

function kernelGraph(flow: WindowedFlow): FlowGraph {
  const chain: Array<Omit<Vertex, "id" | "name">> = [
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
    vertices: chain.map((vertex, id) => ({ id, name: vertex.operator, ...vertex })),
    edges: chain.slice(1).map((_, id) => [id, id + 1] as const),
  };
}

function operatorGraph(flow: FlowDefinition): FlowGraph {
  const nodes = nodesOf(flow);
  const vertices: Vertex[] = nodes.map((node, id) => ({ id, name: node.name, ...operatorVertex(node) }));
  const edges: Array<readonly [number, number]> = nodes.flatMap((node, id) =>
    node.inputs.map((input) => [nodes.indexOf(input), id] as const),
  );
  for (const sink of flow.sinks) {
    edges.push([nodes.indexOf(sink.input), vertices.length]);
    vertices.push({ id: vertices.length, ...sinkVertex(sink) });
  }
  return { flow: flow.name, vertices, edges };
}

function operatorVertex({ operator, fields }: FlowNode): Pick<Vertex, "operator" | "runtime" | "detail"> {
  const { kind } = operator;
  switch (operator.kind) {
    case "source": {
      const idle = operator.idle === null ? "" : `, idle after ${operator.idle} ms`;
      const detail = `${operator.stream.name}, event time ${operator.time} - ${operator.outOfOrderness} ms${idle}`;
      return { operator: kind, runtime: "wasm", detail };
    }
    case "filter":
      return { operator: kind, runtime: runtimeOf([operator.test]), detail: expressionText(operator.test) };
    case "map": {
      const expressions = operator.columns.map(({ expression }) => expression);
      return { operator: kind, runtime: runtimeOf(expressions), detail: columnsText(operator.columns) };
    }
    case "union":
      return { operator: kind, runtime: "columns", detail: Object.keys(fields).join(", ") };
    case "filter-rows":
    case "flat-map":
      return { operator: kind, runtime: "javascript", detail: `user code, gives ${Object.keys(fields).join(", ")}` };
    case "lookup":
      return { operator: kind, runtime: "javascript", detail: `${operator.contract.name}.${operator.query}` };
    case "aggregate": {
      const user = operator.outputs.some((output) => output.kind === "reduce");
      const window = operator.window === null ? "no window" : windowText(operator.window);
      const late = operator.lateness > 0 ? `, late by up to ${operator.lateness} ms` : "";
      const detail = `${keysText(operator.keys)}; ${window}${late}; ${operator.outputs.map(outputText).join(", ")}`;
      return { operator: kind, runtime: user ? "javascript" : "columns", detail };
    }
    case "join": {
      const { left, right, rule, where } = operator;
      const on = `${left.fields.join(", ")} = ${right.fields.join(", ")}`;
      const how = rule.kind === "window" ? windowText(rule.window) : ruleText(rule);
      const test = where === null ? "" : `; where ${expressionText(where)}`;
      const detail = `${on}; ${how}${test}; ${columnsText(operator.columns)}; ${left.shards} shards`;
      const expressions = operator.columns.map(({ expression }) => expression);
      return { operator: kind, runtime: runtimeOf(where === null ? expressions : [where, ...expressions]), detail };
    }
    case "deduplicate":
      return { operator: kind, runtime: "columns", detail: `the ${operator.keep}, ${keysText(operator.keys)}` };
    case "process":
      return { operator: kind, runtime: "javascript", detail: `user code, ${keysText(operator.keys)}` };
  }
}

/** Fields that are passed on cost nothing: they do not decide. */
function runtimeOf(expressions: readonly ExpressionNode[]): Runtime {
  const computed = expressions.filter(({ op }) => op !== "field");
  return computed.length > 0 && computed.every(isVector) ? "wasm" : "columns";
}

function sinkVertex(sink: Sink): Pick<Vertex, "name" | "operator" | "runtime" | "detail"> {
  switch (sink.kind) {
    case "view": {
      const detail = sink.key.length === 0 ? sink.name : `${sink.name}, key ${sink.key.join(", ")}`;
      return { name: sink.name, operator: "view", runtime: "javascript", detail };
    }
    case "stream":
      return { name: sink.stream.name, operator: "stream", runtime: "columns", detail: sink.stream.name };
    case "egress": {
      const { name, to, target, most, atATime, onFull } = sink;
      const detail = `${name} to ${target}, up to ${most.events} events a delivery, ${atATime} at a time, ${onFull} when full`;
      return { name, operator: to, runtime: "javascript", detail };
    }
    case "call": {
      const refusal = sink.as === "call" ? `, on refusal ${sink.onRefusal}` : "";
      const detail = `${sink.name} by ${expressionText(sink.key)} as ${sink.as}${refusal}`;
      return { name: sink.name, operator: "call", runtime: "javascript", detail };
    }
  }
}

/** One line per operator, for logs and the console. */
export function explain(graph: FlowGraph): string {
  return graph.vertices.map(({ operator, runtime, detail }) => `${operator} [${runtime}]: ${detail}`).join("\n");
}

function testText({ field, op, value }: FieldTest): string {
  return `${field} ${op} ${typeof value === "string" ? JSON.stringify(value) : value}`;
}

function outputText(output: FlowOutput): string {
  return `${output.name} = ${aggregateText(output)}`;
}

function aggregateText(output: FlowOutput): string {
  switch (output.kind) {
    case "count":
      return "count()";
    case "reduce":
      return "user code";
    case "top":
      return `top(${output.k} by ${output.by} ${output.order}${output.ties ? " with ties" : ""})`;
    case "collect":
      return `collect(${output.of?.join(", ") ?? "all fields"})`;
    default:
      return `${output.kind}(${output.field})`;
  }
}

function columnsText(
  columns: ReadonlyArray<{ readonly name: string; readonly expression: Parameters<typeof expressionText>[0] }>,
): string {
  return columns.map(({ name, expression }) => `${name} = ${expressionText(expression)}`).join(", ");
}

function keysText({ fields, shards }: Keys): string {
  return fields.length === 0 ? "all events" : `by ${fields.join(", ")} in ${shards} shards`;
}

function windowText(window: WindowSpec): string {
  const of = window.time === "processing" ? " of processing time" : "";
  if (window.kind === "session") return `session, gap ${window.gap} ms${of}`;
  return window.kind === "sliding"
    ? `sliding ${window.size} ms every ${window.slide} ms${of}`
    : `tumbling ${window.size} ms${of}`;
}

function ruleText(
  rule: Extract<Extract<FlowNode["operator"], { kind: "join" }>["rule"], { kind: "interval" | "all" | "table" }>,
): string {
  if (rule.kind === "interval") return `right from ${rule.before} ms before to ${rule.after} ms after`;
  if (rule.kind === "table") return "right as a table";
  return rule.keep === null ? "all pairs" : `all pairs within ${rule.keep} ms`;
}
