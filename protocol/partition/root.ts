/** A root request: one transaction as it was asked for from outside, through all its attempts. */
import { isAnswer, isFinal, passes } from "../outbox/ending.ts";
import type { Failure } from "../transaction/failure.ts";
import type { Attempt, Target } from "../transaction/attempt.ts";
import type { Trace } from "../observe/trace.ts";
import { REQUEST_ID_LENGTH } from "../wire/invoke.ts";
import type { Epoch, Peer } from "../wire/messages.ts";

/** Where an answer goes: a row of a ticket. */
export interface Waiter {
  readonly ticket: number;
  readonly line: number;
  /** It found the transaction already running: its answer counts as replayed. */
  readonly joined: boolean;
}

/** How often it was too much: an internal function may do less with the next attempt, or where the next is another root's. */
export interface TooMuch {
  /** Attempts of which what they wrote or passed was too much, and how many there may be. */
  times: number;
  most: number;
  /** It took longer than a transaction may, with all its attempts: that counts for the root that comes next. */
  tookTooLong: boolean;
}

export interface Root {
  readonly requestId: string;
  readonly target: Target;
  /** Key group of its key. */
  readonly group: number;
  /** Empty for none. */
  readonly input: string;
  /** A batch of events that an internal function takes; else null. */
  readonly bytes: Uint8Array | null;
  /** The input is state-codec text, else JSON from outside. */
  readonly coded: boolean;
  readonly fingerprintLow: number;
  readonly fingerprintHigh: number;
  /** Hash of its key. */
  readonly owner: number;
  /** From an Idempotency-Key. */
  readonly clientId: boolean;
  readonly snapshot: boolean;
  /** A snapshot as of an earlier epoch than this will not do; 0 where any will. */
  readonly notBefore: Epoch;
  /** Unique, smaller is older, kept through restarts: no transaction starves. */
  readonly age: number;
  /** Milliseconds at admission: what `ctx.now()` says. */
  readonly at: number;
  waiters: Waiter[];
  /** The partition whose message it carries out: it is told of the end. */
  readonly poster: Peer | null;
  /** Of a message: a failure of this try is final. */
  readonly last: boolean;
  /** What it failed with, in words for the sender of a message. */
  error: string;
  /** Asked for one-way: what runs now only keeps the message. */
  readonly oneWay: boolean;
  /** When that is to be delivered, ms since 1970; 0 for at once. */
  readonly due: number;
  /** The root before it in its frame with the same key, until that has its answer. */
  after: Root | null;
  /** `waiting` in the queue or behind another; `tagged`: it has its epoch, and only the decision is open. */
  state: "waiting" | "running" | "tagged";
  /** Later rows of its frame with the same key, which start when this one has its place in the order of transactions. */
  readonly followers: Root[];
  attempts: number;
  readonly tooMuch: TooMuch;
  /** The epoch that it was given last; 0 for none. */
  epoch: Epoch;
  /** Null for those that are not traced. */
  trace: Trace | null;
  attempt: Attempt | null;
}

/** It was too much, and its function can do less: it is told with the next attempt. */
export function comesToLess({ tooMuch }: Root, failure: Failure): boolean {
  if (failure.kind !== "engine" || failure.error.type !== "transaction-too-large") return false;
  if (tooMuch.times >= tooMuch.most) return false;
  tooMuch.times += 1;
  return true;
}

/** Functions that can do less, by their entity and name, with what their last root came to. */
export class LastTooMuch {
  readonly #last = new Map<string, TooMuch>();

  /** How often it was too much before, with the root before it where that took too long: there was no time left for an attempt at less. */
  times({ tooMuch, target }: Root, most: number): number {
    const name = `${target.entity} ${target.name}`;
    const before = this.#last.get(name);
    if (before !== tooMuch && before?.tookTooLong === true)
      tooMuch.times = Math.max(tooMuch.times, Math.min(before.times + 1, before.most));
    this.#last.set(name, tooMuch);
    tooMuch.most = most;
    return Math.min(tooMuch.times, most);
  }
}

/** Whether the answer is kept for retries: not of a query that is asked again anyway, nor of what the partition asks for itself. */
export function keepsResult({ target, clientId, requestId }: Root): boolean {
  return clientId || (target.contract.kind === "fn" && !requestId.startsWith(OWN_ID));
}

/** Whether a failure is kept as the answer: it shows what was read, or decides what becomes of a message. */
export function keepsFailure({ poster, last }: Root, failure: Failure, status: number): boolean {
  return failure.kind === "refusal" || (poster !== null && isFinal(status, last) && !passes(failure));
}

/** What is kept of an answer: whoever sent a message hears whether it is delivered, not what was returned. */
export function keptBody({ poster }: Root, status: number, body: string): string {
  return poster !== null && isAnswer(status, body) ? "" : body;
}

/** The request id of a transaction that a partition asks itself for: nobody else can name it, and it is never repeated. */
export function ownId(count: number): string {
  return OWN_ID + count.toString(16).padStart(REQUEST_ID_LENGTH - OWN_ID.length, "0");
}
const OWN_ID = "o";
