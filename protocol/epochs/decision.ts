/**
 * What the sole member of an epoch awaits before it decides it. An epoch is committed when all its participants hold its record, which is what a
 * recovery goes by too: who knows of every record may say so, and nobody else can know earlier.
 */
import type { ClosedMessage, Epoch, Peer } from "../wire/messages.ts";

export class Decision {
  /** Tells the coordinator who takes part: leaves with the decision, unless something of a later epoch is to be said before. */
  readonly closed: ClosedMessage;
  readonly participants: readonly Peer[];
  /** Those that have not said that they are prepared. */
  readonly awaited: Set<Peer>;
  /** When it was ordered prepared; ms since 1970. */
  readonly since: number;
  isTold = false;
  /** Its own record is written. That it is durable is seen to by the gate: nothing that follows leaves before. */
  isRecorded = false;

  constructor(closed: ClosedMessage, since: number) {
    this.closed = closed;
    this.since = since;
    this.participants = closed.counts.map(({ peer }) => peer);
    this.awaited = new Set(this.participants);
  }

  get epoch(): Epoch {
    return this.closed.epoch;
  }

  get isReady(): boolean {
    return this.isRecorded && this.awaited.size === 0;
  }
}
