/** Who takes part in an epoch that all its members have closed, and which finishes each is to wait for. */
import type { Participants, Peer } from "../wire/messages.ts";
import type { Member } from "./epoch-state.ts";

export interface Gathered {
  readonly parts: Participants;
  /** By participant, then by sender. */
  readonly expect: ReadonlyMap<Peer, ReadonlyMap<Peer, number>>;
}

/**
 * Members that gave the epoch to a transaction, and all that were sent finishes. Null when one of them took part under two incarnations, or under
 * one that is replaced: the locks of the earlier are lost, and so is the epoch.
 */
export function gather(members: ReadonlyMap<Peer, Member>, incarnationOf: (peer: Peer) => number): Gathered | null {
  const parts = new Map<Peer, number>();
  const expect = new Map<Peer, Map<Peer, number>>();
  for (const [sender, member] of members) {
    if (member.tagged > 0 && !agree(parts, sender, member.incarnation)) return null;
    for (const { peer, incarnation, finishes } of member.counts) {
      if (!agree(parts, peer, incarnation)) return null;
      const senders = expect.get(peer) ?? new Map<Peer, number>();
      expect.set(peer, senders.set(sender, (senders.get(sender) ?? 0) + finishes));
    }
  }
  for (const [peer, incarnation] of parts) if (incarnationOf(peer) > incarnation) return null;
  return { parts, expect };
}

function agree(parts: Map<Peer, number>, peer: Peer, incarnation: number): boolean {
  const known = parts.get(peer) ?? incarnation;
  parts.set(peer, incarnation);
  return known === incarnation;
}
