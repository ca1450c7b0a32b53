/** Tickets: requests from outside that wait for answers. A ticket is answered when all its rows are, and never before a flush. */
import type { Kernels } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import { type Answer, encodeAnswers } from "../wire/answer.ts";
import type { Waiter } from "./root.ts";

interface Ticket {
  remaining: number;
  readonly answers: Answer[];
}

export class Tickets {
  readonly #open = new Map<number, Ticket>();
  #done: number[] = [];
  #waiting = 0;

  open(ticket: number, rows: number): void {
    invariant(!this.#open.has(ticket), "8: a ticket number is used twice");
    this.#open.set(ticket, { remaining: rows, answers: [] });
    this.#waiting += rows;
    if (rows === 0) this.#done.push(ticket);
  }

  answer(waiter: Waiter, status: number, flags: number, body: string): void {
    const ticket = this.#open.get(waiter.ticket);
    invariant(ticket !== undefined && ticket.remaining > 0, "4: an answer for a row that has one already");
    ticket.answers.push({ line: waiter.line, status, flags, body, epoch: "" });
    ticket.remaining -= 1;
    this.#waiting -= 1;
    if (ticket.remaining === 0) this.#done.push(waiter.ticket);
  }

  get hasDone(): boolean {
    return this.#done.length > 0;
  }

  /** Takes the complete tickets as answer frames; `epoch` is what their answers are based on. */
  takeDone(kernels: Kernels, epoch: string): Array<{ ticket: number; body: Uint8Array }> {
    const done = this.#done;
    this.#done = [];
    return done.map((id) => {
      const ticket = this.#open.get(id);
      invariant(ticket !== undefined && ticket.remaining === 0, "3: a ticket is answered before all its rows are");
      this.#open.delete(id);
      const answers = ticket.answers.map((answer) => (answer.status === 200 ? { ...answer, epoch } : answer));
      return { ticket: id, body: encodeAnswers(kernels, answers) };
    });
  }

  /** Rows without an answer. */
  get waiting(): number {
    return this.#waiting;
  }
}
