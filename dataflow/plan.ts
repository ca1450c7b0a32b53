/** Plans: a flow's description made ready for the kernels, with the way back from their measures to named outputs. */

import type { Comparison, EventColumn, FieldTest, FlowDefinition, WindowedFlow, WindowedOutput } from "../sdk/index.ts";
import { misconfigured } from "../sdk/errors.ts";
import { GROUPS_MAX } from "./limits.ts";

/** `column op value`; the kernels' type of the same name. */
export interface ColumnTest {
  readonly column: number;
  readonly op: Comparison;
  readonly value: bigint | number | string;
}

/** The kernels' type of the same name; columns are indexes into `columns`. */
export interface WindowPlan {
  readonly columns: readonly EventColumn[];
  readonly filter: readonly ColumnTest[];
  readonly key: number;
  readonly time: number;
  /** Milliseconds. */
  readonly size: number;
  readonly measures: readonly number[];
  readonly maxGroups: number;
}

/** How one output of a view row is made from a group. `measure` is an index into the plan's measures. */
export type OutputPlan =
  | { readonly name: string; readonly kind: "count" }
  | { readonly name: string; readonly kind: "sum" | "min" | "max"; readonly measure: number };

export interface FlowPlan {
  readonly name: string;
  /** Name of the stream that it reads. */
  readonly stream: string;
  readonly columns: readonly EventColumn[];
  readonly window: WindowPlan;
  /** Milliseconds. */
  readonly outOfOrderness: number;
  /** In the order in which a row shows them. */
  readonly outputs: readonly OutputPlan[];
  readonly view: string;
}

/** What the window kernel runs of a flow. @throws TidegateError `misconfigured` for one that it cannot run */
export function windowedOf(flow: FlowDefinition | WindowedFlow): WindowedFlow {
  if (!("sinks" in flow)) return flow;
  if (flow.windowed === null) throw misconfigured(`flow "${flow.name}" is more than the window kernel can run`);
  return flow.windowed;
}

/** The plan of a flow that the window kernel runs; pure, and equal for equal flows. */
export function planFlow(definition: FlowDefinition | WindowedFlow): FlowPlan {
  const flow = windowedOf(definition);
  const columns = flow.stream.columns;
  const indexOf = (field: string): number => columnIndex(flow, field);
  const measures: number[] = [];
  const outputs = flow.outputs.map((output) => planOutput(output, measures, indexOf));
  return {
    name: flow.name,
    stream: flow.stream.name,
    columns,
    window: {
      columns,
      filter: flow.filter.map((test) => planTest(test, indexOf)),
      key: indexOf(flow.key),
      time: indexOf(flow.time),
      size: flow.window.size,
      measures,
      maxGroups: GROUPS_MAX,
    },
    outOfOrderness: flow.outOfOrderness,
    outputs,
    view: flow.view,
  };
}

/** Fields that several outputs use become one measure: the kernels keep sum, min and max together. */
function planOutput(output: WindowedOutput, measures: number[], indexOf: (field: string) => number): OutputPlan {
  if (output.kind === "count") return { name: output.name, kind: "count" };
  const column = indexOf(output.field);
  let measure = measures.indexOf(column);
  if (measure < 0) measure = measures.push(column) - 1;
  return { name: output.name, kind: output.kind, measure };
}

function planTest(test: FieldTest, indexOf: (field: string) => number): ColumnTest {
  return { column: indexOf(test.field), op: test.op, value: test.value };
}

function columnIndex(flow: WindowedFlow, field: string): number {
  const index = flow.stream.columns.findIndex((column) => column.name === field);
  if (index < 0) throw misconfigured(`flow "${flow.name}": stream "${flow.stream.name}" has no field "${field}"`);
  return index;
}
