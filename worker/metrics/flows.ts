/** What flows count of themselves: stored with them, so that these counters never begin anew. */
import type { FlowDefinition } from "../../sdk/flow.ts";
import type { Edge } from "../edge.ts";
import { type FlowStatus, flowStatus } from "../flow-status.ts";
import { LIMITS } from "../limits.ts";
import { inTime } from "./figures.ts";
import type { MetricsText } from "./text.ts";

export async function addFlows(text: MetricsText, edge: Pick<Edge, "app" | "backend" | "startedAt">): Promise<void> {
  const flows = [...edge.app.flows.values()];
  for (let from = 0; from < flows.length; from += LIMITS.figuresAtOnce) {
    const some = flows.slice(from, from + LIMITS.figuresAtOnce);
    const all = await Promise.all(some.map((flow) => inTime(statusOf(edge, flow))));
    for (const [at, status] of all.entries()) if (status !== null) addFlow(text, some[at]?.name ?? "", status);
  }
}

async function statusOf(
  edge: Pick<Edge, "app" | "backend" | "startedAt">,
  flow: FlowDefinition,
): Promise<FlowStatus | null> {
  const { status, body } = await flowStatus(edge, flow, true);
  return status === 200 ? (JSON.parse(body) as FlowStatus) : null;
}

function addFlow(text: MetricsText, flow: string, { events, batches, late, deadLetters, sinks }: FlowStatus): void {
  text.counter("tidegate_flow_events_total", "Events that a flow has taken.", { flow }, events);
  text.counter("tidegate_flow_batches_total", "Batches that a flow has taken.", { flow }, batches);
  text.counter("tidegate_flow_late_events_total", "Events that came too late.", { flow }, late);
  text.counter("tidegate_flow_dead_letters_total", "Events that were refused or not delivered.", { flow }, deadLetters);
  for (const [sink, { waiting, delivered }] of Object.entries(sinks)) {
    text.gauge("tidegate_flow_waiting_events", "Events that wait for their delivery.", { flow, sink }, waiting);
    text.counter("tidegate_flow_delivered_events_total", "Events delivered.", { flow, sink }, delivered);
  }
}
