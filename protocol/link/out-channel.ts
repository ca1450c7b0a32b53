/** Messages to one incarnation of a peer: queued, then in batches that are sent until that incarnation has them. */
import type { Kernels } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import { type BatchHead, BatchWriter, type PeerFormat } from "../wire/codec.ts";
import type { Epoch, Peer, PeerMessage } from "../wire/messages.ts";

interface Queued {
  readonly message: PeerMessage;
  readonly era: Epoch;
}

interface Sent {
  readonly bytes: Uint8Array;
  readonly messages: number;
  readonly format: PeerFormat;
  /** When it is sent again, unless its answer comes before. */
  due: number;
  /** How long the next failure will be waited out. */
  pause: number;
  /** A batch that was sent behind it is acknowledged, so it is likely to be lost. */
  overtaken: boolean;
}

export type Transmit = (batch: number, bytes: Uint8Array) => void;

/** From whom, as the heads of batches name it. */
export interface Sender {
  readonly peer: Peer;
  readonly incarnation: number;
  readonly kernels: Kernels;
  readonly reads: PeerFormat;
  /** In which version the next batch is to be. */
  format(): PeerFormat;
  /** Numbers batches through all channels, so that the answer to one of a dropped channel is not taken for another's. */
  nextBatch(): number;
}

export class OutChannel {
  readonly #sender: Sender;
  readonly #queue: Queued[] = [];
  readonly #sent = new Map<number, Sent>();
  /** 0 while it is not known; then nothing but a question for it is sent. */
  #incarnation: number;
  #nextSequence = 1;
  #unacknowledged = 0;
  /** A batch of a newer version did not arrive. */
  #doubtful = false;

  constructor(sender: Sender, incarnation: number) {
    this.#sender = sender;
    this.#incarnation = incarnation;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  /** Batches without an answer. */
  get inFlight(): number {
    return this.#sent.size;
  }

  /** Messages that the peer may not have yet. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** Whether anything, be it the question for the incarnation, is to be sent or answered. */
  get outstanding(): boolean {
    return this.#unacknowledged > 0 || this.#sent.size > 0;
  }

  push(message: PeerMessage, era: Epoch): void {
    this.#queue.push({ message, era });
    this.#unacknowledged++;
  }

  /** The incarnation is known now. Its question needs no answer any more; nothing else was sent. */
  bind(incarnation: number): void {
    invariant(this.#incarnation === 0 && incarnation > 0, "7: a channel changes its incarnation");
    this.#incarnation = incarnation;
    this.#sent.clear();
  }

  /** Sends what is queued, in as few batches as limits and eras allow; without a known incarnation, asks for it. */
  flush(now: number, transmit: Transmit): void {
    if (this.#queue.length === 0) return;
    if (this.#incarnation === 0) {
      if (this.#sent.size === 0) this.#ask(now, transmit);
      return;
    }
    for (let from = 0; from < this.#queue.length;) from = this.#sendFrom(from, now, transmit);
    this.#queue.length = 0;
  }

  /** False for a batch that is not of this channel, or is acknowledged already. */
  acknowledge(batch: number, now: number): boolean {
    const sent = this.#sent.get(batch);
    if (sent === undefined) return false;
    this.#sent.delete(batch);
    this.#unacknowledged -= sent.messages;
    invariant(this.#unacknowledged >= this.#queue.length, "4: more messages are acknowledged than were sent");
    if (this.#sent.size > 0) this.#overtake(batch, now);
    return true;
  }

  /** The peer handles nothing behind what is lost, and may have nothing to say until then: it is sent again and again without further signs. */
  #overtake(acknowledged: number, now: number): void {
    for (const [batch, sent] of this.#sent) {
      if (batch > acknowledged) return;
      if (sent.overtaken) continue;
      sent.overtaken = true;
      sent.pause = Math.max(sent.pause, LIMITS.overtakenMs);
      sent.due = Math.min(sent.due, now + sent.pause);
    }
  }

  /** It is not known whether a batch has arrived: it is sent again after a pause, which doubles from time to time. */
  failed(batch: number, now: number): void {
    const sent = this.#sent.get(batch);
    if (sent === undefined) return;
    // An incarnation with older code may be there by now, which cannot even read that this was not meant for it.
    if (sent.format > 1) this.#doubtful = true;
    sent.due = Math.min(sent.due, now + sent.pause);
    // Else it doubles as it is sent.
    if (!sent.overtaken) sent.pause = longer(sent.pause);
  }

  /** Sends again what is due. */
  resend(now: number, transmit: Transmit): void {
    if (this.#doubtful) {
      this.#doubtful = false;
      if (![...this.#sent.values()].some(({ messages }) => messages === 0)) this.#ask(now, transmit);
    }
    for (const [batch, sent] of this.#sent) {
      if (sent.due > now) continue;
      if (sent.overtaken) sent.pause = longer(sent.pause);
      sent.due = now + (sent.overtaken ? sent.pause : LIMITS.replyMs);
      transmit(batch, sent.bytes);
    }
  }

  /** Asks who is there: everybody can read this, and answers with its incarnation. */
  #ask(now: number, transmit: Transmit): void {
    this.#transmit(new BatchWriter({ ...this.#head(0), receiverIncarnation: 0 }, 1), 1, now, transmit);
  }

  #head(era: Epoch): BatchHead {
    const { peer, incarnation, reads } = this.#sender;
    return {
      sender: peer,
      senderIncarnation: incarnation,
      receiverIncarnation: this.#incarnation,
      first: this.#nextSequence,
      era,
      reads,
    };
  }

  /** Sends one batch that begins with the queue's entry `from`; returns where the next one begins. */
  #sendFrom(from: number, now: number, transmit: Transmit): number {
    const era = this.#queue[from]?.era ?? 0;
    const format = this.#sender.format();
    const writer = new BatchWriter(this.#head(era), format);
    let at = from;
    for (let next = this.#queue[at]; next?.era === era; next = this.#queue[++at]) {
      if (writer.messages >= LIMITS.maxBatchMessages || writer.bytes >= LIMITS.maxBatchBytes) break;
      writer.add(next.message);
    }
    this.#nextSequence += writer.messages;
    this.#transmit(writer, format, now, transmit);
    return at;
  }

  #transmit(writer: BatchWriter, format: PeerFormat, now: number, transmit: Transmit): void {
    const batch = this.#sender.nextBatch();
    const bytes = writer.pack(this.#sender.kernels);
    this.#sent.set(batch, {
      bytes,
      messages: writer.messages,
      format,
      due: now + LIMITS.replyMs,
      pause: LIMITS.resendMs,
      overtaken: false,
    });
    transmit(batch, bytes);
  }
}

const longer = (pause: number): number => Math.min(2 * pause, LIMITS.maxResendMs);
