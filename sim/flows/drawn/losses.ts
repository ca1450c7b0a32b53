/** What another version of a drawn flow must lose, by the words of the guide: neither more nor less is to be named. */
import {
  type Graph,
  inputsOf,
  isKeyed,
  type Node,
  rowViewsOf,
  shownNodes,
  type Traits,
  traitsOf,
  windowViewsOf,
} from "./graph.ts";

/** Of what has state: what that is the state of. */
interface Keeper {
  readonly name: string;
  readonly what: string;
  /** Whose results it is told of when they are taken back. */
  readonly follows: ReadonlySet<string>;
  readonly isView: boolean;
}

class Reader {
  readonly #nodes: ReadonlyMap<string, Node>;
  readonly #graph: Graph;
  readonly #traits: ReadonlyMap<string, Traits>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#traits = traitsOf(graph);
    this.#nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  }

  keepers(): readonly Keeper[] {
    const shown = new Set(windowViewsOf(this.#graph).map(({ of }) => of));
    const operators = shownNodes(this.#graph).filter(isKeyed);
    return [
      ...operators.map((node) => this.#keeper(node.id, [...definitionOf(node, shown)], inputsOf(node), false)),
      ...rowViewsOf(this.#graph).map(({ id, of }) => this.#keeper(`view-${id}`, [], [of], true)),
    ];
  }

  #keeper(name: string, what: readonly unknown[], inputs: readonly string[], isView: boolean): Keeper {
    const met: string[] = [];
    const follows = new Set<string>();
    const ways = inputs.map((input) => this.#way(input, met, follows));
    return { name, what: JSON.stringify([what, ways]), follows, isView };
  }

  /** How changes come from operators, through what; null where they are none. A node that is met again is told by its number. */
  #way(id: string, met: string[], follows: Set<string>): unknown {
    const node = this.#nodes.get(id) as Node;
    if (this.#traits.get(id)?.changes !== true) return null;
    if (isKeyed(node)) follows.add(id);
    // Its results are rows of a key and a value already: no map stands behind it that could be met again.
    if (node.op === "last") return id;
    const at = met.indexOf(id);
    if (at >= 0) return at;
    met.push(id);
    const { id: _, ...op } = node;
    if (isKeyed(node)) return [id, "keys" in node ? node.keys : "", "out" in node ? node.out : ""];
    return [{ ...op, of: "", and: "" }, inputsOf(node).map((input) => this.#way(input, met, follows))];
  }
}

function* definitionOf(node: Node, shown: ReadonlySet<string>): Generator<unknown> {
  yield node.op;
  if (node.op === "running") yield node.keys;
  if ("ttl" in node) yield node.ttl;
  if (node.op === "pairs") yield node.keep;
  if (node.op === "within") yield [node.before, node.after];
  if (node.op === "clock") yield node.size;
  if (node.op === "meet") yield [node.size, node.slide];
  if (node.op === "session") yield [node.gap, node.lateness];
  if (node.op !== "window") return;
  const { size, slide, lateness } = node;
  // Kept as parts of windows.
  yield [size, slide, lateness, slide < size && lateness === 0 && !shown.has(node.id)];
}

/** By name: what a flow keeps. */
export type Kept = ReadonlyMap<string, string>;

export function keptBy(graph: Graph): Kept {
  return new Map(new Reader(graph).keepers().map(({ name, what }) => [name, what]));
}

/** Those that are gone, or the state of something else. */
export function replaced(kept: Kept, graph: Graph): ReadonlySet<string> {
  return without(kept, sameOf(kept, new Reader(graph).keepers()));
}

function sameOf(kept: Kept, keepers: readonly Keeper[]): Set<string> {
  return new Set(keepers.filter(({ name, what }) => kept.get(name) === what).map(({ name }) => name));
}

function without(kept: Kept, same: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...kept.keys()].filter((name) => !same.has(name)));
}

/** With them those that are tied to one of them. */
export function mustLose(kept: Kept, graph: Graph): ReadonlySet<string> {
  const keepers = new Reader(graph).keepers();
  const same = sameOf(kept, keepers);
  const operators = keepers.filter(({ isView }) => !isView);
  // Who is tied to whom, however far away: all of them are the same, or all begin anew.
  for (const { name } of operators) {
    const tied = new Set([name]);
    for (let size = 0; size < tied.size;) {
      size = tied.size;
      for (const one of operators) {
        const own = [one.name, ...one.follows];
        if (one.follows.size > 0 && own.some((each) => tied.has(each))) for (const each of own) tied.add(each);
      }
    }
    if (![...tied].every((each) => same.has(each))) for (const each of tied) same.delete(each);
  }
  // A view goes with them, and they not with it.
  for (const { name, follows, isView } of keepers)
    if (isView && ![...follows].every((each) => same.has(each))) same.delete(name);
  return without(kept, same);
}
