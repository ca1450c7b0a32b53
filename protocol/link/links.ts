/**
 * The channels of one instance with its peers (docs/protocol.md, "Channels"): between a pair of incarnations every message is handled once and in
 * order, and a new incarnation on either side ends the channel with whatever it had not delivered.
 */
import type { Kernels } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import { type Batch, decodeBatch, formatOf, NEWEST_FORMAT, type PeerFormat } from "../wire/codec.ts";
import type { Epoch, Peer, PeerMessage } from "../wire/messages.ts";
import { Formats } from "./formats.ts";
import { InChannel, type InOrder } from "./in-channel.ts";
import { OutChannel } from "./out-channel.ts";
import type { LinkOwner } from "./owner.ts";

/** What became of a batch that arrived. Only `answered` has an answer; at all others the sender must see a failure. */
export type Delivery =
  | "answered"
  /** It is meant for a later incarnation of this instance, which has therefore been replaced. */
  | "replaced"
  /** Its sender has been replaced. */
  | "fenced"
  /** Too much waits already; it will be sent again. */
  | "full"
  /** It was written for an incarnation with newer code than this one; its sender asks who is here. */
  | "unreadable";

export class Links {
  readonly formats: Formats;
  readonly #self: Peer;
  readonly #incarnation: number;
  readonly #kernels: Kernels;
  readonly #owner: LinkOwner;
  readonly #known = new Map<Peer, number>();
  readonly #out = new Map<Peer, OutChannel>();
  readonly #in = new Map<Peer, InChannel>();
  /** Peers with queued messages. */
  readonly #queued = new Set<Peer>();
  /** Peers whose messages wait, and since when, or when they were asked after last; ms. */
  readonly #waitingSince = new Map<Peer, number>();
  /** Channels above their limit. */
  readonly #full = new Set<OutChannel | InChannel>();
  #batches = 0;
  #wanted = false;

  constructor(self: Peer, incarnation: number, kernels: Kernels, owner: LinkOwner, reads: PeerFormat = NEWEST_FORMAT) {
    invariant(incarnation > 0, "7: an instance has no incarnation");
    this.formats = new Formats(reads);
    this.#self = self;
    this.#incarnation = incarnation;
    this.#kernels = kernels;
    this.#owner = owner;
  }

  /** What is durably known of a peer: an older incarnation of it is refused from the start. */
  seedIncarnation(peer: Peer, incarnation: number): void {
    invariant(!this.#known.has(peer) && !this.#out.has(peer), "7: an incarnation is seeded after it was met");
    if (incarnation > 0) this.#known.set(peer, incarnation);
  }

  /** The highest incarnation of a peer that is known, or 0. */
  incarnationOf(peer: Peer): number {
    return this.#known.get(peer) ?? 0;
  }

  /** Queues a message until the next dispatch. It is kept as it is: nothing in it may change later. */
  send(to: Peer, message: PeerMessage, era: Epoch): void {
    invariant(to !== this.#self, "8: a message to oneself");
    const channel = this.#outTo(to);
    channel.push(message, era);
    this.#weigh(channel, channel.unacknowledged, LIMITS.maxUnacknowledged);
    this.#queue(to);
  }

  dispatch(now: number): void {
    this.#wanted = false;
    for (const peer of this.#queued) {
      const channel = this.#out.get(peer);
      // Under load what waits here leaves in one batch with what comes meanwhile: a call between objects costs more than its content.
      if (channel !== undefined && channel.inFlight >= LIMITS.maxBatchesInFlight) continue;
      this.#queued.delete(peer);
      channel?.flush(now, this.#transmit(peer));
    }
  }

  /** Takes a batch. @throws CorruptError, with nothing changed, for bytes that are none. */
  deliver(ticket: number, bytes: Uint8Array): Delivery {
    const format = formatOf(bytes);
    // A version that no code knows is damage, and found by decoding.
    if (format > this.formats.reads && format <= NEWEST_FORMAT) return "unreadable";
    const batch = decodeBatch(this.#kernels, bytes);
    invariant(batch.sender !== this.#self, "8: a batch from oneself");
    invariant(batch.senderIncarnation > 0, "8: a batch from no incarnation");
    if (batch.receiverIncarnation > this.#incarnation) return "replaced";
    if (batch.senderIncarnation < this.incarnationOf(batch.sender)) return "fenced";
    this.#meet(batch.sender, batch.senderIncarnation);
    this.formats.heard(batch.sender, batch.reads);
    if (batch.receiverIncarnation === this.#incarnation && !this.#accept(batch)) return "full";
    this.#owner.emit({ kind: "delivered", ticket, incarnation: this.#incarnation });
    return "answered";
  }

  /** What the shell learned of a batch that it sent: null when that is nothing. */
  sent(to: Peer, batch: number, incarnation: number | null, now: number): void {
    invariant(incarnation !== 0, "7: a batch was received by no incarnation");
    if (incarnation !== null && incarnation >= this.incarnationOf(to)) this.#meet(to, incarnation);
    const channel = this.#out.get(to);
    if (channel === undefined) return;
    if (incarnation === null || incarnation < channel.incarnation) channel.failed(batch, now);
    else if (channel.acknowledge(batch, now)) {
      this.#weigh(channel, channel.unacknowledged, LIMITS.maxUnacknowledged);
      if (this.#queued.has(to)) this.wantDispatch();
    }
  }

  /** Sends again what is due. Returns whether anything is outstanding: then it is to be called again after `resendMs` or so. */
  tick(now: number): boolean {
    for (const [peer, channel] of this.#out) channel.resend(now, this.#transmit(peer));
    for (const [peer, channel] of this.#in) this.#askAfterGap(peer, channel, now);
    return this.outstanding;
  }

  /** What waits for an earlier batch waits for ever when its sender is gone with that: then only its successor can say so. */
  #askAfterGap(peer: Peer, channel: InChannel, now: number): void {
    const since = this.#waitingSince.get(peer);
    if (channel.held === 0) this.#waitingSince.delete(peer);
    else if (since === undefined) this.#waitingSince.set(peer, now);
    else if (now - since >= LIMITS.probeMs) {
      this.#waitingSince.set(peer, now);
      this.send(peer, { kind: "ping" }, 0);
    }
  }

  /** Handles what waited, as far as it may be handled now. */
  drain(): void {
    for (const [peer, channel] of [...this.#in]) this.#drain(peer, channel);
  }

  /** Whether some channel has more in it than it should: nothing that makes new messages may start. */
  get congested(): boolean {
    return this.#full.size > 0;
  }

  /** Messages that their peers may not have yet. */
  get unacknowledged(): number {
    return sum(this.#out.values(), (channel) => channel.unacknowledged);
  }

  /** Messages received and not handled. */
  get held(): number {
    return sum(this.#in.values(), (channel) => channel.held);
  }

  /** Whether something is to be sent or answered, or waits to be handled. */
  get outstanding(): boolean {
    for (const channel of this.#out.values()) if (channel.outstanding) return true;
    return this.held > 0;
  }

  get isIdle(): boolean {
    return !this.outstanding && this.held === 0;
  }

  #accept(batch: Batch): boolean {
    const channel = this.#inFrom(batch.sender);
    if (!channel.accept(batch)) return false;
    this.#drain(batch.sender, channel);
    return true;
  }

  #drain(peer: Peer, channel: InChannel): void {
    channel.drain(
      ({ message, era }: InOrder) => this.#owner.ready(peer, message, era),
      ({ message, era }: InOrder) => this.#owner.receive(peer, message, era),
    );
    this.#weigh(channel, channel.held, LIMITS.maxHeldMessages);
  }

  /** Takes notice of a peer's incarnation, not below the known one. A higher one ends both channels. */
  #meet(peer: Peer, incarnation: number): void {
    const previous = this.incarnationOf(peer);
    if (incarnation === previous) return;
    invariant(incarnation > previous, "7: a replaced incarnation is listened to");
    this.#known.set(peer, incarnation);
    this.formats.forget(peer);
    if (previous > 0) {
      this.#drop(peer);
      this.#owner.peerRestarted(peer, incarnation, previous);
      return;
    }
    const waiting = this.#out.get(peer);
    if (waiting === undefined) return;
    waiting.bind(incarnation);
    if (waiting.unacknowledged > 0) this.#queue(peer);
  }

  #drop(peer: Peer): void {
    const out = this.#out.get(peer);
    const received = this.#in.get(peer);
    if (out !== undefined) this.#full.delete(out);
    if (received !== undefined) this.#full.delete(received);
    this.#out.delete(peer);
    this.#in.delete(peer);
    this.#queued.delete(peer);
  }

  #queue(peer: Peer): void {
    this.#queued.add(peer);
    this.wantDispatch();
  }

  /** Asks for a dispatch, also when nothing is queued yet. */
  wantDispatch(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#owner.emit({ kind: "want-dispatch" });
  }

  #weigh(channel: OutChannel | InChannel, messages: number, limit: number): void {
    if (messages > limit) this.#full.add(channel);
    else if (this.#full.size > 0) this.#full.delete(channel);
  }

  #transmit(to: Peer) {
    return (batch: number, bytes: Uint8Array): void => this.#owner.emit({ kind: "send", to, batch, bytes });
  }

  #outTo(peer: Peer): OutChannel {
    const known = this.#out.get(peer);
    if (known !== undefined) return known;
    const { reads } = this.formats;
    const sender = { peer: this.#self, incarnation: this.#incarnation, kernels: this.#kernels, reads };
    const how = { format: () => this.formats.for(peer), nextBatch: () => ++this.#batches };
    const made = new OutChannel({ ...sender, ...how }, this.incarnationOf(peer));
    this.#out.set(peer, made);
    return made;
  }

  #inFrom(peer: Peer): InChannel {
    const known = this.#in.get(peer);
    if (known !== undefined) return known;
    const made = new InChannel();
    this.#in.set(peer, made);
    return made;
  }
}

function sum<T>(items: Iterable<T>, of: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
