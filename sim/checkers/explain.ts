/** Says in words why the transactions of a cycle have no order, in the manner of Elle's explanations. */
import type { Cycle, CycleAnomaly } from "./cycles.ts";
import type { Finding } from "./finding.ts";
import { EDGE, type Edge, type Graph } from "./graph.ts";
import { formatOperation, type Operation, type Value } from "./history.ts";

/** From one transaction to the next, whatever hubs lie between. */
interface Link {
  readonly from: Operation;
  readonly to: Operation;
  readonly edge: Edge;
}

export function explainCycle(graph: Graph, { anomaly, steps }: Cycle): Finding<CycleAnomaly> {
  const links = linksOf(graph, steps);
  const lines = links.map(({ from, to, edge }, index) => {
    const last = index === links.length - 1;
    return `  ${last ? "however" : "then"} ${from.name} < ${to.name} (${nameOf(edge)}), because ${reason(from, to, edge)}${last ? ": a contradiction" : ""}`;
  });
  const operations = links.map(({ from }) => from);
  const shown = operations.map((operation) => `  ${formatOperation(operation)}`);
  const circle = [...operations, ...operations.slice(0, 1)].map(({ name }) => name).join(" < ");
  return {
    anomaly,
    explanation: [circle, ...shown, ...lines].join("\n"),
    operations: operations.map(({ name }) => name),
  };
}

function linksOf(graph: Graph, steps: Cycle["steps"]): Link[] {
  const links: Link[] = [];
  let first: { from: Operation; before: Value | undefined } | undefined;
  for (const { from, edge } of steps) {
    const operation = graph.history[from];
    if (operation) first = { from: operation, before: edge.before };
    const to = graph.history[edge.to];
    // The edge that leaves a transaction says what it saw, the edge that reaches the next what that one did.
    if (first && to) links.push({ from: first.from, to, edge: { ...edge, before: first.before } });
  }
  return links;
}

function nameOf({ kind }: Edge): string {
  if (kind === EDGE.ww) return "ww";
  if (kind === EDGE.wr) return "wr";
  return kind === EDGE.rw ? "rw" : "realtime";
}

function reason(from: Operation, to: Operation, edge: Edge): string {
  const { kind, key, before, after } = edge;
  if (kind === EDGE.ww) return `${to.name} appended ${after} to ${key} after ${from.name} had appended ${before}`;
  if (kind === EDGE.wr) return `${to.name} read ${key} up to ${before}, which ${from.name} appended`;
  if (kind === EDGE.rw)
    return `${from.name} read ${key} ${upTo(before)} and missed ${after}, which ${to.name} appended`;
  const [answered, began] = [from.completed, to.invoked];
  return `${from.name} was answered at event ${answered?.index} (time ${answered?.time}), before ${to.name} began at event ${began.index} (time ${began.time})`;
}

function upTo(version: Value | undefined): string {
  return version === undefined ? "while it was empty" : `up to ${version}`;
}
