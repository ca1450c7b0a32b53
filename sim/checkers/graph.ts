/** The graph of a history: which transaction must come before which in any serial order, and why (Adya 1999, section 3.1.2: the direct serialization graph). */
import type { History, Key, Value } from "./history.ts";

/** Bits, so that a search names the kinds that it may follow. */
export const EDGE = {
  /** Write to write: the second made the version after that of the first. */
  ww: 1,
  /** Write to read: the second read what the first wrote. */
  wr: 2,
  /** Read to write, an anti-dependency: the second wrote what the first did not see yet. */
  rw: 4,
  /** The first was answered before the second began. */
  realtime: 8,
} as const;

export type EdgeKind = (typeof EDGE)[keyof typeof EDGE];

export interface Edge {
  readonly to: number;
  readonly kind: EdgeKind;
  /** The witness: versions of a key, named by their last values; `before` is undefined for the empty list. */
  readonly key?: Key;
  readonly before?: Value | undefined;
  readonly after?: Value | undefined;
}

/**
 * Vertices are the positions of operations in the history, and hubs after them. A hub stands for every pair of one that leads to it
 * and one that it leads to, so that n to m relations cost n + m edges. It has the kind of the edges to it, and is no step of a cycle.
 */
export class Graph {
  readonly history: History;
  readonly #out: Edge[][];

  constructor(history: History) {
    this.history = history;
    this.#out = history.map(() => []);
  }

  get vertices(): number {
    return this.#out.length;
  }

  isHub(vertex: number): boolean {
    return vertex >= this.history.length;
  }

  hub(): number {
    return this.#out.push([]) - 1;
  }

  /** Nothing comes before itself: such edges are no edges. */
  link(from: number, edge: Edge): void {
    if (from !== edge.to) this.#out[from]?.push(edge);
  }

  out(vertex: number): readonly Edge[] {
    return this.#out[vertex] ?? [];
  }

  /** Whether a search along `kinds` may follow an edge. Who stands at a hub has chosen its kind already. */
  follows(from: number, edge: Edge, kinds: number): boolean {
    return (edge.kind & kinds) !== 0 || this.isHub(from);
  }
}
