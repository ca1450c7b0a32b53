/**
 * Strict serializability over all articles at once: there must be one order of all transactions in which the changes of each article come by
 * revision, and in which what was answered before something else was sent comes before it.
 */

/** A transaction: when it ran, and the article and revision of each change that it made. */
export interface Step {
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly places: ReadonlyArray<readonly [article: string, revision: number]>;
}

/**
 * How many transactions have no place in such an order; none when there is one. Real time is a chain of answers: each transaction comes
 * before its own answer, and after the last answer before it was sent. The nodes are the transactions and then the answers.
 */
export function stuckInCircles(steps: readonly Step[]): number {
  const graph = new Graph(2 * steps.length);
  const byArticle = Map.groupBy(
    steps.flatMap(({ places }, at) => places.map(([article, revision]) => ({ article, revision, at }))),
    ({ article }) => article,
  );
  for (const changes of byArticle.values())
    graph.chain(changes.sort((a, b) => a.revision - b.revision).map(({ at }) => at));
  const answers = steps.map(({ answeredAt }, at) => ({ answeredAt, at })).sort((a, b) => a.answeredAt - b.answeredAt);
  const node = (answer: number): number => steps.length + answer;
  graph.chain(answers.map((_, answer) => node(answer)));
  for (const [answer, { at }] of answers.entries()) graph.edge(at, node(answer));
  const sent = steps.map(({ sentAt }, at) => ({ sentAt, at })).sort((a, b) => a.sentAt - b.sentAt);
  let before = 0;
  for (const { sentAt, at } of sent) {
    while ((answers[before]?.answeredAt ?? Infinity) < sentAt) before++;
    if (before > 0) graph.edge(node(before - 1), at);
  }
  return steps.length - graph.sorted().filter((at) => at < steps.length).length;
}

class Graph {
  readonly #after: number[][];
  readonly #waitsFor: Uint32Array;

  constructor(nodes: number) {
    this.#after = Array.from({ length: nodes }, () => []);
    this.#waitsFor = new Uint32Array(nodes);
  }

  edge(from: number, to: number): void {
    this.#after[from]?.push(to);
    this.#waitsFor[to] = (this.#waitsFor[to] ?? 0) + 1;
  }

  chain(nodes: readonly number[]): void {
    for (const [at, node] of nodes.entries()) if (at > 0) this.edge(nodes[at - 1] ?? node, node);
  }

  /** Nodes in an order that follows all edges; those in circles and behind them are missing. */
  sorted(): number[] {
    const waitsFor = this.#waitsFor.slice();
    const sorted = [...waitsFor.keys()].filter((node) => waitsFor[node] === 0);
    for (let at = 0; at < sorted.length; at++) {
      for (const next of this.#after[sorted[at] ?? 0] ?? []) {
        const waits = (waitsFor[next] ?? 0) - 1;
        waitsFor[next] = waits;
        if (waits === 0) sorted.push(next);
      }
    }
    return sorted;
  }
}
