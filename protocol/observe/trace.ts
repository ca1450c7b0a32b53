/** One transaction that is traced: what befell it when, as its root's partition sees it. Few are, so that it may cost something. */
import { LIMITS } from "../limits.ts";
import type { Activation } from "../transaction/attempt.ts";

/** A call that a function made here, wherever it ran. Times are ms since 1970. */
export interface CallSpan {
  readonly service: string;
  readonly key: string;
  readonly function: string;
  /** The partition that it was sent to; null when it ran here. */
  readonly partition: number | null;
  /** Index of the call within which it was made; null for what the root function called. */
  readonly parent: number | null;
  /** The attempt of the transaction that it belongs to, from 1. */
  readonly attempt: number;
  readonly startedAt: number;
  /** 0 while it runs, and for one that was given up with its attempt. */
  endedAt: number;
  ok: boolean;
}

/** A trace as it is told to others. */
export interface TransactionTrace {
  /** W3C Trace Context of the request. */
  readonly traceparent: string;
  /** When its functions began to run, first; 0 for never. */
  readonly startedAt: number;
  /** When it had its epoch; 0 for none. */
  readonly taggedAt: number;
  /** When that epoch's record was written here; 0 for none. */
  readonly preparedAt: number;
  readonly calls: readonly CallSpan[];
  /** Calls beyond `maxTracedCalls`. */
  readonly dropped: number;
}

export class Trace implements TransactionTrace {
  readonly traceparent: string;
  readonly #now: () => number;
  readonly calls: CallSpan[] = [];
  readonly #places = new Map<Activation, number>();
  startedAt = 0;
  taggedAt = 0;
  preparedAt = 0;
  dropped = 0;

  /** @param now milliseconds since 1970 */
  constructor(traceparent: string, now: () => number) {
    this.traceparent = traceparent;
    this.#now = now;
  }

  started(): void {
    if (this.startedAt === 0) this.startedAt = this.#now();
  }

  /** It has an epoch; a second time when the first was aborted. */
  tagged(): void {
    this.taggedAt = this.#now();
  }

  prepared(): void {
    this.preparedAt = this.#now();
  }

  /** An activation begins; that of the root function is the transaction itself. */
  began(activation: Activation, attempt: number): void {
    const { parent, target, remote } = activation;
    if (parent === null) return;
    if (this.calls.length >= LIMITS.maxTracedCalls) {
      this.dropped += 1;
      return;
    }
    this.#places.set(activation, this.calls.length);
    this.calls.push({
      service: target.service.contract.name,
      key: target.key,
      function: target.name,
      partition: remote,
      parent: this.#places.get(parent) ?? null,
      attempt,
      startedAt: this.#now(),
      endedAt: 0,
      ok: false,
    });
  }

  ended(activation: Activation, ok: boolean): void {
    const place = this.#places.get(activation);
    const span = place === undefined ? undefined : this.calls[place];
    if (span === undefined) return;
    span.endedAt = this.#now();
    span.ok = ok;
  }

  /** What may be kept: without the activations, which hold what they have read. */
  get told(): TransactionTrace {
    const { traceparent, startedAt, taggedAt, preparedAt, calls, dropped } = this;
    return { traceparent, startedAt, taggedAt, preparedAt, calls: calls.map((call) => ({ ...call })), dropped };
  }
}
