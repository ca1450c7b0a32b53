/** The edges that follow from the versions of the keys: ww, wr and rw (Elle, section 4.2.2). */
import { EDGE, type Graph } from "./graph.ts";
import type { Value } from "./history.ts";
import type { KeyVersions, Read, Write } from "./versions.ts";

export function linkDependencies(graph: Graph, versions: readonly KeyVersions[]): void {
  for (const of of versions) new KeyLinks(graph, of).link();
}

class KeyLinks {
  readonly #graph: Graph;
  readonly #of: KeyVersions;
  /** Readers by the length of what they read. */
  readonly #readers: number[][];
  /** Who wrote the version before, as far as it may have committed. */
  #writer: Write | undefined;
  /** Who read no further than the version before. */
  #behind: Reader[] = [];

  constructor(graph: Graph, of: KeyVersions) {
    this.#graph = graph;
    this.#of = of;
    this.#readers = readersByLength(of.prefixes, of.order.length);
  }

  link(): void {
    const { order, writes } = this.#of;
    this.#readBy(0, undefined);
    for (const [index, value] of order.entries()) {
      const write = writes.get(value);
      // Of aborted and unknown writes others tell; the versions around them keep their order.
      const counts = write !== undefined && this.#mayHaveCommitted(write);
      if (counts) {
        this.#follow(write);
        for (const { by, version } of this.#behind) this.#miss(by, write.by, version, value);
        this.#behind = [];
        this.#writer = write;
      }
      this.#readBy(index + 1, value);
      if (counts) for (const by of this.#readers[index + 1] ?? []) this.#see(write, by);
    }
    this.#linkUnread();
  }

  #readBy(length: number, version: Value | undefined): void {
    for (const by of this.#readers[length] ?? []) this.#behind.push({ by, version });
  }

  /** Lists only grow: what nobody read was appended after all that somebody read, in an order that nobody knows. */
  #linkUnread(): void {
    const read = new Set(this.#of.order);
    const unread = [...this.#of.writes.values()].filter(
      (write) => !read.has(write.value) && this.#mayHaveCommitted(write),
    );
    for (const write of unread) this.#follow(write);
    if (unread.length === 0 || this.#behind.length === 0) return;
    const writers = new Set(unread.map(({ by }) => by));
    const hub = this.#graph.hub();
    for (const { value, by } of unread) this.#miss(hub, by, this.#of.order.at(-1), value);
    for (const { by, version } of this.#behind) {
      // Through the hub one that appends too would come before itself.
      if (!writers.has(by)) this.#miss(by, hub, version, undefined);
      else for (const { value, by: writer } of unread) this.#miss(by, writer, version, value);
    }
  }

  #follow({ by, value }: Write): void {
    const { key } = this.#of;
    if (this.#writer)
      this.#graph.link(this.#writer.by, { to: by, kind: EDGE.ww, key, before: this.#writer.value, after: value });
  }

  #see({ by, value }: Write, reader: number): void {
    this.#graph.link(by, { to: reader, kind: EDGE.wr, key: this.#of.key, before: value });
  }

  #miss(reader: number, writer: number, before: Value | undefined, after: Value | undefined): void {
    this.#graph.link(reader, { to: writer, kind: EDGE.rw, key: this.#of.key, before, after });
  }

  #mayHaveCommitted({ by }: Write): boolean {
    return this.#graph.history[by]?.outcome !== "fail";
  }
}

interface Reader {
  readonly by: number;
  readonly version: Value | undefined;
}

function readersByLength(reads: readonly Read[], longest: number): number[][] {
  const readers: number[][] = Array.from({ length: longest + 1 }, () => []);
  for (const { by, values } of reads) readers[values.length]?.push(by);
  return readers;
}
