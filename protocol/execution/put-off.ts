/** What is to be done some microtasks later. One chain of them does for all of an engine: where transactions are many, each costs next to nothing. */

interface Put {
  /** The microtask of the chain at which it is done. */
  readonly due: number;
  readonly act: () => void;
}

export class PutOff {
  #passed = 0;
  /** By how many microtasks they were put off: in each, the first is due first. */
  readonly #queues = new Map<number, Put[]>();
  #waiting = 0;
  #passing = false;

  /** @param act does not throw */
  by(microtasks: number, act: () => void): void {
    let queue = this.#queues.get(microtasks);
    if (!queue) this.#queues.set(microtasks, (queue = []));
    queue.push({ due: this.#passed + microtasks, act });
    this.#waiting += 1;
    if (!this.#passing) void this.#pass();
  }

  async #pass(): Promise<void> {
    this.#passing = true;
    while (this.#waiting > 0) {
      await undefined;
      this.#passed += 1;
      for (const queue of this.#queues.values()) this.#actDue(queue);
    }
    this.#passing = false;
  }

  #actDue(queue: Put[]): void {
    let due = 0;
    while (due < queue.length && (queue[due] as Put).due <= this.#passed) due += 1;
    if (due === 0) return;
    this.#waiting -= due;
    for (const { act } of queue.splice(0, due)) act();
  }
}
