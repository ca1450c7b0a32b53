/** Flows as they run: operators in order, those between two keyed ones inline, the keyed ones as vertices of shares. */

import {
  type EventRow,
  type FlowDefinition,
  type FlowNode,
  type FlowOutput,
  type Keys,
  nodesOf,
  type Sink,
  type StreamDefinition,
} from "../sdk/index.ts";
import { readsState } from "../sdk/flows/sinks.ts";
import type { Column } from "./columns/column.ts";
import { compile, compileTest } from "./columns/expressions.ts";
import { concatRows, Rows, rowsOf } from "./columns/rows.ts";
import type { VectorKernels } from "./columns/vectors.ts";
import { Deduplicate } from "./operators/deduplicate.ts";
import type { AggregateSpec } from "./operators/groups.ts";
import { PairJoin, TableJoin } from "./operators/joins.ts";
import type { ShardOperator } from "./operators/operator.ts";
import { chosen } from "./columns/chosen.ts";
import { PaneAggregate } from "./operators/panes.ts";
import { Process } from "./operators/process.ts";
import { RunningAggregate } from "./operators/running.ts";
import { SessionAggregate } from "./operators/sessions.ts";
import { Upsert } from "./operators/upsert.ts";
import { WindowJoin } from "./operators/window-join.ts";
import { WindowAggregate } from "./operators/windows.ts";

/** An input of a vertex: whose rows, by which key, and which of their columns it looks at. */
export interface Port {
  readonly input: number;
  readonly keys: readonly string[];
  readonly names: readonly string[];
}

interface Common {
  readonly name: string;
  /** Steps that it reads, by number. */
  readonly inputs: readonly number[];
  /** Sources that its time comes from, by number of their step. */
  readonly sources: readonly number[];
}
export interface SourceStep extends Common {
  readonly kind: "source";
  readonly stream: StreamDefinition;
  readonly time: string;
  readonly outOfOrderness: number;
  readonly idle: number | null;
}
export interface InlineStep extends Common {
  readonly kind: "inline";
  run(inputs: readonly Rows[]): Rows;
}
export interface LookupStep extends Common {
  readonly kind: "lookup";
  readonly operator: Extract<FlowNode["operator"], { readonly kind: "lookup" }>;
  readonly fields: FlowNode["fields"];
  readonly from: readonly string[];
}
export interface VertexStep extends Common {
  readonly kind: "vertex";
  /** With the hash of its definition: what its shares are called. */
  readonly id: string;
  readonly shards: number;
  readonly ports: readonly Port[];
  /** Vertices whose results it is given and told of when they are taken back, by name: it goes on with them only, and they with it. */
  readonly follows: readonly string[];
  /** Only what follows it: it may begin anew by itself. */
  readonly joinsLate: boolean;
  /** Its time is the server's. */
  readonly processing: boolean;
  /** Its results come when time ends windows, and not before. */
  readonly windowed: boolean;
  /** Its results go on as events. */
  readonly emits: boolean;
  /** A view shows its windows, and time comes to their end without events, too. */
  readonly woken: boolean;
  make(): ShardOperator;
}
export type ProgramStep = SourceStep | InlineStep | LookupStep | VertexStep;
export type ProgramSink = Exclude<Sink, { readonly kind: "view" }> & { readonly from: number };

/** How a view reads the state of a vertex. */
export interface ViewProgram {
  readonly sink: Extract<Sink, { readonly kind: "view" }>;
  /** The step. */
  readonly vertex: number;
  /** What the entries of the vertex are. */
  readonly content: "windows" | "groups" | "newest" | "rows";
}

export interface FlowProgram {
  readonly name: string;
  readonly definition: FlowDefinition;
  /** The stream by which the flow's own state is placed. */
  readonly home: string;
  readonly steps: readonly ProgramStep[];
  readonly sinks: readonly ProgramSink[];
  /** The same by what they give to: what goes to one stream goes there together. */
  readonly ends: ReadonlyArray<readonly ProgramSink[]>;
  readonly views: readonly ViewProgram[];
}

/**
 * Compiles a flow.
 * @param kernels run what they can of its expressions
 */
export function programOf(definition: FlowDefinition, kernels?: VectorKernels): FlowProgram {
  const nodes = nodesOf(definition);
  const steps: ProgramStep[] = [];
  for (const node of nodes) steps.push(stepOf(node, nodes, steps, { flow: definition, kernels }));
  const views: ViewProgram[] = [];
  const sinks: ProgramSink[] = [];
  for (const sink of definition.sinks) {
    const from = nodes.indexOf(sink.input);
    if (sink.kind !== "view") sinks.push({ ...sink, from });
    else if (readsState(sink)) views.push({ sink, vertex: from, content: contentOf(sink.input) });
    else {
      steps.push(upsertStep(sink, from, steps));
      views.push({ sink, vertex: steps.length - 1, content: "rows" });
    }
  }
  const [home] = definition.streams;
  if (home === undefined) throw new Error("a flow reads at least one stream");
  return { name: definition.name, definition, home: home.name, steps, sinks, ends: endsOf(sinks), views };
}

function endsOf(sinks: readonly ProgramSink[]): ProgramSink[][] {
  return [...Map.groupBy(sinks, (sink) => (sink.kind === "stream" ? sink.stream.name : sink)).values()];
}

function contentOf({ operator }: FlowNode): ViewProgram["content"] {
  if (operator.kind === "deduplicate") return "newest";
  return operator.kind === "aggregate" && operator.window !== null ? "windows" : "groups";
}

/** What its steps are made of beside their nodes. */
interface About {
  readonly flow: FlowDefinition;
  readonly kernels: VectorKernels | undefined;
}

function stepOf(node: FlowNode, nodes: readonly FlowNode[], steps: readonly ProgramStep[], about: About): ProgramStep {
  const inputs = node.inputs.map((input) => nodes.indexOf(input));
  const own = steps.length;
  const sources =
    inputs.length === 0 ? [own] : [...new Set(inputs.flatMap((input) => (steps[input] as ProgramStep).sources))];
  const common = { name: node.name, inputs, sources };
  const { operator } = node;
  switch (operator.kind) {
    case "source":
      return { ...common, ...operator };
    case "filter":
    case "map":
    case "filter-rows":
    case "flat-map":
    case "union":
      return { ...common, kind: "inline", run: inlineOf(node, operator, about.kernels) };
    case "lookup":
      return {
        ...common,
        kind: "lookup",
        operator,
        fields: node.fields,
        from: Object.keys(node.inputs[0]?.fields ?? {}),
      };
    default:
      return { ...common, ...vertexOf(node, inputs, about) };
  }
}

type Inline = Extract<FlowNode["operator"], { readonly kind: "filter" | "map" | "filter-rows" | "flat-map" | "union" }>;

function inlineOf(node: FlowNode, operator: Inline, kernels: VectorKernels | undefined): InlineStep["run"] {
  const names = Object.keys(node.inputs[0]?.fields ?? {});
  switch (operator.kind) {
    case "union":
      return concatRows;
    case "filter": {
      const test = compileTest(operator.test, kernels);
      return ([rows = EMPTY]) => {
        const index = chosen(test([rows], rows.length));
        return index.length === rows.length ? rows : rows.pick(index);
      };
    }
    case "map": {
      const programs = operator.columns.map(({ name, expression }) => [name, compile(expression, kernels)] as const);
      return ([rows = EMPTY]) =>
        rows.withColumns(
          new Map<string, () => Column>(programs.map(([name, program]) => [name, () => program([rows], rows.length)])),
        );
    }
    case "filter-rows": {
      const code = operator.code as (event: EventRow) => boolean;
      return ([rows = EMPTY]) => {
        const kept: number[] = [];
        for (let row = 0; row < rows.length; row++) if (code(rows.object(row, names))) kept.push(row);
        return rows.pick(Uint32Array.from(kept));
      };
    }
    case "flat-map": {
      const code = operator.code as (event: EventRow) => readonly EventRow[];
      return ([rows = EMPTY]) => {
        const made: EventRow[] = [];
        const from: number[] = [];
        for (let row = 0; row < rows.length; row++) {
          for (const event of code(rows.object(row, names))) {
            made.push(event);
            from.push(row);
          }
        }
        const time = Float64Array.from(from, (row) => rows.time[row] as number);
        const { sign } = rows;
        const signs = sign === null ? null : Int8Array.from(from, (row) => sign[row] as number);
        return rowsOf(node.fields, made, time, signs);
      };
    }
  }
}
const EMPTY = new Rows(new Map(), new Float64Array());

type Keyed = Extract<FlowNode["operator"], { readonly kind: "aggregate" | "join" | "deduplicate" | "process" }>;

function vertexOf(
  node: FlowNode,
  inputs: readonly number[],
  about: About,
): Omit<VertexStep, "name" | "inputs" | "sources"> {
  const operator = node.operator as Keyed;
  const [first = node] = node.inputs;
  const names = Object.keys(first.fields);
  const [input = 0, second = 0] = inputs;
  const keys = operator.kind === "join" ? operator.left : operator.keys;
  const window = operator.kind === "aggregate" ? operator.window : null;
  const ports: Port[] = [
    { input, keys: keys.fields, names: operator.kind === "aggregate" ? usedBy(operator, names) : names },
  ];
  if (operator.kind === "join") {
    const right = node.inputs[1]?.fields ?? {};
    ports.push({ input: second, keys: operator.right.fields, names: Object.keys(right) });
  }
  const wanted = stateOf(node, operator, about.flow);
  return {
    kind: "vertex",
    id: `${node.name}@${definitionHash(node, wanted.paned)}`,
    shards: shardsOf(keys),
    ports,
    follows: followedBy(node.inputs),
    joinsLate: false,
    processing: window?.time === "processing",
    windowed: window !== null || (operator.kind === "join" && operator.rule.kind === "window"),
    emits: wanted.emits,
    woken: wanted.woken,
    make: makerOf(node, operator, wanted, about.kernels),
  };
}

/** Keyed operators whose changes arrive by these. */
function followedBy(inputs: readonly FlowNode[]): readonly string[] {
  const seen = new Set<FlowNode>();
  const names: string[] = [];
  const look = (node: FlowNode): void => {
    if (!node.changes || seen.has(node)) return;
    seen.add(node);
    if (isKeyed(node)) names.push(node.name);
    else node.inputs.forEach(look);
  };
  inputs.forEach(look);
  return names;
}

/** How changes come by these; nothing where none do. */
function waysOf(inputs: readonly FlowNode[]): readonly unknown[] {
  if (!inputs.some(({ changes }) => changes)) return [];
  const numbers = new Map<FlowNode, number>();
  return [{ by: inputs.map((input) => wayOf(input, numbers)) }];
}

/**
 * How an input's changes come: from which keyed operators, and through what. What is given by one way cannot be taken back by another.
 * @param numbers of nodes that have been described: one that is met again is its number
 */
function wayOf(node: FlowNode, numbers: Map<FlowNode, number>): unknown {
  if (!node.changes) return null;
  if (isKeyed(node)) return node.name;
  const known = numbers.get(node);
  if (known !== undefined) return known;
  numbers.set(node, numbers.size);
  const { operator } = node;
  // A service that is asked is known by its name: what else it has, and with which schemas, changes nothing of what comes.
  const shown = operator.kind === "lookup" ? { ...operator, contract: operator.contract.name } : operator;
  return [shown, node.inputs.map((input) => wayOf(input, numbers))];
}

function isKeyed({ operator }: FlowNode): boolean {
  return "keys" in operator;
}

/** One group needs no more than one share. */
function shardsOf({ fields, shards }: Keys): number {
  return fields.length === 0 ? 1 : shards;
}

/** Results of parts can be made one. A reduce says how, or it cannot. */
function canMerge(output: FlowOutput): boolean {
  return output.kind !== "reduce" || output.merge !== undefined;
}

/** Columns that an aggregate looks at. */
function usedBy(operator: Extract<Keyed, { readonly kind: "aggregate" }>, names: readonly string[]): readonly string[] {
  const used = new Set<string>(operator.keys.fields);
  for (const output of operator.outputs) {
    if ("field" in output) used.add(output.field);
    if (output.kind === "top") used.add(output.by);
    if (output.kind === "reduce") return names;
    if (output.kind === "top" || output.kind === "collect") for (const name of output.of ?? names) used.add(name);
  }
  return names.filter((name) => used.has(name));
}

interface Wanted {
  readonly emits: boolean;
  readonly viewed: boolean;
  readonly woken: boolean;
  readonly paned: boolean;
}

/** Who wants what of an operator, and whether it keeps panes instead of windows: that depends on it, and one is not the other's state. */
function stateOf(node: FlowNode, operator: Keyed, flow: FlowDefinition): Wanted {
  const readers = nodesOf(flow).filter((other) => other.inputs.includes(node)).length;
  const ends = flow.sinks.filter(({ input }) => input === node);
  const states = ends.filter((sink) => sink.kind === "view" && readsState(sink));
  const viewed = states.length > 0;
  const paned =
    operator.kind === "aggregate" &&
    operator.window?.kind === "sliding" &&
    !viewed &&
    operator.lateness === 0 &&
    operator.outputs.every(canMerge);
  const window = operator.kind === "aggregate" ? operator.window : null;
  const woken = viewed && window !== null && (window.time === "processing" || mayIdle(node));
  return { emits: readers > 0 || ends.length > states.length, viewed, woken, paned };
}

function mayIdle({ operator, inputs }: FlowNode): boolean {
  return operator.kind === "source" ? operator.idle !== null : inputs.some(mayIdle);
}

function makerOf(
  node: FlowNode,
  operator: Keyed,
  { emits, viewed, woken, paned }: Wanted,
  kernels: VectorKernels | undefined,
): () => ShardOperator {
  const [left = node, right = node] = node.inputs;
  switch (operator.kind) {
    case "aggregate": {
      const { keys, outputs, window, lateness, ttl } = operator;
      const spec: AggregateSpec = {
        keys: keys.fields,
        outputs,
        inputs: left.fields,
        changes: left.changes,
        fields: node.fields,
        lateness,
        ttl,
        emits,
        viewed,
        woken,
      };
      if (window === null) return () => new RunningAggregate(spec);
      if (paned && window.kind === "sliding") return () => new PaneAggregate(spec, window);
      return window.kind === "session"
        ? () => new SessionAggregate(spec, window.gap)
        : () => new WindowAggregate(spec, window);
    }
    case "join": {
      const { rule, where, columns } = operator;
      const keys = [operator.left.fields, operator.right.fields] as const;
      const spec = { left: left.fields, right: right.fields, where, columns, keys, rule, kernels };
      if (rule.kind === "table") return () => new TableJoin(spec);
      if (rule.kind !== "window") return () => new PairJoin(spec);
      const { window } = rule;
      if (window.kind === "session") throw new Error("events are not joined in sessions");
      return () => new WindowJoin(spec, window);
    }
    case "deduplicate": {
      const { keys, keep, ttl } = operator;
      const spec = { keys: keys.fields, fields: node.fields, keep, ttl, emits };
      return () => new Deduplicate(spec);
    }
    case "process": {
      const spec = { keys: operator.keys.fields, inputs: left.fields, fields: node.fields, code: operator.code };
      return () => new Process(spec);
    }
  }
}

function upsertStep(
  sink: Extract<Sink, { readonly kind: "view" }>,
  input: number,
  steps: readonly ProgramStep[],
): VertexStep {
  const { fields, json } = sink.input;
  const names = Object.keys(fields);
  const spec = { keys: sink.key, names, json: new Set(json) };
  return {
    kind: "vertex",
    name: `view-${sink.name}`,
    id: `view-${sink.name}@${hashOf([sink.key, fields, ...waysOf([sink.input])])}`,
    inputs: [input],
    sources: (steps[input] as ProgramStep).sources,
    shards: sink.key.length === 0 ? 1 : UPSERT_SHARDS,
    ports: [{ input, keys: sink.key, names }],
    follows: followedBy([sink.input]),
    // What is taken back and was never given is no row of it: it begins with the results that come.
    joinsLate: true,
    processing: false,
    windowed: false,
    emits: false,
    woken: false,
    make: () => new Upsert(spec),
  };
}
/** Never to change: rows would be looked for elsewhere. */
const UPSERT_SHARDS = 16;

/**
 * What the state of an operator depends on: its definition without the user's code, what comes in and how changes do, and whether it is panes. For the
 * same flow it is never to become another one: deployed flows would not find their state.
 */
function definitionHash({ operator, inputs }: FlowNode, paned: boolean): string {
  const what: unknown[] = [operator, inputs.map(({ fields }) => fields)];
  if (paned) what.push("panes");
  return hashOf([...what, ...waysOf(inputs)]);
}

/** FNV-1a of 64 bits, as hex; of the user's code nothing. */
function hashOf(what: readonly unknown[]): string {
  const text = JSON.stringify(what, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : typeof value === "function" ? undefined : value,
  );
  let hash = 0xcbf29ce484222325n;
  for (let at = 0; at < text.length; at++)
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(at))) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0").slice(0, 12);
}
