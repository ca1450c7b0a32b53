/** What the links of a machine ask of it: the machine that sends and handles the messages. */
import type { Epoch, Peer, PeerMessage } from "../wire/messages.ts";
import type { LinkEffect } from "./effects.ts";

export interface LinkOwner {
  /** Takes an effect in its place among the machine's own: what was persisted before it is durable before it leaves. */
  emit(effect: LinkEffect): void;
  /** Whether this message may be handled now. While it may not, it waits with all behind it on its channel, until `drain`. */
  ready(from: Peer, message: PeerMessage, era: Epoch): boolean;
  /** Handles a message: each is handed over once, in the order in which it was sent. */
  receive(from: Peer, message: PeerMessage, era: Epoch): void;
  /** A peer whose incarnation was known has a higher one: whatever it had in memory, unhandled messages too, is gone. */
  peerRestarted(peer: Peer, incarnation: number, previous: number): void;
}
