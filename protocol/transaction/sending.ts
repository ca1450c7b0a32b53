/** One-way messages of running functions: checked when they are sent, kept with the attempt, and gone with what is undone. */
import { TidegateError } from "../../sdk/errors.ts";
import { LIMITS } from "../limits.ts";
import { fitsUtf8 } from "../utf8.ts";
import type { Letter } from "../outbox/posting.ts";
import type { Activation, Attempt, Target } from "./attempt.ts";
import type { Failure } from "./failure.ts";
import { type Transactions } from "./transactions.ts";
import { aborted } from "./failure.ts";

/** What a function asks for one-way. */
export interface SendRequest {
  readonly service: string;
  readonly key: string;
  readonly name: string;
  /** State-codec text; empty for none. */
  readonly input: string;
}

/**
 * A running function sends a message, which leaves when its transaction commits. A message that is refused makes the transaction fail,
 * whatever the function catches, as a failed call does.
 * @throws TidegateError when the function or its transaction has ended, for what cannot be sent, and beyond a limit
 */
export function send(transactions: Transactions, from: Activation, request: SendRequest): void {
  const { service, key, name, input } = request;
  const letter = { ...request, sender: from.target.entity, coded: true };
  keepPosting(transactions, from, letter, () => assertSendable(transactions.resolve(service, key, name), input));
}

/** Keeps a message with the attempt. @param check throws a TidegateError for one that cannot be sent */
export function keepPosting(transactions: Transactions, from: Activation, letter: Letter, check: () => void): void {
  const { attempt, scope } = from;
  if (attempt.ended) throw aborted("the transaction has been aborted");
  if (from.state === "ended") throw aborted("the function that this context belongs to has ended");
  const failure = failureOfSending(transactions, attempt, letter, check);
  if (failure !== null) {
    scope.failure ??= failure;
    throw failure.error;
  }
  (attempt.postings ??= []).push({ ...letter, scope });
  attempt.prepared = null;
}

type EngineFailure = Extract<Failure, { kind: "engine" }>;

function failureOfSending(
  transactions: Transactions,
  attempt: Attempt,
  { input }: Letter,
  check: () => void,
): EngineFailure | null {
  try {
    check();
    assertSize(input);
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    return { kind: "engine", error };
  }
  if ((attempt.postings?.length ?? 0) >= LIMITS.maxSendsPerTransaction) {
    const detail = `a transaction sends at most ${LIMITS.maxSendsPerTransaction} messages`;
    return { kind: "engine", error: new TidegateError("transaction-too-large", detail) };
  }
  if (!transactions.owner.hasRoomForMessages) {
    const error = new TidegateError("overloaded", "too many messages of this partition are not delivered yet");
    return { kind: "engine", error, members: { retryable: true } };
  }
  return null;
}

/** @throws TidegateError `method-not-allowed` for a query, `transaction-too-large` for an input above the limit */
export function assertSendable({ contract, service, name }: Target, input: string): void {
  if (contract.kind === "query") {
    const detail = `${service.contract.name}.${name} only reads: a message to it would do nothing`;
    throw new TidegateError("method-not-allowed", detail);
  }
  assertSize(input);
}

function assertSize(input: string): void {
  if (!fitsUtf8(input, LIMITS.maxMessageBytes)) {
    const detail = `the input of a message has at most ${LIMITS.maxMessageBytes} bytes`;
    throw new TidegateError("transaction-too-large", detail);
  }
}
