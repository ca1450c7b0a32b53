/** One-way messages of running functions: checked when they are sent, kept with the attempt, and gone with what is undone. */
import { comeAgain, TidegateError } from "../../sdk/errors.ts";
import { formatMessageId } from "../../sdk/message-id.ts";
import { dueTime, type When } from "../../sdk/when.ts";
import { InvariantError } from "../assert.ts";
import { INVOKE_FLAG } from "../wire/invoke.ts";
import { LIMITS } from "../limits.ts";
import { fitsUtf8 } from "../../sdk/utf8.ts";
import type { Posting } from "../outbox/posting.ts";
import { type Activation, type Attempt, isOver, type Target } from "./attempt.ts";
import { aborted, failureOf } from "./failure.ts";
import { type Transactions } from "./transactions.ts";
import { postedBytes } from "./written.ts";

/** What a function asks for one-way. */
export interface SendRequest {
  readonly service: string;
  readonly key: string;
  readonly name: string;
  /** State-codec text; empty for none. */
  readonly input: string;
  /** When it is to be delivered; null for at once. */
  readonly when: When | null;
  /** The engine sends it, and this code need not know its function. */
  readonly unknown?: boolean;
}

/**
 * A running function sends a message, which leaves when its transaction commits. A message that is refused makes the transaction fail,
 * whatever the function catches, as a failed call does. Returns the id of a delayed message, else an empty text.
 * @throws TidegateError when the function or its transaction has ended, for what cannot be sent, and beyond a limit
 */
export function send(transactions: Transactions, from: Activation, request: SendRequest): string {
  const { service, key, name, input, when } = request;
  const { attempt, target } = from;
  const letter = { service, key, name, input, sender: target.entity, coded: true };
  const { mail } = transactions.owner;
  const isFull = () => when === null && mail.isFull;
  const due = checkPosting(from, { isFull, what: "messages of this partition are not delivered yet" }, () => {
    if (request.unknown === true) assertSize(input);
    else assertSendable(transactions.resolve(service, key, name), input);
    return when === null ? null : dueTime(when, attempt.at);
  });
  if (due === null) {
    keepPosting(from, letter);
    return "";
  }
  const keptBy = target.key;
  const id = transactions.owner.mail.nextDelayedId(due);
  keepPosting(from, { ...letter, id, keptBy });
  return formatMessageId({ id, key: keptBy });
}

/** Whether what already waits leaves room, and what that is. */
export interface Room {
  readonly isFull: () => boolean;
  readonly what: string;
}

/**
 * What is refused makes the transaction fail.
 * @param check throws for what cannot be sent: a TidegateError, or what code of the user's throws that it calls, as a schema is, or a time that is an object
 * @returns what that returns
 */
export function checkPosting<T>(from: Activation, room: Room, check: () => T): T {
  const { attempt, scope } = from;
  if (attempt.ended) throw aborted("the transaction has been aborted");
  if (isOver(from)) throw aborted("the function that this context belongs to has ended");
  try {
    const checked = check();
    assertRoom(attempt, room);
    return checked;
  } catch (error) {
    if (error instanceof InvariantError) throw error;
    scope.failure ??= failureOf(error);
    if (error instanceof TidegateError) throw error;
    throw new TidegateError("internal-error", "what is sent, or when, cannot be looked at", { cause: error });
  }
}

/** Keeps a message with the attempt. */
export function keepPosting({ attempt, scope }: Activation, letter: Omit<Posting, "scope">): void {
  (attempt.postings ??= []).push({ ...letter, scope });
  if (attempt.root === null) attempt.posted += postedBytes(letter);
  attempt.prepared = null;
}

/** @throws TidegateError */
function assertRoom(attempt: Attempt, { isFull, what }: Room): void {
  if ((attempt.postings?.length ?? 0) >= LIMITS.maxSendsPerTransaction) {
    const detail = `a transaction sends at most ${LIMITS.maxSendsPerTransaction} messages`;
    throw new TidegateError("transaction-too-large", detail);
  }
  if (isFull()) throw comeAgain(`too many ${what}`);
}

/** @throws TidegateError `method-not-allowed` for a query, `transaction-too-large` for an input above the limit */
export function assertSendable(target: Target, input: string): void {
  assertWrites(target);
  assertSize(input);
}

/** Also of a message that is here: who has sent it may have other code. @throws TidegateError `method-not-allowed` for a query */
export function assertWrites({ contract, service, name }: Target): void {
  if (contract.kind !== "query") return;
  const detail = `${service.contract.name}.${name} only reads: a message to it would do nothing`;
  throw new TidegateError("method-not-allowed", detail);
}

export function assertSize(input: string): void {
  if (!fitsUtf8(input, LIMITS.maxMessageBytes)) {
    const detail = `the input of a message has at most ${LIMITS.maxMessageBytes} bytes`;
    throw new TidegateError("transaction-too-large", detail);
  }
}

/** The input of a request, and when what it asks for is to be delivered: 0 for at once. The edge has checked the line that says when. */
export function delayedInput(
  flags: number,
  field: string,
  now: number,
): { readonly input: string; readonly due: number } {
  if ((flags & INVOKE_FLAG.delayed) === 0) return { input: field, due: 0 };
  const end = field.indexOf("\n");
  const ms = Number(field.slice(1, end));
  const when: When = field.startsWith("+") ? { delay: ms } : { at: ms };
  return { input: field.slice(end + 1), due: dueTime(when, now) };
}
