/** The other side of a move: what comes from one partition of key groups that are not kept here yet, so that nobody sees it before they are. */
import type { Epoch, Peer } from "../wire/messages.ts";

/** What is here of one source. */
export interface Incoming {
  readonly stream: number;
  /** Of the source. */
  readonly incarnation: number;
  /** What was left here of its groups has to be deleted first. */
  open: boolean;
  /** Nearly all is here and durable: what changes comes as it changes. */
  copied: boolean;
  /** Everything is here and durable. */
  complete: boolean;
  /** Flows of which something has come. What was stored of them before is of an earlier time that they were here, or of a stream that began again. */
  readonly flows: Set<string>;
}

/**
 * The sources of which everything is here durably as of one frozen era. It outlives restarts: what the coordinator may have counted on must not
 * be deleted when a source begins again.
 */
export class Taken {
  frozen: Epoch = 0;
  readonly sources = new Set<Peer>();

  constructor(stored: string | undefined) {
    if (stored === undefined || stored === "") return;
    const [frozen, sources] = JSON.parse(stored) as [Epoch, Peer[]];
    this.frozen = frozen;
    for (const source of sources) this.sources.add(source);
  }

  has(frozen: Epoch, source: Peer): boolean {
    return frozen !== 0 && this.frozen === frozen && this.sources.has(source);
  }

  /** @returns what is to be stored, in the turn that stores the last of it */
  add(frozen: Epoch, source: Peer): string {
    if (this.frozen !== frozen) this.sources.clear();
    this.frozen = frozen;
    this.sources.add(source);
    return JSON.stringify([frozen, [...this.sources]]);
  }
}
