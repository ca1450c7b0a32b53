/** Shortest ways through a component, so that a cycle is explained by few transactions. */
import type { Components } from "./components.ts";
import type { Edge, Graph } from "./graph.ts";

export interface Step {
  readonly from: number;
  readonly edge: Edge;
}

export interface Found {
  /** Null when no such way exists. */
  readonly way: readonly Step[] | null;
  /** How many vertices were looked at. */
  readonly visits: number;
}

/** A way from one vertex to another of its component, along `kinds`, with the fewest transactions on it: steps from hubs count nothing. */
export function findWay(graph: Graph, components: Components, kinds: number, from: number, to: number): Found {
  const reached = new Map<number, Step | null>([[from, null]]);
  const done = new Set<number>();
  let near = [from];
  let far: number[] = [];
  for (; near.length > 0; near = far, far = []) {
    // Grows while it is walked: what a hub leads to is as near as the hub.
    for (const vertex of near) {
      if (done.has(vertex)) continue;
      done.add(vertex);
      if (vertex === to) return { way: stepsTo(to, reached), visits: done.size };
      const hub = graph.isHub(vertex);
      for (const edge of graph.out(vertex)) {
        if (done.has(edge.to) || components.of[edge.to] !== components.of[from]) continue;
        if (!graph.follows(vertex, edge, kinds) || (!hub && reached.has(edge.to))) continue;
        reached.set(edge.to, { from: vertex, edge });
        (hub ? near : far).push(edge.to);
      }
    }
  }
  return { way: null, visits: done.size };
}

function stepsTo(to: number, reached: ReadonlyMap<number, Step | null>): Step[] {
  const steps: Step[] = [];
  for (let step = reached.get(to); step; step = reached.get(step.from)) steps.push(step);
  return steps.reverse();
}
