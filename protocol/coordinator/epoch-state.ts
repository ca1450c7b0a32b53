/** The two epochs that are not decided: what the coordinator remembers of each. */
import type { Epoch, FinishCount, Participants, Peer } from "../wire/messages.ts";

export interface Member {
  /** The incarnation that joined. */
  readonly incarnation: number;
  /** Whether its last `closed` still holds: it gives this epoch to no transaction any more. */
  closed: boolean;
  /** Transactions that it gave this epoch to. */
  tagged: number;
  counts: readonly FinishCount[];
}

export interface OpenEpoch {
  readonly epoch: Epoch;
  readonly members: Map<Peer, Member>;
  /** Something waits for its decision. */
  wanted: boolean;
  /** A member lost its memory; it is aborted as soon as the epoch before it is decided. */
  doomed: boolean;
}

export interface ClosingEpoch {
  readonly epoch: Epoch;
  readonly members: ReadonlyMap<Peer, Member>;
  /** When the present phase began; Infinity while nobody waits for the sole member. */
  since: number;
  /** Null while members have yet to close; then who has to prepare. */
  parts: Participants | null;
  readonly prepared: Set<Peer>;
  /** It was closed to all others when its only member joined. As long as that may order and decide it, nobody else may end it. */
  decider: Peer | null;
}

export function openEpoch(epoch: Epoch): OpenEpoch {
  return { epoch, members: new Map(), wanted: false, doomed: false };
}

export function memberOf(incarnation: number): Member {
  return { incarnation, closed: false, tagged: 0, counts: [] };
}

export function allClosed(epoch: Pick<ClosingEpoch, "members">): boolean {
  for (const member of epoch.members.values()) if (!member.closed) return false;
  return true;
}

/** Whether an epoch can be lost with a partition's memory: what it has yet to close or to prepare, or finishes that others may lack. */
export function needs({ members, parts, prepared }: ClosingEpoch, partition: Peer): boolean {
  const member = members.get(partition);
  if (parts === null) return member !== undefined;
  if (parts.has(partition) && !prepared.has(partition)) return true;
  return (member?.tagged ?? 0) > 0 && prepared.size < parts.size;
}
