/** Notes what clients do while it happens; the order of the calls is the real time of the history. */
import type { History, MicroOp, Moment, Operation, Outcome } from "./history.ts";

interface Open {
  readonly name: string;
  readonly process: string;
  readonly invoked: Moment;
  completed: Moment | null;
  outcome: Outcome;
  micro: readonly MicroOp[];
}

export class HistoryRecorder {
  readonly #now: () => number;
  readonly #operations = new Map<string, Open>();
  #events = 0;

  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  /** Before the request leaves. Reads are given as null: their values come with the answer. */
  invoke(name: string, process: string, micro: readonly MicroOp[]): void {
    if (this.#operations.has(name)) throw new Error(`${name} is invoked twice`);
    this.#operations.set(name, {
      name,
      process,
      invoked: this.#moment(),
      completed: null,
      outcome: "info",
      micro,
    });
  }

  /** After the answer arrived: what was done, with what was read. */
  ok(name: string, micro: readonly MicroOp[]): void {
    this.#complete(name, "ok").micro = micro;
  }

  /** Only when it is certain that it did not commit. */
  fail(name: string): void {
    this.#complete(name, "fail");
  }

  /** The client gave up. An operation that nobody completes is the same. */
  info(name: string): void {
    this.#complete(name, "info");
  }

  history(): History {
    return Array.from(this.#operations.values(), (open): Operation => ({ ...open }));
  }

  #complete(name: string, outcome: Outcome): Open {
    const open = this.#operations.get(name);
    if (!open) throw new Error(`${name} was not invoked`);
    if (open.completed) throw new Error(`${name} completes twice`);
    open.completed = this.#moment();
    open.outcome = outcome;
    return open;
  }

  #moment(): Moment {
    return { index: this.#events++, time: this.#now() };
  }
}
