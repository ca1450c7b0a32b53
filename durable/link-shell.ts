/** Performs the effects of links for a partition or the coordinator: sends, answers, and the two ways of being called back. */
import type { LinkEffect, LinkInput } from "../protocol/link/effects.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { Peer } from "../protocol/wire/messages.ts";
import { type Answered, type Beside, type OwnDomain, Peers, PeerSession, type Receipt } from "./peers.ts";
import { platformTimers } from "./sandbox.ts";
import type { Usage } from "./usage.ts";

interface Waiting {
  resolve(incarnation: number): void;
  reject(error: Error): void;
}

/** An answer that waits for a batch to carry. */
interface Held {
  readonly incarnation: number;
  readonly resolve: (answer: number | Answered) => void;
}

export interface LinkHost {
  input(input: LinkInput): void;
  /** Resolves when everything written so far is durable; with nothing to wait for, after one step of the event loop. */
  settled(): Promise<void>;
}

/** Between a batch and what user functions that wait for nothing make of it are some promises. */
const SOON = 4;

/**
 * A batch that comes of a peer's batch leaves with the answer to that: a call less. It is a batch like any other to the links on both sides; whoever
 * has it says so with its next call, or after some time by itself. At most one for each peer is without a receipt: the others are calls.
 */
export class LinkShell {
  readonly #host: LinkHost;
  readonly #usage: Usage;
  readonly #self: Peer;
  readonly #peers: Peers;
  readonly #waiting = new Map<number, Waiting>();
  /** By who waits for it. */
  readonly #held = new Map<Peer, Held[]>();
  /** Batches that answers have carried, of which nothing is known yet, and until when anything may be; ms since 1970. */
  readonly #carried = new Map<Peer, { readonly batch: number; readonly until: number }>();
  /** For batches that answers have brought. */
  readonly #receipts = new Map<Peer, Receipt[]>();
  #receiptsLater = false;
  /** This instance's; 0 before its first answer, when nothing can have been carried. */
  #incarnation = 0;
  #dispatching = false;
  #nextTicket = 1;

  constructor(host: LinkHost, usage: Usage, domain: OwnDomain, self: Peer) {
    this.#host = host;
    this.#usage = usage;
    this.#self = self;
    this.#peers = new Peers(usage, domain);
  }

  /** A session in which a peer delivers. */
  session(deliver: (bytes: Uint8Array, beside?: Beside) => Promise<number | Answered>): PeerSession {
    return new PeerSession(deliver, this.#usage);
  }

  /** Feeds a batch and resolves with the incarnation that received it, and maybe a batch for who sent it. */
  async deliver(bytes: Uint8Array, beside?: Beside): Promise<number | Answered> {
    this.#usage.transferred(bytes.length);
    if (beside !== undefined) this.#receive(beside);
    if (bytes.length === 0) return 0;
    const incarnation = await this.#take(bytes);
    return beside === undefined ? incarnation : this.#answer(beside.from, incarnation);
  }

  #receive({ from, receipts }: Beside): void {
    for (const [batch, incarnation, sender] of receipts) {
      // For an instance before this one: among its own batches another may have that number.
      if (sender !== this.#incarnation) continue;
      if (this.#carried.get(from)?.batch === batch) this.#carried.delete(from);
      this.#host.input({ kind: "sent", to: from, batch, incarnation });
    }
  }

  #take(bytes: Uint8Array): Promise<number> {
    const ticket = this.#nextTicket++;
    this.#usage.begin();
    return new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { resolve, reject });
      try {
        this.#host.input({ kind: "deliver", ticket, bytes });
      } catch (error) {
        this.#taken(ticket);
        reject(error as Error);
      }
    });
  }

  /** With the batch that comes of what was delivered, if it comes at once. */
  async #answer(to: Peer, incarnation: number): Promise<number | Answered> {
    for (let step = 0; step < SOON && !this.#dispatching; step++) await Promise.resolve();
    if (!this.#dispatching || this.#isCarrying(to)) return incarnation;
    return new Promise((resolve) => {
      const held = this.#held.get(to);
      if (held) held.push({ incarnation, resolve });
      else this.#held.set(to, [{ incarnation, resolve }]);
    });
  }

  perform(effect: LinkEffect): void {
    switch (effect.kind) {
      case "send":
        // The output gate holds calls and answers until every write of this and earlier turns is confirmed.
        if (!this.#carry(effect)) void this.#send(effect);
        return;
      case "delivered":
        this.#incarnation = effect.incarnation;
        this.#taken(effect.ticket)?.resolve(effect.incarnation);
        return;
      case "undelivered":
        this.#taken(effect.ticket)?.reject(new Error("not delivered: one of the two has been replaced, or is full"));
        return;
      case "want-dispatch":
        this.#dispatching = true;
        // A failed write resets the object; there is nothing left to send.
        this.#host.settled().then(
          () => this.#dispatch(),
          () => undefined,
        );
        return;
      case "wake":
        this.#usage.begin();
        platformTimers.setTimeout(() => {
          this.#usage.end();
          this.#host.input({ kind: "wake" });
        }, effect.inMs);
    }
  }

  #dispatch(): void {
    this.#dispatching = false;
    try {
      this.#host.input({ kind: "dispatch" });
    } finally {
      for (const held of this.#held.values()) for (const { incarnation, resolve } of held) resolve(incarnation);
      this.#held.clear();
    }
  }

  #carry({ to, batch, bytes }: Extract<LinkEffect, { kind: "send" }>): boolean {
    const held = this.#isCarrying(to) ? undefined : this.#held.get(to)?.shift();
    if (held === undefined) return false;
    this.#carried.set(to, { batch, until: Date.now() + LIMITS.replyMs });
    held.resolve({ incarnation: held.incarnation, batch, bytes });
    return true;
  }

  /** Behind that time it is sent again, or its channel has ended. */
  #isCarrying(to: Peer): boolean {
    const carried = this.#carried.get(to);
    return carried !== undefined && Date.now() < carried.until;
  }

  async #send({ to, batch, bytes }: Extract<LinkEffect, { kind: "send" }>): Promise<void> {
    this.#usage.begin();
    const answer = await this.#peers.deliver(to, bytes, this.#beside(to));
    this.#usage.end();
    if (this.#carried.get(to)?.batch === batch) this.#carried.delete(to);
    const isPlain = answer === null || typeof answer === "number";
    this.#host.input({ kind: "sent", to, batch, incarnation: isPlain ? answer : answer.incarnation });
    if (!isPlain) await this.#brought(to, answer);
  }

  #beside(to: Peer): Beside {
    const receipts = this.#receipts.get(to) ?? [];
    this.#receipts.delete(to);
    return { from: this.#self, receipts };
  }

  /** An answer has brought a batch. */
  async #brought(from: Peer, { incarnation: sender, batch, bytes }: Answered): Promise<void> {
    this.#usage.transferred(bytes.length);
    const receipt: Receipt = [batch, await this.#take(bytes).catch(() => null), sender];
    const receipts = this.#receipts.get(from);
    if (receipts) receipts.push(receipt);
    else this.#receipts.set(from, [receipt]);
    if (this.#receiptsLater) return;
    this.#receiptsLater = true;
    this.#usage.begin();
    platformTimers.setTimeout(() => this.#tellReceipts(), LIMITS.receiptMs);
  }

  #tellReceipts(): void {
    this.#receiptsLater = false;
    this.#usage.end();
    for (const peer of [...this.#receipts.keys()]) void this.#peers.deliver(peer, NOTHING, this.#beside(peer));
  }

  #taken(ticket: number): Waiting | undefined {
    const waiting = this.#waiting.get(ticket);
    if (this.#waiting.delete(ticket)) this.#usage.end();
    return waiting;
  }
}
const NOTHING = new Uint8Array();
