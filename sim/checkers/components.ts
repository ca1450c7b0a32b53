/** Strongly connected components (Tarjan, SIAM J. Computing 1972) without recursion: a history of 50,000 transactions is one long path. */
import type { Edge, Graph } from "./graph.ts";

export interface Components {
  /** For each vertex the number of its component. */
  readonly of: Int32Array;
  /** Members of the components that have a cycle. */
  readonly cyclic: ReadonlyMap<number, readonly number[]>;
}

const UNSEEN = -1;

/** Of the part of the graph that `kinds` connect, and within the cyclic components of `outer` where one is given. */
export function findComponents(graph: Graph, kinds: number, outer?: Components): Components {
  return new Search(graph, kinds, outer).run();
}

class Search {
  readonly #graph: Graph;
  readonly #kinds: number;
  readonly #outer: Components | undefined;
  readonly #number: Int32Array;
  readonly #low: Int32Array;
  readonly #component: Int32Array;
  /** Seen, and in no component yet. */
  readonly #stack: number[] = [];
  /** The path that is being followed, with the position of the next edge of each vertex on it. */
  readonly #path: number[] = [];
  readonly #next: Int32Array;
  readonly #cyclic = new Map<number, readonly number[]>();
  #seen = 0;
  #components = 0;

  constructor(graph: Graph, kinds: number, outer: Components | undefined) {
    this.#graph = graph;
    this.#kinds = kinds;
    this.#outer = outer;
    this.#number = new Int32Array(graph.vertices).fill(UNSEEN);
    this.#low = new Int32Array(graph.vertices);
    this.#component = new Int32Array(graph.vertices).fill(UNSEEN);
    this.#next = new Int32Array(graph.vertices);
  }

  run(): Components {
    if (this.#outer)
      for (const members of this.#outer.cyclic.values()) for (const vertex of members) this.#from(vertex);
    else for (let vertex = 0; vertex < this.#graph.vertices; vertex++) this.#from(vertex);
    return { of: this.#component, cyclic: this.#cyclic };
  }

  #from(root: number): void {
    if (at(this.#number, root) !== UNSEEN) return;
    this.#enter(root);
    for (let vertex = root; this.#path.length > 0; vertex = this.#path.at(-1) ?? root) {
      const next = this.#next[vertex] ?? 0;
      this.#next[vertex] = next + 1;
      const edge = this.#graph.out(vertex)[next];
      if (!edge) this.#leave(vertex);
      else if (this.#follows(vertex, edge)) this.#step(vertex, edge.to);
    }
  }

  #follows(from: number, edge: Edge): boolean {
    const of = this.#outer?.of;
    return this.#graph.follows(from, edge, this.#kinds) && (!of || of[from] === of[edge.to]);
  }

  #enter(vertex: number): void {
    this.#number[vertex] = this.#low[vertex] = this.#seen++;
    this.#stack.push(vertex);
    this.#path.push(vertex);
  }

  #step(from: number, to: number): void {
    if (at(this.#number, to) === UNSEEN) this.#enter(to);
    else if (at(this.#component, to) === UNSEEN) this.#lower(from, at(this.#number, to));
  }

  #lower(vertex: number, low: number): void {
    if (low < at(this.#low, vertex)) this.#low[vertex] = low;
  }

  #leave(vertex: number): void {
    this.#path.pop();
    const from = this.#path.at(-1);
    if (from !== undefined) this.#lower(from, at(this.#low, vertex));
    if (at(this.#low, vertex) === at(this.#number, vertex)) this.#close(vertex);
  }

  #close(first: number): void {
    const members = this.#stack.splice(this.#stack.lastIndexOf(first));
    for (const vertex of members) this.#component[vertex] = this.#components;
    if (members.length > 1) this.#cyclic.set(this.#components, members);
    this.#components += 1;
  }
}

function at(numbers: Int32Array, index: number): number {
  return numbers[index] ?? UNSEEN;
}
