/**
 * Cycles of the graph, named as Adya (1999, chapter 4) and Elle (section 4.3) name them: G0 of ww edges only; G1c of ww and wr;
 * G-single with exactly one rw; G2-item with more. With an edge of real time they are `-realtime`: a serial order exists, but none
 * that respects what clients saw end before they began.
 */
import { type Components, findComponents } from "./components.ts";
import { EDGE, type Edge, type Graph } from "./graph.ts";
import { findWay, type Step } from "./way.ts";

type Base = "G0" | "G1c" | "G-single" | "G2-item";
export type CycleAnomaly = Base | `${Base}-realtime`;

export interface Cycle {
  readonly anomaly: CycleAnomaly;
  /** From one vertex on and back to it; it is a transaction, others may be hubs. */
  readonly steps: readonly Step[];
}

/** A search for one anomaly: an edge of the kind `through` and a way back along `back`. */
interface Level {
  readonly through: number;
  readonly back: number;
  /** Where one of these was found in a component, this one is only another sight of it. */
  readonly impliedBy: readonly CycleAnomaly[];
}

const WR = EDGE.ww | EDGE.wr;
const RW = WR | EDGE.rw;

const LEVELS: readonly Level[] = [
  { through: EDGE.ww, back: EDGE.ww, impliedBy: [] },
  { through: EDGE.wr, back: WR, impliedBy: ["G0"] },
  { through: EDGE.rw, back: WR, impliedBy: [] },
  { through: EDGE.rw, back: RW, impliedBy: ["G-single"] },
  { through: EDGE.ww, back: EDGE.ww | EDGE.realtime, impliedBy: ["G0"] },
  { through: EDGE.wr, back: WR | EDGE.realtime, impliedBy: ["G0", "G1c", "G0-realtime"] },
  { through: EDGE.rw, back: WR | EDGE.realtime, impliedBy: ["G-single"] },
  {
    through: EDGE.rw,
    back: RW | EDGE.realtime,
    impliedBy: ["G-single", "G2-item", "G-single-realtime"],
  },
];

/**
 * Vertices that the search for one anomaly in one component may look at. One stale read can make one component of a whole history;
 * beyond this the search stops with what it has. Nothing is missed: the last level finds a cycle at its first edge.
 */
const MAX_VISITS = 400_000;
/** No cycle has fewer transactions. */
const SHORTEST = 2;

export function findCycles(graph: Graph): Cycle[] {
  const all = findComponents(graph, RW | EDGE.realtime);
  return all.cyclic.size === 0 ? [] : new CycleSearch(graph, all).run();
}

class CycleSearch {
  readonly #graph: Graph;
  readonly #all: Components;
  readonly #cycles: Cycle[] = [];
  /** What was found at each vertex. */
  readonly #found = new Map<number, Set<CycleAnomaly>>();

  constructor(graph: Graph, all: Components) {
    this.#graph = graph;
    this.#all = all;
  }

  run(): Cycle[] {
    for (const level of LEVELS) {
      const components = findComponents(this.#graph, level.through | level.back, this.#all);
      for (const [component, members] of components.cyclic) {
        if (this.#isImplied(level, members)) continue;
        const steps = this.#shortest(level, components, edgesOf(this.#graph, level, components, component));
        if (steps) this.#add({ anomaly: nameOf(this.#graph, steps), steps });
      }
    }
    return this.#cycles;
  }

  #isImplied({ impliedBy }: Level, members: readonly number[]): boolean {
    return members.some((vertex) => {
      const found = this.#found.get(vertex);
      return found !== undefined && impliedBy.some((anomaly) => found.has(anomaly));
    });
  }

  #shortest({ back }: Level, components: Components, candidates: readonly Step[]): readonly Step[] | null {
    let shortest: readonly Step[] | null = null;
    let [length, visits] = [Infinity, 0];
    for (const first of candidates) {
      const found = findWay(this.#graph, components, back, first.edge.to, first.from);
      visits += found.visits;
      const steps = [first, ...(found.way ?? [])];
      const transactions = steps.filter(({ from }) => !this.#graph.isHub(from)).length;
      if (found.way && transactions < length) [shortest, length] = [steps, transactions];
      if (length === SHORTEST || visits > MAX_VISITS) break;
    }
    return shortest;
  }

  #add(cycle: Cycle): void {
    this.#cycles.push(cycle);
    for (const { from } of cycle.steps) {
      const found = this.#found.get(from);
      if (found) found.add(cycle.anomaly);
      else this.#found.set(from, new Set([cycle.anomaly]));
    }
  }
}

/** A cycle tells its own name: a search that gave up may have left a lesser one to the next level. */
function nameOf(graph: Graph, steps: readonly Step[]): CycleAnomaly {
  const kinds = steps.filter(({ from }) => !graph.isHub(from)).map(({ edge }) => edge.kind);
  const missed = kinds.filter((kind) => kind === EDGE.rw).length;
  const written: Base = kinds.includes(EDGE.wr) ? "G1c" : "G0";
  const base = missed === 0 ? written : missed === 1 ? "G-single" : "G2-item";
  return kinds.includes(EDGE.realtime) ? `${base}-realtime` : base;
}

/** The edges that a level may go through. First those that lead furthest back in time: what contradicts the clients is among these. */
function edgesOf(graph: Graph, { through }: Level, components: Components, component: number): Step[] {
  const edges: Step[] = [];
  for (const from of components.cyclic.get(component) ?? []) {
    if (graph.isHub(from)) continue;
    for (const edge of graph.out(from)) {
      if (edge.kind === through && components.of[edge.to] === component) edges.push({ from, edge });
    }
  }
  return edges.sort((a, b) => backwards(graph, b) - backwards(graph, a));
}

function backwards({ history }: Graph, { from, edge }: { from: number; edge: Edge }): number {
  const target = history[edge.to];
  return target ? (history[from]?.invoked.index ?? 0) - target.invoked.index : 0;
}
