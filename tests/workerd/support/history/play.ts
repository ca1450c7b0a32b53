/** Plays a history over HTTP: every transaction is one request, and its function waits at a gate before each step. */
import { noted, openGate, until } from "../../../app/src/gates.ts";
import type { RowOperation, Rows, RowsSeen } from "../../../app/src/row-operation.ts";
import { type Answer, ask, call, freshKeyNear } from "../app.ts";
import { INITIAL, type Outcome } from "./model.ts";
import { type History, type HistoryStep, transactionsOf } from "./notation.ts";

/** The key of odd rows and that of even ones. */
export type Keys = readonly [odd: string, even: string];

/** What a step that need not wait takes at most. */
const PROMPT_MS = 5_000;
/** How long a step that is to wait is watched, to see that it does: long enough on a busy machine for its calls to have reached what they wait for. */
const WATCH_MS = 50;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
let plays = 0;

/** The rows and what each committed transaction saw. @throws when a step does not do what stands beside it */
export async function play(history: History, keys: Keys): Promise<Outcome> {
  for (const [row, value] of INITIAL) await call(["table", keys[row % 2 === 1 ? 0 : 1]], "write", { row, value });
  const seen = await new Play(history, keys).run();
  const rows = await Promise.all(keys.map((key) => ask(["table", key], "select", { where: "all" })));
  return { seen, rows: rows.flatMap(({ body }) => body as Rows).sort(([a], [b]) => a - b) };
}

class Play {
  readonly #name = `play-${++plays}`;
  readonly #history: History;
  readonly #keys: Keys;
  readonly #operations: ReadonlyMap<string, readonly RowOperation[]>;
  readonly #answers = new Map<string, Promise<Answer>>();
  /** Answers that have arrived. */
  readonly #arrived = new Map<string, Answer>();
  /** Steps let on that wait, by the transaction that they wait for. */
  readonly #waiting = new Map<string, HistoryStep[]>();

  constructor(history: History, keys: Keys) {
    this.#history = history;
    this.#keys = keys;
    this.#operations = transactionsOf(history);
  }

  async run(): Promise<Map<string, readonly RowsSeen[]>> {
    try {
      for (const step of this.#history) await this.#step(step);
    } finally {
      // Whatever went wrong, no function is left waiting.
      for (const { transaction, number } of this.#history) openGate(this.#gate(transaction, number));
    }
    return this.#seen();
  }

  #gate(transaction: string, number: number): string {
    return `${this.#name}.${transaction}/${number}`;
  }

  async #step(step: HistoryStep): Promise<void> {
    const { transaction, number, operation, waitsFor, beginsAgain } = step;
    if (!this.#answers.has(transaction)) await this.#begin(transaction);
    const begunBefore = beginsAgain === undefined ? 0 : this.#begun(beginsAgain);
    const ends = operation.op === "commit" || operation.op === "abort";
    if (ends && waitsFor === undefined) await this.#seeWaiting(transaction);
    openGate(this.#gate(transaction, number));
    if (waitsFor !== undefined) {
      this.#waiting.set(waitsFor, [...(this.#waiting.get(waitsFor) ?? []), step]);
      // It is to have come to where it waits, with the locks that it gets on the way, before others go on.
      if (!ends) await sleep(WATCH_MS);
      return;
    }
    await this.#finish(step, ends);
    if (beginsAgain !== undefined) {
      await this.#progress(beginsAgain, () => this.#begun(beginsAgain) > begunBefore, `${beginsAgain} to begin again`);
    }
  }

  /**
   * Transactions begin at least a millisecond apart, so that the one above is the older. Their roots are by turns on the
   * partitions of both keys.
   */
  async #begin(transaction: string): Promise<void> {
    await sleep(2);
    const root = freshKeyNear(this.#keys[this.#answers.size % 2 === 0 ? 0 : 1], true);
    const input = {
      name: `${this.#name}.${transaction}`,
      keys: this.#keys,
      operations: this.#operations.get(transaction),
    };
    const answer = call(["table", root], "transaction", input);
    this.#answers.set(transaction, answer);
    void answer.then((arrived) => this.#arrived.set(transaction, arrived));
    await this.#progress(transaction, () => this.#begun(transaction) > 0, `${transaction} to begin`);
  }

  /** Waits for what a transaction is to do before it is answered. */
  async #progress(transaction: string, holds: () => boolean, what: string): Promise<void> {
    await until(() => holds() || this.#arrived.has(transaction), what, PROMPT_MS);
    if (holds()) return;
    const { status, body } = this.#arrived.get(transaction) ?? {};
    throw new Error(`instead of ${what}, ${transaction} was answered ${status} ${JSON.stringify(body)}`);
  }

  #begun(transaction: string): number {
    return noted(`${this.#name}.${transaction} begun`);
  }

  #isDone({ transaction, number }: HistoryStep): boolean {
    return noted(`${this.#gate(transaction, number)} done`) > 0;
  }

  /** A step that ends its transaction is done when its request is answered; then those go on that waited for it. */
  async #finish(step: HistoryStep, ends: boolean): Promise<void> {
    if (!ends) return this.#progress(step.transaction, () => this.#isDone(step), `"${step.text}"`);
    await this.#answers.get(step.transaction);
    const released = this.#waiting.get(step.transaction) ?? [];
    this.#waiting.delete(step.transaction);
    for (const one of released) await this.#finish(one, one.operation.op === "commit" || one.operation.op === "abort");
  }

  async #seeWaiting(transaction: string): Promise<void> {
    const waiting = this.#waiting.get(transaction) ?? [];
    if (waiting.length > 0) await sleep(WATCH_MS);
    const early = waiting.find((step) => this.#isDone(step));
    if (early) throw new Error(`"${early.text}" did not wait`);
  }

  /** Each request has one answer, however often its transaction had to begin again. */
  async #seen(): Promise<Map<string, readonly RowsSeen[]>> {
    const seen = new Map<string, readonly RowsSeen[]>();
    for (const [transaction, promise] of this.#answers) {
      const { status, body } = await promise;
      const aborts = this.#operations.get(transaction)?.at(-1)?.op === "abort";
      if (status !== (aborts ? 409 : 200))
        throw new Error(`${transaction} was answered ${status} ${JSON.stringify(body)}`);
      if (!aborts) seen.set(transaction, body as RowsSeen[]);
    }
    return seen;
  }
}
