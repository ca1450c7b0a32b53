/**
 * When to flush: at once while the object is idle, so that a lone transaction waits for nothing; once per write while it is
 * busy, so that everything that became ready during a write shares the next one (group commit).
 */
import { platformTimers } from "./sandbox.ts";

export class FlushSchedule {
  readonly #flush: () => void;
  /** Resolves when everything written so far is durable. */
  readonly #durable: () => Promise<void>;
  #wanted = false;
  #busy = false;

  constructor(flush: () => void, durable: () => Promise<void>) {
    this.#flush = flush;
    this.#durable = durable;
  }

  want(): void {
    this.#wanted = true;
    if (this.#busy) return;
    this.#busy = true;
    queueMicrotask(() => this.#turn());
  }

  #turn(): void {
    this.#wanted = false;
    this.#flush();
    this.#durable().then(
      () => this.#written(),
      // A failed write resets the object; there is nothing left to schedule.
      () => undefined,
    );
  }

  /** A timer's turn lets requests that have arrived be delivered before the next write. */
  #written(): void {
    if (this.#wanted) platformTimers.setTimeout(() => this.#turn(), 0);
    else this.#busy = false;
  }
}
