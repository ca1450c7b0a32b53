/**
 * Stands in for a partition whose storage cannot be read: it serves nothing and changes nothing, but the others must not wait for it. It obeys
 * new coordinators and reports to them, and calls of other partitions fail at once. Sans-I/O, like the partition that it stands in for.
 */
import { nextTime } from "../clock.ts";
import { LATER } from "../outbox/ending.ts";
import type { Kernels } from "../../core-wasm/types.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { LIMITS } from "../limits.ts";
import type { LinkEffect, LinkInput } from "../link/effects.ts";
import { Links } from "../link/links.ts";
import type { LinkOwner } from "../link/owner.ts";
import { encodeOutcome } from "../transaction/remote-failure.ts";
import {
  COORDINATOR,
  type Epoch,
  type OrderMessage,
  type PartitionMessage,
  type Peer,
  type PeerMessage,
  type RecordReport,
} from "../wire/messages.ts";
import type { StorageOp } from "./effects.ts";

export interface DamagedSetup {
  readonly kernels: Kernels;
  readonly partition: Peer;
  /** Durable, one more at every start. */
  readonly incarnation: number;
  /** Newest coordinator that was obeyed; 0 for none. */
  readonly generation: number;
  /** Highest epoch that is stored as committed; 0 for none. */
  readonly decided: Epoch;
  /** The epoch's record that it wrote last, readable or not. */
  readonly records: readonly RecordReport[];
}

export type DamagedEffect = LinkEffect | { readonly kind: "persist"; readonly ops: readonly StorageOp[] };

export class DamagedMachine implements LinkOwner {
  readonly #setup: DamagedSetup;
  readonly #links: Links;
  #generation: number;
  /** Of the coordinator's last word: refusals are of that. */
  #era: Epoch = 0;
  #effects: DamagedEffect[] = [];
  #waking = false;
  #now = 0;

  constructor(setup: DamagedSetup) {
    this.#setup = setup;
    this.#generation = setup.generation;
    this.#links = new Links(setup.partition, setup.incarnation, setup.kernels, this);
    this.#links.seedIncarnation(COORDINATOR, setup.generation);
  }

  /** The first effects: this incarnation is made known, so that what the one before it took part in ends. */
  start(): DamagedEffect[] {
    this.#hello();
    return this.#takeEffects();
  }

  /** @throws CorruptError for a batch that cannot be read, and ClockSetBack: with nothing changed. */
  step(input: LinkInput, now: number): DamagedEffect[] {
    this.#now = nextTime(this.#now, now);
    switch (input.kind) {
      case "deliver":
        if (this.#links.deliver(input.ticket, input.bytes) !== "answered") {
          this.emit({ kind: "undelivered", ticket: input.ticket });
        }
        break;
      case "sent":
        this.#links.sent(input.to, input.batch, input.incarnation, now);
        break;
      case "dispatch":
        this.#links.dispatch(now);
        break;
      case "wake":
        this.#waking = false;
        this.#links.tick(now);
    }
    return this.#takeEffects();
  }

  #takeEffects(): DamagedEffect[] {
    if (!this.#waking && this.#links.outstanding) {
      this.#waking = true;
      this.emit({ kind: "wake", inMs: LIMITS.tickMs });
    }
    return this.#effects.splice(0);
  }

  emit(effect: DamagedEffect): void {
    this.#effects.push(effect);
  }

  /** Nothing of another partition waits for an era: the answer is the same in all. */
  ready(): boolean {
    return true;
  }

  receive(from: Peer, message: PeerMessage, era: Epoch): void {
    if (from === COORDINATOR) this.#order(message as OrderMessage);
    else this.#answer(from, message as PartitionMessage, era);
  }

  peerRestarted(peer: Peer): void {
    if (peer === COORDINATOR) this.#hello();
  }

  #hello(): void {
    const { reads } = this.#links.formats;
    // It cannot read which records it holds.
    this.#links.send(COORDINATOR, { kind: "hello", reads, recorded: Number.MAX_SAFE_INTEGER }, 0);
  }

  #order(order: OrderMessage): void {
    switch (order.kind) {
      case "recover": {
        const { decided, records } = this.#setup;
        const { generation } = order;
        this.#obey(generation);
        const { reads } = this.#links.formats;
        this.#links.send(COORDINATOR, { kind: "report", generation, decided, records, reads, damaged: true }, 0);
        return;
      }
      case "era":
        // Its records stay as they are: once they can be read again, the next incarnation asks for the era and acts on it.
        this.#obey(order.generation);
        this.#era = order.base;
        this.#links.formats.agree(order.format);
        return;
      case "prepare":
        this.#links.send(COORDINATOR, { kind: "refuse", epoch: order.epoch }, this.#era);
    }
  }

  /** Durable before anything that follows leaves: an older coordinator is refused from here on. */
  #obey(generation: number): void {
    if (generation <= this.#generation) return;
    this.#generation = generation;
    this.emit({ kind: "persist", ops: [{ op: "put-meta", name: "generation", value: String(generation) }] });
  }

  /** Whatever somebody would wait for is answered, in the era of the question. */
  #answer(from: Peer, message: PartitionMessage, era: Epoch): void {
    switch (message.kind) {
      case "call": {
        const { id, callId } = message;
        // It names no participants: a caller that catches the failure goes on without this partition.
        const none = new Map<Peer, number>();
        this.#links.send(from, { kind: "answer", id, callId, outcome: FAILED, parts: none, clock: 0 }, era);
        return;
      }
      case "scope-end":
        if (!message.undo) return;
        this.#links.send(from, { kind: "scope-ended", id: message.id, scope: message.scope }, era);
        return;
      case "inquire":
        this.#links.send(from, { kind: "abort", id: message.id }, era);
        return;
      case "prepare":
        if (message.decides) this.#links.send(from, { kind: "refuse", epoch: message.epoch }, era);
        return;
      case "post":
        // Its sender keeps it and hands it over again.
        this.#links.send(from, { kind: "posted", requestId: message.requestId, ...LATER }, era);
    }
  }
}

const FAILED = encodeOutcome({
  ok: false,
  failure: { kind: "engine", error: new TidegateError("internal-error", "the partition's storage is damaged") },
});
