/** Pure description and planning of flows: what the shells and the protocol need to run them. */

export { explain, graphOf } from "./graph.ts";
export type { FlowGraph, Runtime, Vertex } from "./graph.ts";
export { GROUPS_MAX } from "./limits.ts";
export { planFlow, windowedOf } from "./plan.ts";
export type { ColumnTest, FlowPlan, OutputPlan, WindowPlan } from "./plan.ts";
export { evaluate, rowText } from "./reference.ts";
export type { PlainEvent, ReferenceResult, ReferenceRow } from "./reference.ts";
export { renderRow } from "./view.ts";
export type { Measure, WindowGroup } from "./view.ts";
export { advance, INITIAL_WATERMARK } from "./watermark.ts";
