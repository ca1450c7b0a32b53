/** Flows drawn at random, and changed as their developers might. */
import type { Random } from "../../random.ts";
import {
  type Graph,
  inputsOf,
  isSound,
  type Node,
  type Op,
  type Traits,
  traitsOf,
  type View,
  windowViewsOf,
} from "./graph.ts";

/** What every flow begins with, so that its own state stays where it is. */
const BEGIN: Graph = {
  nodes: [
    { id: "s", op: "source", stream: "in" },
    { id: "base", op: "running", of: "s", keys: "k", out: "count", ttl: null },
  ],
  views: [{ id: "base", of: "base" }],
};
const NODES_MAX = 14;
/** How often something is drawn that then is not sound. */
const TRIES = 50;

export class Draw {
  readonly #random: Random;
  readonly #unitMs: number;
  readonly #clockMs: number | null;
  #names = 0;

  /**
   * @param unitMs event time that lies between two events of a batch, or so
   * @param clockMs time by the server's clock between two batches, or so; null where nobody knows when a batch was taken
   */
  constructor(random: Random, unitMs: number, clockMs: number | null = null) {
    this.#random = random;
    this.#unitMs = unitMs;
    this.#clockMs = clockMs;
  }

  /** How long something is late, or lives. */
  get some(): number {
    return 4 * this.#unitMs;
  }

  graph(): Graph {
    const other: Node = { id: this.name(), op: "source", stream: "other" };
    let graph = this.#random.oneIn(2) ? BEGIN : { ...BEGIN, nodes: [...BEGIN.nodes, other] };
    for (let nodes = 3 + this.#random.int(6); nodes > 0; nodes--)
      graph = this.#sound(graph, () => grow(graph, this.#random, this));
    return graph;
  }

  /** The next version of a flow. */
  changed(graph: Graph): Graph {
    let next = graph;
    for (let changes = 1 + this.#random.int(2); changes > 0; changes--) {
      const before = next;
      next = this.#sound(before, () => this.#random.pick(CHANGES)(before, this.#random, this));
    }
    return next;
  }

  #sound(before: Graph, make: () => Graph): Graph {
    for (let tries = 0; tries < TRIES; tries++) {
      const made = make();
      if (made.nodes.length <= NODES_MAX && isSound(made)) return made;
    }
    return before;
  }

  name(): string {
    this.#names += 1;
    return `x${this.#names}`;
  }

  op(graph: Graph): Op {
    const random = this.#random;
    const { nodes } = graph;
    // What follows what came last makes chains.
    const of = random.oneIn(2) ? (nodes.at(-1) as Node).id : random.pick(nodes).id;
    const and = random.pick(nodes).id;
    const out = random.oneIn(2) ? "count" : "sum";
    const known = traitsOf(graph);
    // Not all may follow any.
    const one = (is: (traits: Traits) => boolean): string =>
      random.pick(nodes.filter(({ id }) => is(known.get(id) as Traits))).id;
    const isOfEvents = ({ timed, changes }: Traits): boolean => timed && !changes;
    const [events, more] = [one(isOfEvents), one(isOfEvents)];
    const [result, another] = [one(({ changes }) => changes), one(({ changes }) => changes)];
    const unit = this.#unitMs;
    const lateness = random.pick([0, 0, this.some]);
    const slide = random.pick([2.5 * unit, 5 * unit, 5 * unit]);
    const bound = (): number => random.pick([0, unit, 3 * unit]);
    const [plainOut, ttl] = [
      random.pick(["count", "sum", "max"] as const),
      random.pick([null, unit, this.some, this.some + 1]),
    ];
    const clockMs = this.#clockMs;
    const byClock = clockMs === null ? [] : [(): Op => ({ op: "clock", of: events, size: 2 * clockMs, out: plainOut })];
    return random.pick<() => Op>([
      ...byClock,
      () => ({ op: "source", stream: "other" }),
      () => filterOf(of, random),
      () => filterOf(of, random),
      () => mapOf(of, random),
      () => ({ op: "rekey", of, mod: 1 + random.int(3) }),
      () => ({ op: "union", of, and }),
      () => ({ op: "union", of: events, and: more }),
      () => ({ op: "union", of: result, and: another }),
      () => ({ op: "running", of, keys: random.pick(["none", "k", "v", "both"]), out, ttl }),
      () => ({ op: "running", of, keys: random.pick(["k", "v"]), out, ttl }),
      () => ({ op: "running", of, keys: random.pick(["k", "v"]), out, ttl: null }),
      () => ({ op: "window", of: events, size: 5 * unit, slide, lateness, out: plainOut }),
      () => ({ op: "session", of: events, gap: random.pick([unit, 2 * unit]), lateness, out: plainOut }),
      () => ({ op: "peak", of: events, ttl, out: plainOut }),
      () => ({ op: "last", of: events, ttl }),
      () => ({ op: "first", of: events, ttl }),
      () => ({ op: "code", of }),
      () => ({ op: "lookup", of }),
      () => ({ op: "process", of: events }),
      () => ({ op: "pairs", of: events, and: more, keep: ttl }),
      () => ({ op: "within", of: events, and: more, before: bound(), after: bound() }),
      () => ({ op: "meet", of: events, and: more, size: 5 * unit, slide }),
      () => ({ op: "table", of: events, and: more }),
      () => ({ op: "table", of: more, and: events }),
    ])();
  }
}

const filterOf = (of: string, random: Random): Op => {
  const mod = 2 + random.int(2);
  return { op: "filter", of, mod, rest: random.int(mod) };
};
const mapOf = (of: string, random: Random): Op => ({ op: "map", of, by: 1 + random.int(3), plus: random.int(5) });

const hasWindows = (op: Op["op"]): boolean => op === "window" || op === "session" || op === "clock";

type Change = (graph: Graph, random: Random, draw: Draw) => Graph;

/** One node more, that is shown or will be. */
const grow: Change = ({ nodes, views }, random, draw) => {
  const op = draw.op({ nodes, views });
  // There is one source of a stream.
  if (op.op === "source" && nodes.some((node) => node.op === "source" && node.stream === op.stream))
    return { nodes, views };
  const node: Node = { ...op, id: draw.name() };
  const grown = { nodes: [...nodes, node], views };
  return random.oneIn(2) ? show(grown, node, random, draw) : grown;
};

/** With a view of it, or of its rows by key; of windows perhaps both. */
function show(graph: Graph, node: Node, random: Random, draw: Draw): Graph {
  const shown: Graph = { ...graph, views: [...graph.views, { id: draw.name(), of: node.id }] };
  if (!isSound(shown)) return count(graph, node, draw);
  return hasWindows(node.op) && random.oneIn(2) ? count(shown, node, draw) : shown;
}

function count({ nodes, views }: Graph, { id }: Node, draw: Draw): Graph {
  const counted: Node = { op: "running", of: id, keys: "k", out: "sum", ttl: null, id: draw.name() };
  return { nodes: [...nodes, counted], views: [...views, { id: draw.name(), of: counted.id }] };
}

const CHANGES: readonly Change[] = [
  grow,
  // Not of windows, of which some may be gone by now.
  (graph, random, draw) => show(graph, random.pick(graph.nodes.filter(({ op }) => !hasWindows(op))), random, draw),
  // One node does something else.
  (graph, random, draw) =>
    replace(graph, random, (node) => {
      const [of = "s"] = inputsOf(node);
      if (node.op === "source") return node;
      const fresh = draw.op(graph);
      return "of" in fresh ? { ...fresh, of, id: node.id } : node;
    }),
  (graph, random, draw) =>
    replace(graph, random, (node) => {
      switch (node.op) {
        case "filter":
          return { ...node, ...filterOf(node.of, random) } as Node;
        case "map":
          return { ...node, ...mapOf(node.of, random) } as Node;
        case "running":
          return { ...node, out: node.out === "count" ? "sum" : "count" };
        case "first":
        case "last":
        case "peak":
          return { ...node, ttl: node.ttl === null ? draw.some : null };
        case "pairs":
          return { ...node, keep: node.keep === null ? draw.some : null };
        case "window":
        case "session":
          return { ...node, lateness: node.lateness === 0 ? draw.some : 0 };
        default:
          return node;
      }
    }),
  // It reads another node, perhaps one of the same kind.
  (graph, random) => {
    const known = traitsOf(graph);
    return replace(graph, random, (node) => {
      if (!("of" in node) || node.id === "base") return node;
      const earlier = graph.nodes.slice(0, graph.nodes.indexOf(node));
      const alike = earlier.filter(({ id }) => known.get(id)?.changes === known.get(node.of)?.changes);
      return { ...node, of: random.pick(random.oneIn(3) ? earlier : alike).id };
    });
  },
  // A node between two.
  (graph, random, draw) => {
    const behind = random.pick(graph.nodes);
    if (!("of" in behind)) return graph;
    const { of } = behind;
    const earlier = graph.nodes.slice(0, graph.nodes.indexOf(behind));
    const op = random.pick<() => Op>([
      () => filterOf(of, random),
      () => mapOf(of, random),
      () => ({ op: "lookup", of }),
      () => ({ op: "union", of, and: random.pick(earlier).id }),
    ])();
    const between: Node = { ...op, id: draw.name() };
    const nodes = graph.nodes.flatMap((node) => (node === behind ? [between, { ...behind, of: between.id }] : [node]));
    return { ...graph, nodes };
  },
  // A filter or map goes.
  (graph, random) => {
    const gone = random.pick(graph.nodes);
    if (gone.op !== "filter" && gone.op !== "map") return graph;
    const past = (id: string): string => (id === gone.id ? gone.of : id);
    const nodes = graph.nodes.filter((node) => node !== gone).map((node) => rewired(node, past));
    return { nodes, views: graph.views.map((view) => ({ ...view, of: past(view.of) })) };
  },
  // Sources are read in another order.
  ({ nodes, views }) => {
    const isSource = ({ op }: Node): boolean => op === "source";
    return { nodes: [...nodes.filter(isSource).toReversed(), ...nodes.filter((node) => !isSource(node))], views };
  },
  // A view goes.
  (graph, random) => {
    const [base, ...others] = graph.views as [View, ...View[]];
    return others.length === 0 ? graph : { ...graph, views: [base, ...without(others, random.pick(others))] };
  },
  // Windows are shown no more.
  (graph, random) => {
    const shown = windowViewsOf(graph);
    return shown.length === 0 ? graph : { ...graph, views: without(graph.views, random.pick(shown)) };
  },
  // An operator is called otherwise.
  (graph, random, draw) => {
    const named = random.pick(graph.nodes);
    if (named.id === "base") return graph;
    const name = draw.name();
    const now = (id: string): string => (id === named.id ? name : id);
    const nodes = graph.nodes.map((node) => ({ ...rewired(node, now), id: now(node.id) }) as Node);
    return { nodes, views: graph.views.map((view) => ({ ...view, of: now(view.of) })) };
  },
];

function replace(graph: Graph, random: Random, change: (node: Node) => Node): Graph {
  const replaced = random.pick(graph.nodes);
  if (replaced.id === "base") return graph;
  return { ...graph, nodes: graph.nodes.map((node) => (node === replaced ? change(node) : node)) };
}

function rewired(node: Node, now: (id: string) => string): Node {
  if (!("of" in node)) return node;
  return { ...node, of: now(node.of), ...("and" in node ? { and: now(node.and) } : {}) } as Node;
}

const without = <T>(list: readonly T[], one: T): T[] => list.filter((each) => each !== one);
