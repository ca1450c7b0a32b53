/** Asks for some things at once and waits for all answers; each is asked for several times. */
import { Client, type ClientSetup } from "./client.ts";
import type { Ask, Transaction } from "./transaction.ts";

export class Asker {
  readonly #setup: ClientSetup;
  readonly #first: number;
  #asked = 0;

  /** @param first number of a transaction; those behind it are nobody else's */
  constructor(setup: ClientSetup, first: number) {
    this.#setup = setup;
    this.#first = first;
  }

  /** Bodies of the answers, in order; null when they do not come in time. Empty for what did not go well. */
  async ask(asks: readonly Ask[], limitMs: number): Promise<string[] | null> {
    const { world, ledger } = this.#setup;
    const numbers = asks.map(() => this.#first + this.#asked++);
    const clients = asks.map((ask, at) => {
      const number = numbers[at] as number;
      const transaction: Transaction = { number, ask, snapshot: false, clientId: true, after: 0, again: [5, 400] };
      const client = new Client(this.#setup, number, [[transaction]]);
      client.next();
      return client;
    });
    if (!(await world.run(() => clients.every(({ isDone }) => isDone), world.scheduler.now + limitMs))) return null;
    const bodies = new Map<number, string>();
    for (const { request, answer } of ledger.entries.values()) {
      if (answer?.status === 200) bodies.set(request.transaction.number, answer.body);
    }
    return numbers.map((number) => bodies.get(number) ?? "");
  }
}
