/**
 * When to flush: one step of the event loop after the first transaction is ready, so that requests that have already arrived
 * share the write; while a write is under way everything that becomes ready waits for the next (group commit).
 */
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
    // With nothing to wait for this takes one step of the event loop; a timer would take a millisecond.
    this.#whenDurable(() => this.#turn());
  }

  #whenDurable(then: () => void): void {
    // A failed write resets the object; there is nothing left to schedule.
    this.#durable().then(then, () => undefined);
  }

  #turn(): void {
    this.#wanted = false;
    this.#flush();
    this.#whenDurable(() => this.#written());
  }

  /** What became ready during the write is flushed like the first: after one more step, for those that have just arrived. */
  #written(): void {
    if (this.#wanted) this.#whenDurable(() => this.#turn());
    else this.#busy = false;
  }
}
