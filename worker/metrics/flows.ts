/** What flows count of themselves: stored with them, so that these counters never begin anew. */
import type { PartitionFigures } from "../../protocol/observe/figures.ts";
import type { MetricsText } from "./text.ts";

/** Each flow, and each of its ends, is kept by one partition. */
export function addFlows(text: MetricsText, { flows, ends }: PartitionFigures["status"]): void {
  for (const { flow, events, batches, late, deadLetters } of flows) {
    text.counter("tidegate_flow_events_total", "Events that a flow has taken.", { flow }, events);
    text.counter("tidegate_flow_batches_total", "Batches that a flow has taken.", { flow }, batches);
    text.counter("tidegate_flow_late_events_total", "Events that came too late.", { flow }, late);
    const dead = "Events that were refused or not delivered.";
    text.counter("tidegate_flow_dead_letters_total", dead, { flow }, deadLetters);
  }
  for (const { flow, sink, waiting, delivered } of ends) {
    text.gauge("tidegate_flow_waiting_events", "Events that wait for their delivery.", { flow, sink }, waiting);
    text.counter("tidegate_flow_delivered_events_total", "Events delivered.", { flow, sink }, delivered);
  }
}
