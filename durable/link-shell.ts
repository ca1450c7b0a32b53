/** Performs the effects of links for a partition or the coordinator: sends, answers, and the two ways of being called back. */
import type { LinkEffect, LinkInput } from "../protocol/link/effects.ts";
import { type OwnDomain, Peers, PeerSession } from "./peers.ts";
import { platformTimers } from "./sandbox.ts";
import type { Usage } from "./usage.ts";

interface Waiting {
  resolve(incarnation: number): void;
  reject(error: Error): void;
}

export interface LinkHost {
  input(input: LinkInput): void;
  /** Resolves when everything written so far is durable; with nothing to wait for, after one step of the event loop. */
  settled(): Promise<void>;
}

export class LinkShell {
  readonly #host: LinkHost;
  readonly #usage: Usage;
  readonly #peers: Peers;
  readonly #waiting = new Map<number, Waiting>();
  #nextTicket = 1;

  constructor(host: LinkHost, usage: Usage, domain: OwnDomain) {
    this.#host = host;
    this.#usage = usage;
    this.#peers = new Peers(usage, domain);
  }

  /** A session in which a peer delivers. */
  session(deliver: (bytes: Uint8Array) => Promise<number>): PeerSession {
    return new PeerSession(deliver, this.#usage);
  }

  /** Feeds a batch and resolves with the incarnation that received it. */
  deliver(bytes: Uint8Array): Promise<number> {
    const ticket = this.#nextTicket++;
    this.#usage.transferred(bytes.length);
    this.#usage.begin();
    return new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { resolve, reject });
      try {
        this.#host.input({ kind: "deliver", ticket, bytes });
      } catch (error) {
        this.#take(ticket);
        reject(error as Error);
      }
    });
  }

  perform(effect: LinkEffect): void {
    switch (effect.kind) {
      case "send":
        // The output gate holds the call until every write of this and earlier turns is confirmed.
        void this.#send(effect);
        return;
      case "delivered":
        this.#take(effect.ticket)?.resolve(effect.incarnation);
        return;
      case "undelivered":
        this.#take(effect.ticket)?.reject(new Error("not delivered: one of the two has been replaced, or is full"));
        return;
      case "want-dispatch":
        // A failed write resets the object; there is nothing left to send.
        this.#host.settled().then(
          () => this.#host.input({ kind: "dispatch" }),
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

  async #send({ to, batch, bytes }: Extract<LinkEffect, { kind: "send" }>): Promise<void> {
    this.#usage.begin();
    const incarnation = await this.#peers.deliver(to, bytes);
    this.#usage.end();
    this.#host.input({ kind: "sent", to, batch, incarnation });
  }

  #take(ticket: number): Waiting | undefined {
    const waiting = this.#waiting.get(ticket);
    if (this.#waiting.delete(ticket)) this.#usage.end();
    return waiting;
  }
}
