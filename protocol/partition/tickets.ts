/** Tickets: requests from outside that wait for answers. A ticket is answered when all its rows are, and never before what it shows is durable. */
import type { Kernels } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import { UTF8_PER_UNIT, utf8Length } from "../../sdk/utf8.ts";
import { type Answer, ANSWER_FLAG, encodeAnswers, isSuccess } from "../wire/answer.ts";
import { problemAnswer } from "./problems.ts";
import type { Waiter } from "./root.ts";

interface Ticket {
  remaining: number;
  readonly answers: Answer[];
  /** Bytes of the answers' bodies, at most. */
  bytes: number;
}

/** Bodies up to this are taken to have three bytes a character; to count them would cost more than it tells. */
const SMALL_BODY = 1_024;

export class Tickets {
  readonly #open = new Map<number, Ticket>();
  #done: number[] = [];
  #waiting = 0;

  open(ticket: number, rows: number): void {
    invariant(!this.#open.has(ticket), "8: a ticket number is used twice");
    this.#open.set(ticket, { remaining: rows, answers: [], bytes: 0 });
    this.#waiting += rows;
    if (rows === 0) this.#done.push(ticket);
  }

  answer(waiter: Waiter, status: number, flags: number, body: string): void {
    const ticket = this.#open.get(waiter.ticket);
    invariant(ticket !== undefined && ticket.remaining > 0, "4: an answer for a row that has one already");
    const bytes = bodyBytes(body);
    const answer =
      ticket.bytes + bytes <= LIMITS.maxAnswersBytes || body.length <= SMALL_BODY
        ? { line: waiter.line, status, flags, body, epoch: "" }
        : { line: waiter.line, ...NO_ROOM, epoch: "" };
    ticket.answers.push(answer);
    ticket.bytes += bodyBytes(answer.body);
    ticket.remaining -= 1;
    this.#waiting -= 1;
    if (ticket.remaining === 0) this.#done.push(waiter.ticket);
  }

  /** Whether an answer of this body finds room beside the others of every ticket that waits for it. */
  haveRoom(waiters: readonly Waiter[], body: string): boolean {
    if (body.length <= SMALL_BODY) return true;
    const bytes = bodyBytes(body);
    return waiters.every(({ ticket }) => (this.#open.get(ticket)?.bytes ?? 0) + bytes <= LIMITS.maxAnswersBytes);
  }

  /** Takes back a ticket whose frame is refused as a whole. */
  drop(ticket: number): void {
    this.#waiting -= this.#open.get(ticket)?.remaining ?? 0;
    this.#open.delete(ticket);
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
      const answers = ticket.answers.map((answer) => (isSuccess(answer.status) ? { ...answer, epoch } : answer));
      return { ticket: id, body: encodeAnswers(kernels, answers) };
    });
  }

  /** Rows without an answer. */
  get waiting(): number {
    return this.#waiting;
  }
}

/** Instead of an answer that is there and finds no room: what was done is done, and a repetition of it alone is answered. */
const NO_ROOM = {
  ...problemAnswer("overloaded", "the answers to this message are too large together; send fewer lines at once", {
    retryable: true,
  }),
  flags: ANSWER_FLAG.retryable,
};

function bodyBytes(body: string): number {
  return body.length <= SMALL_BODY ? body.length * UTF8_PER_UNIT : utf8Length(body);
}
