/**
 * Whether a history of list-append transactions is strictly serializable (invariant 2), by the method of Elle (Kingsbury & Alvaro,
 * VLDB 2020): infer the order of versions from what was read, and look for cycles in the graph of dependencies. The time taken
 * grows with the length of the history, not with the number of its possible orders.
 */
import { findCycles, type CycleAnomaly } from "./cycles.ts";
import { linkDependencies } from "./dependencies.ts";
import { checkElements, type ElementAnomaly } from "./elements.ts";
import { explainCycle } from "./explain.ts";
import type { Finding } from "./finding.ts";
import { Graph } from "./graph.ts";
import type { History } from "./history.ts";
import { checkInternal, type InternalAnomaly } from "./internal.ts";
import { linkRealTime } from "./realtime.ts";
import { checkUpdates } from "./updates.ts";
import { findVersions } from "./versions.ts";

export type ListAppendAnomaly = InternalAnomaly | ElementAnomaly | "lost-update" | CycleAnomaly;

export interface ListAppendOptions {
  /** False asks for serializability only: stale but consistent reads pass. */
  readonly realtime?: boolean;
}

/**
 * All that is wrong with a history; nothing when it is strictly serializable. Throws for a history that no workload may produce,
 * such as one that appends a value twice.
 *
 *     checkListAppend(parseHistory("T1: ax1\nT2: rx[]"))[0]?.anomaly   // "G-single-realtime"
 */
export function checkListAppend(history: History, options: ListAppendOptions = {}): Finding<ListAppendAnomaly>[] {
  const versions = findVersions(history);
  const graph = new Graph(history);
  linkDependencies(graph, versions);
  if (options.realtime ?? true) linkRealTime(graph);
  return [
    ...checkInternal(history),
    ...checkElements(history, versions),
    ...checkUpdates(history, versions),
    ...findCycles(graph).map((cycle) => explainCycle(graph, cycle)),
  ];
}
