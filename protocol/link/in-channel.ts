/** Messages from one incarnation of a peer, put back into the order in which they were sent. */
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import type { Batch } from "../wire/codec.ts";
import type { Epoch, PeerMessage } from "../wire/messages.ts";

interface Waiting {
  readonly batch: Batch;
  /** Messages of it that were handled. */
  handled: number;
}

export interface InOrder {
  readonly message: PeerMessage;
  readonly era: Epoch;
}

/**
 * Keeps batches, not messages: between two incarnations a batch is never cut differently when it is sent again, so a batch whose first number
 * is known is a duplicate.
 */
export class InChannel {
  /** By the number of their first message. */
  readonly #waiting = new Map<number, Waiting>();
  /** First number of the batch whose turn it is. */
  #next = 1;
  #held = 0;
  #draining = false;

  /** Messages received and not handled. */
  get held(): number {
    return this.#held;
  }

  /**
   * Keeps a batch for its turn. False when too much waits already: the sender keeps it and sends it again. The batch whose turn it is always
   * finds room, since all others wait for it.
   */
  accept(batch: Batch): boolean {
    if (batch.first < this.#next || this.#waiting.has(batch.first) || batch.messages.length === 0) return true;
    if (batch.first > this.#next && this.#held >= LIMITS.maxHeldMessages) return false;
    this.#waiting.set(batch.first, { batch, handled: 0 });
    this.#held += batch.messages.length;
    return true;
  }

  /**
   * Hands over what is in order, while it is `ready`. A handler that causes another drain adds nothing: what it handles is not done yet, and
   * this loop goes on behind it.
   */
  drain(ready: (next: InOrder) => boolean, handle: (next: InOrder) => void): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#peek(); next !== null && ready(next); next = this.#peek()) {
        this.#advance();
        handle(next);
      }
    } finally {
      this.#draining = false;
    }
  }

  #peek(): InOrder | null {
    const waiting = this.#waiting.get(this.#next);
    const message = waiting?.batch.messages[waiting.handled];
    return waiting === undefined || message === undefined ? null : { message, era: waiting.batch.era };
  }

  #advance(): void {
    const waiting = this.#waiting.get(this.#next);
    invariant(waiting !== undefined && this.#held > 0, "4: a message is handled that is not there");
    this.#held--;
    if (++waiting.handled < waiting.batch.messages.length) return;
    this.#waiting.delete(this.#next);
    this.#next += waiting.batch.messages.length;
  }
}
