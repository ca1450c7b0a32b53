/**
 * What a partition knows of its own work, for people: counters, and the last transactions. All of it is in memory and begins anew with an instance.
 * Nothing depends on it, and nothing waits for it.
 */
import type { Root } from "../partition/root.ts";
import { LIMITS } from "../limits.ts";
import type { Epoch } from "../wire/messages.ts";
import { Histogram, type HistogramFigures } from "./histogram.ts";
import { readTraceparent } from "./traceparent.ts";
import { Trace, type TransactionTrace } from "./trace.ts";

/** How a transaction can end. */
export const OUTCOMES = ["committed", "accepted", "refused", "invalid", "failed", "unavailable", "expired"] as const;
export type OutcomeName = (typeof OUTCOMES)[number];

/** One transaction that has ended, as it is told to people. */
export interface RecentTransaction {
  readonly id: string;
  readonly service: string;
  readonly key: string;
  readonly function: string;
  /** When it was admitted, and when it had its answer; ms since 1970. */
  readonly at: number;
  readonly endedAt: number;
  readonly status: number;
  /** The epoch that it was committed or refused in; 0 when it needed none. */
  readonly epoch: Epoch;
  /** 1 for one that gave way to nobody. */
  readonly attempts: number;
  readonly trace: TransactionTrace | null;
}

/** Which transactions are asked for: all that it says. */
export interface RecentFilter {
  readonly service?: string;
  readonly key?: string;
  /** Its id, or that of its trace. */
  readonly id?: string;
}

export interface ObserverFigures {
  /** Transactions by outcome, in the order of {@link OUTCOMES}. */
  readonly outcomes: readonly number[];
  /** Milliseconds from admission to the answer. */
  readonly latency: HistogramFigures;
  /** Attempts beyond the first. */
  readonly restarts: number;
  /** Transactions of this partition's roots in an epoch that it prepared. */
  readonly epochSize: HistogramFigures;
  /** Answers that were there already. */
  readonly replays: number;
  /** Transactions of the engine's own functions, whatever came of them. */
  readonly internal: number;
}

export class Observer {
  readonly #now: () => number;
  /** Called for every traced transaction that has ended. */
  readonly #traced: (transaction: RecentTransaction) => void;
  readonly #outcomes = OUTCOMES.map(() => 0);
  readonly #latency = new Histogram();
  readonly #epochSize = new Histogram();
  /** A ring: the newest is before `#next`. */
  readonly #recent: RecentTransaction[] = [];
  #next = 0;
  restarts = 0;
  replays = 0;
  internal = 0;
  /** Trace contexts of requests that have not come to admission, by ticket. */
  readonly #expected = new Map<number, string>();

  /** @param now milliseconds since 1970 */
  constructor(now: () => number = () => 0, traced: (transaction: RecentTransaction) => void = () => undefined) {
    this.#now = now;
    this.#traced = traced;
  }

  /** The request of this ticket is to be traced. */
  expect(ticket: number, traceparent: string): void {
    this.#expected.set(ticket, traceparent);
  }

  /** The trace of what comes with a ticket; null for nearly all. */
  traceOf(ticket: number): Trace | null {
    if (this.#expected.size === 0) return null;
    const traceparent = this.#expected.get(ticket);
    return traceparent === undefined ? null : new Trace(traceparent, this.#now);
  }

  /** The ticket has its answer. */
  answered(ticket: number): void {
    if (this.#expected.size > 0) this.#expected.delete(ticket);
  }

  /** A transaction has its answer. */
  ended(root: Root, status: number): void {
    // Nobody asked for them.
    if (isInternal(root.target)) {
      this.internal += 1;
      return;
    }
    const endedAt = this.#now();
    const outcome = outcomeOf(status);
    this.#outcomes[outcome] = (this.#outcomes[outcome] as number) + 1;
    this.#latency.add(endedAt - root.at);
    if (root.attempts > 1) this.restarts += root.attempts - 1;
    const { target, trace } = root;
    const transaction = {
      id: root.requestId,
      service: target.service.contract.name,
      key: target.key,
      function: target.name,
      at: root.at,
      endedAt,
      status,
      epoch: root.epoch,
      attempts: root.attempts,
      trace: trace === null ? null : trace.told,
    };
    this.#recent[this.#next] = transaction;
    this.#next = (this.#next + 1) % LIMITS.recentTransactions;
    if (trace !== null) this.#traced(transaction);
  }

  /** An epoch is prepared here, with so many transactions of this partition's roots. */
  prepared(size: number): void {
    this.#epochSize.add(size);
  }

  /** Newest first. */
  recent(of: RecentFilter, limit: number): RecentTransaction[] {
    const found: RecentTransaction[] = [];
    const { length } = this.#recent;
    for (let back = 1; back <= length && found.length < limit; back++) {
      const transaction = this.#recent[(this.#next - back + length) % length] as RecentTransaction;
      if (of.service !== undefined && transaction.service !== of.service) continue;
      if (of.key !== undefined && transaction.key !== of.key) continue;
      if (of.id === undefined || isNamed(transaction, of.id)) found.push(transaction);
    }
    return found;
  }

  get figures(): ObserverFigures {
    return {
      outcomes: [...this.#outcomes],
      latency: this.#latency.figures,
      restarts: this.restarts,
      epochSize: this.#epochSize.figures,
      replays: this.replays,
      internal: this.internal,
    };
  }
}

/** One of the engine's own, such as those that fire timers, or delete what has expired: that is a function of every service. */
function isInternal({ service, name }: Root["target"]): boolean {
  return service.contract.name.startsWith("#") || name.startsWith("#");
}

function isNamed({ id, trace }: RecentTransaction, name: string): boolean {
  return id === name || readTraceparent(trace?.traceparent ?? null)?.traceId === name;
}

/** Index in {@link OUTCOMES}. */
function outcomeOf(status: number): number {
  if (status === 200) return 0;
  if (status === 202) return 1;
  if (status === 409) return 2;
  if (status < 500) return 3;
  if (status === 503) return 5;
  return status === 504 ? 6 : 4;
}
