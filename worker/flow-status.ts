/** How far flows have come. */
import { homeOf, VIEW } from "../protocol/flows/internal.ts";
import type { FlowDefinition } from "../sdk/flow.ts";
import type { AnswerText } from "./answers.ts";
import type { Edge } from "./edge.ts";
import { askInternal } from "./internal.ts";
import { kernelStatus } from "./kernel-view.ts";

/** What `/v1/flows/{flow}` has as its `status`. */
export interface FlowStatus {
  /** Events and batches taken. */
  readonly events: number;
  readonly batches: number;
  readonly late: number;
  readonly deadLetters: number;
  readonly sources: Readonly<Record<string, { readonly reached: number | null; readonly at: number }>>;
  /** By operator. */
  readonly watermarks: Readonly<Record<string, number | null>>;
  /** Ends in the outside world: events that wait for their delivery, were delivered, and failed for good. */
  readonly sinks: Readonly<
    Record<string, { readonly waiting: number; readonly delivered: number; readonly failed: number }>
  >;
  /** What the present version of the flow would lose. */
  readonly drops: readonly string[];
}

/** A {@link FlowStatus} as JSON, or a problem. @param snapshot it may be a second old, and waits for nobody */
export function flowStatus(
  edge: Pick<Edge, "app" | "backend" | "startedAt">,
  flow: FlowDefinition,
  snapshot: boolean,
): Promise<AnswerText> {
  const windowed = edge.app.windowed.get(flow.name);
  if (windowed !== undefined) return kernelStatus(edge, windowed);
  const target = { service: VIEW, key: homeOf(flow), function: "flow" };
  return askInternal(edge, target, { flow: flow.name }, snapshot);
}
