/** Performs the effects of links for a partition or the coordinator: sends, answers, and the two ways of being called back. */
import { type Beside, Carrier } from "../protocol/link/carrier.ts";
import type { LinkEffect, LinkInput } from "../protocol/link/effects.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { Peer } from "../protocol/wire/messages.ts";
import { FUNCTION_STEPS } from "./gathering.ts";
import { type Answered, type OwnDomain, Peers, peerSession, type PeerSession } from "./peers.ts";
import { platformTimers } from "./sandbox.ts";
import type { Usage } from "./usage.ts";

interface Waiting {
  resolve(incarnation: number): void;
  reject(error: Error): void;
}

/** An answer. */
interface Held {
  readonly incarnation: number;
  readonly resolve: (answer: number | Answered) => void;
}

export interface LinkHost {
  input(input: LinkInput): void;
  /**
   * Resolves when what shares the calls that are to leave has been waited for. Rejects when a write fails.
   * @param apart whether what follows must come in another step of the event loop
   */
  gathered(apart: boolean): Promise<void>;
}

export class LinkShell {
  readonly #host: LinkHost;
  readonly #usage: Usage;
  readonly #peers: Peers;
  readonly #carrier: Carrier<Held>;
  readonly #waiting = new Map<number, Waiting>();
  #nextTicket = 1;
  /**
   * The dispatch that runs has put something into an answer. The output gate lets calls go as it is when they are made, but answers only as it is behind
   * all microtasks: what is written by a dispatch that follows at once would hold them, and the order to prepare is not to wait for its sender's record.
   */
  #answered = false;

  constructor(host: LinkHost, usage: Usage, domain: OwnDomain, self: Peer) {
    this.#host = host;
    this.#usage = usage;
    this.#peers = new Peers(usage, domain);
    this.#carrier = new Carrier(self, () => Date.now());
  }

  /** A session in which a peer delivers. */
  session(deliver: (bytes: Uint8Array, beside?: Beside) => Promise<number | Answered>): PeerSession {
    return peerSession(deliver, this.#usage);
  }

  /** Feeds a batch and resolves with the incarnation that received it, and maybe a batch for who sent it. */
  async deliver(bytes: Uint8Array, beside?: Beside): Promise<number | Answered> {
    this.#usage.transferred(bytes.length);
    if (beside !== undefined) this.#receive(beside);
    if (bytes.length === 0) return 0;
    const incarnation = await this.#take(bytes);
    return beside === undefined ? incarnation : this.#answer(beside.from, incarnation);
  }

  #receive(beside: Beside): void {
    for (const [batch, incarnation] of this.#carrier.receive(beside))
      this.#host.input({ kind: "sent", to: beside.from, batch, incarnation });
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
    for (let step = 0; step < FUNCTION_STEPS && !this.#carrier.awaitsDispatch; step++) await Promise.resolve();
    if (!this.#carrier.awaitsDispatch) return incarnation;
    return new Promise((resolve) => {
      if (!this.#carrier.hold(to, { incarnation, resolve })) resolve(incarnation);
    });
  }

  perform(effect: LinkEffect): void {
    switch (effect.kind) {
      case "send":
        // The output gate holds calls and answers until every write of this and earlier turns is confirmed.
        if (!this.#carry(effect)) void this.#send(effect);
        return;
      case "delivered":
        this.#carrier.answering(effect.incarnation);
        this.#taken(effect.ticket)?.resolve(effect.incarnation);
        return;
      case "undelivered":
        this.#taken(effect.ticket)?.reject(new Error("not delivered: one of the two has been replaced, or is full"));
        return;
      case "want-dispatch":
        this.#carrier.dispatchWanted();
        // A failed write resets the object; there is nothing left to send.
        this.#host.gathered(this.#answered).then(
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
    this.#carrier.dispatching();
    this.#answered = false;
    try {
      this.#host.input({ kind: "dispatch" });
    } finally {
      this.#answered = false;
      for (const { incarnation, resolve } of this.#carrier.dispatched()) resolve(incarnation);
    }
  }

  #carry({ to, batch, bytes }: Extract<LinkEffect, { kind: "send" }>): boolean {
    const held = this.#carrier.carry(to, batch);
    held?.resolve({ incarnation: held.incarnation, batch, bytes });
    this.#answered ||= held !== undefined;
    return held !== undefined;
  }

  async #send({ to, batch, bytes }: Extract<LinkEffect, { kind: "send" }>): Promise<void> {
    this.#usage.begin();
    const answer = await this.#peers.deliver(to, bytes, this.#carrier.beside(to));
    this.#usage.end();
    this.#carrier.settled(to, batch);
    const isPlain = answer === null || typeof answer === "number";
    this.#host.input({ kind: "sent", to, batch, incarnation: isPlain ? answer : answer.incarnation });
    if (!isPlain) await this.#brought(to, answer);
  }

  /** An answer has brought a batch. */
  async #brought(from: Peer, { incarnation: sender, batch, bytes }: Answered): Promise<void> {
    this.#usage.transferred(bytes.length);
    const receiver = await this.#take(bytes).catch(() => null);
    if (!this.#carrier.brought(from, [batch, receiver, sender])) return;
    this.#usage.begin();
    platformTimers.setTimeout(() => this.#tellReceipts(), LIMITS.receiptMs);
  }

  #tellReceipts(): void {
    this.#usage.end();
    for (const peer of this.#carrier.receiptsDue()) void this.#peers.deliver(peer, NOTHING, this.#carrier.beside(peer));
  }

  #taken(ticket: number): Waiting | undefined {
    const waiting = this.#waiting.get(ticket);
    if (this.#waiting.delete(ticket)) this.#usage.end();
    return waiting;
  }
}
const NOTHING = new Uint8Array();
