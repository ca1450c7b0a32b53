/**
 * In which version of batches each peer is written to. A new one begins when everybody in the domain has said that it reads it, and it is
 * written only to an incarnation that has said so itself: after a restart with older code a peer is first written to as everybody can read.
 */
import { formatNamed, NEWEST_FORMAT, type PeerFormat } from "../wire/codec.ts";
import type { Peer } from "../wire/messages.ts";

export class Formats {
  /** The highest that this instance reads. */
  readonly reads: PeerFormat;
  #agreed: PeerFormat = 1;
  /** By what its present incarnation says. */
  readonly #readBy = new Map<Peer, PeerFormat>();

  constructor(reads: PeerFormat = NEWEST_FORMAT) {
    this.reads = reads;
  }

  /** The coordinator's word: the lowest of what all read. */
  agree(format: number): void {
    this.#agreed = formatNamed(format);
  }

  heard(peer: Peer, reads: PeerFormat): void {
    if (this.#readBy.get(peer) !== reads) this.#readBy.set(peer, reads);
  }

  /** It has another incarnation, of which nothing is known yet. */
  forget(peer: Peer): void {
    this.#readBy.delete(peer);
  }

  /** The version of the next batch to this peer. */
  for(peer: Peer): PeerFormat {
    const read = this.#readBy.get(peer) ?? 1;
    return Math.min(this.reads, this.#agreed, read) as PeerFormat;
  }
}
