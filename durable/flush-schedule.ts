/**
 * When to flush: once what shares the write has been waited for; while a write is under way everything that becomes ready waits for the next
 * (group commit).
 */
export class FlushSchedule {
  readonly #flush: () => void;
  readonly #gathered: () => Promise<void>;
  readonly #durable: () => Promise<void>;
  #wanted = false;
  #busy = false;

  /**
   * @param gathered resolves when requests that have arrived already are ready
   * @param durable resolves when everything written so far is durable
   */
  constructor(flush: () => void, gathered: () => Promise<void>, durable: () => Promise<void>) {
    this.#flush = flush;
    this.#gathered = gathered;
    this.#durable = durable;
  }

  want(): void {
    this.#wanted = true;
    if (this.#busy) return;
    this.#busy = true;
    this.#turnSoon();
  }

  #turnSoon(): void {
    // A failed write resets the object; there is nothing left to schedule.
    this.#gathered().then(() => this.#turn(), ignore);
  }

  #turn(): void {
    this.#wanted = false;
    this.#flush();
    this.#durable().then(() => this.#written(), ignore);
  }

  /** What became ready during the write is flushed like the first: once those that have just arrived are ready, too. */
  #written(): void {
    if (this.#wanted) this.#turnSoon();
    else this.#busy = false;
  }
}

function ignore(): void {}
