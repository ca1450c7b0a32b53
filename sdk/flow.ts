/** Flows: what happens to the events of streams, described step by step and recorded as plain data. */

import { milliseconds } from "./duration.ts";
import { misconfigured } from "./errors.ts";
import { EventsStep } from "./flows/builder.ts";
import { type Flow, makeNode, plainFields, requireValue } from "./flows/making.ts";
import type { Start } from "./flows/steps.ts";
import { checkKebab } from "./names.ts";
import { isStream } from "./stream.ts";

export type {
  ComputedField,
  EgressSink,
  FlowDefinition,
  FlowNode,
  FlowOutput,
  JoinRule,
  Keys,
  Operator,
  ProcessCode,
  EventRow,
  Sink,
  WindowedFlow,
  WindowedOutput,
} from "./flows/nodes.ts";
export type { EgressOptions, ToQueueOptions, ToWebhookOptions } from "./flows/egress.ts";
export { type KeepingOperator, lostOperators, type LostOperator } from "./flows/losses.ts";
export { nodesOf } from "./flows/nodes.ts";
export { sinks } from "./flows/sinks.ts";
export type { Events, Keyed, ProcessContext, ProcessOptions, Results, Running, ViewRow } from "./flows/steps.ts";
export { RESERVED_OUTPUTS } from "./flows/steps.ts";

/**
 * Starts a flow: `flow("sales-per-minute").from(Sales, { time: "at" }).keyBy("item").window(tumbling("1m")).aggregate({ … }).toView("…")`.
 * Each step throws TidegateError `misconfigured` for what the stream cannot give.
 *
 * State is kept by operator: an operator with the same name and the same definition keeps it in every later version of the flow. One whose
 * definition changed, or that is gone, must be named in `drops`, or the flow takes no events; and so must one whose results are taken back, when what
 * follows it begins anew.
 */
export function flow(name: string, options: { readonly drops?: readonly string[] } = {}): Start {
  checkKebab("the flow name", name);
  const shared: Flow = { name, drops: Object.freeze([...(options.drops ?? [])]), made: new Map() };
  const start = {
    from(stream: unknown, { time, outOfOrderness = 0, idle }: Parameters<Start["from"]>[1]) {
      if (!isStream(stream)) throw misconfigured(`flow "${name}" begins with something that is no stream`);
      requireValue(shared, stream.fields, time, ["timestamp"], "time");
      const operator = {
        kind: "source",
        stream,
        time,
        outOfOrderness: milliseconds(outOfOrderness, `outOfOrderness of flow "${name}"`),
        idle: idle === undefined ? null : milliseconds(idle, `idle of flow "${name}"`),
      } as const;
      return new EventsStep(shared, makeNode(shared, operator, [], { fields: plainFields(stream.fields) }));
    },
  };
  return start as unknown as Start;
}
