/**
 * The edges of real time: from everything that was answered to everything that began later. Elle reduces these edges to the
 * transitive ones, at most as many for each operation as run at once; hubs in a row, one for each time that answers are followed
 * by a beginning, say the same with two edges for each operation, however many clients there are.
 */
import { EDGE, type Graph } from "./graph.ts";

interface Event {
  readonly index: number;
  readonly vertex: number;
  readonly begins: boolean;
}

export function linkRealTime(graph: Graph): void {
  const kind = EDGE.realtime;
  /** Leads to all that begins from now on. */
  let past: number | null = null;
  /** Answered since the last beginning. */
  let answered: number[] = [];
  for (const { vertex, begins } of eventsOf(graph)) {
    if (!begins) {
      answered.push(vertex);
      continue;
    }
    if (answered.length > 0) {
      const hub = graph.hub();
      if (past !== null) graph.link(past, { to: hub, kind });
      for (const each of answered) graph.link(each, { to: hub, kind });
      past = hub;
      answered = [];
    }
    if (past !== null) graph.link(past, { to: vertex, kind });
  }
}

/** What failed has no place in the order; what is unknown may have committed at any time after it began. */
function eventsOf({ history }: Graph): Event[] {
  const events: Event[] = [];
  for (const [vertex, { invoked, completed, outcome }] of history.entries()) {
    if (outcome === "fail") continue;
    events.push({ index: invoked.index, vertex, begins: true });
    if (outcome !== "ok") continue;
    if (!completed || completed.index <= invoked.index) throw new Error("an answer comes after its request");
    events.push({ index: completed.index, vertex, begins: false });
  }
  return events.sort((a, b) => a.index - b.index);
}
