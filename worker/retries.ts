/** When a message to a partition is sent again: after lost connections and damaged answers, with the same request id, within limits. */
import type { Answer } from "../protocol/wire/answer.ts";
import { isUnstarted } from "../protocol/unstarted.ts";
import { TidegateError } from "../sdk/errors.ts";
import type { Problem } from "../sdk/problems.ts";
import { ConfigurationError, type Backend } from "./backend.ts";
import { LIMITS } from "./limits.ts";
import { ProblemError, problemFor, refuse } from "./problems.ts";

/** Thrown inside an attempt for an answer that says that this attempt did nothing and the same message may be sent again. */
export class ResendError extends Error {
  override readonly name = "ResendError";
  readonly reason: "stale-map" | "retryable";
  readonly answer: Answer;
  constructor(reason: ResendError["reason"], answer: Answer) {
    super(`a partition asks to send again: ${reason}`);
    this.reason = reason;
    this.answer = answer;
  }
}

/** What is known of a message that may do something, over all attempts to send it and all partitions it was sent to. */
export interface Doubt {
  /** The present attempt has left for a partition. */
  sent: boolean;
  /** An attempt may have been executed although no answer to it arrived. */
  mayHaveRun: boolean;
}

/** Of a message that has not been sent yet. */
export function noDoubt(): Doubt {
  return { sent: false, mayHaveRun: false };
}

/**
 * Runs `attempt` until it returns, or it is settled that it will not, at the latest at `deadline`. Each attempt must ask for its port anew and send the same request id.
 * @param doubt of what is sent, unless it only reads: `attempt` sets `sent`; it goes on with the message where that is sent in several rounds
 * @throws ProblemError, which does not say that nothing was done where that is not sure
 */
export async function withRetries<T>(
  backend: Backend,
  deadline: number,
  attempt: () => Promise<T>,
  doubt?: Doubt,
): Promise<T> {
  // Made on the first failure only: the common case pays nothing for it.
  let retries: Retries | undefined;
  for (;;) {
    if (doubt !== undefined) doubt.sent = false;
    try {
      return await inTime(attempt(), deadline - backend.now());
    } catch (error) {
      retries ??= new Retries(backend, deadline, doubt);
      await retries.after(error);
    }
  }
}

/** Thrown when an attempt takes longer than its request has. */
class LateError extends Error {
  override readonly name = "LateError";
}

/** Written out rather than with `Promise.race`, which costs a request several microseconds. */
function inTime<T>(result: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new LateError("no answer in time")), milliseconds);
    result.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error as Error);
      },
    );
  });
}

type Failure = "late" | "overloaded" | "unstarted" | "interrupted" | "corrupt" | "defect";

/** The attempts of one message. */
class Retries {
  readonly #backend: Backend;
  readonly #deadline: number;
  readonly #doubt: Doubt | undefined;
  #made = 1;

  constructor(backend: Backend, deadline: number, doubt: Doubt | undefined) {
    this.#backend = backend;
    this.#deadline = deadline;
    this.#doubt = doubt;
  }

  /** Returns when it is time for the next attempt. @throws ProblemError when there is none. */
  async after(error: unknown): Promise<void> {
    if (error instanceof ProblemError || error instanceof TidegateError || error instanceof ConfigurationError) {
      throw problemFor(error);
    }
    if (error instanceof ResendError) return this.#afterAnswer(error);
    const failure = failureOf(error);
    const isUndone = failure === "overloaded" || failure === "unstarted";
    // An attempt that is late is given up and not ended: it may leave yet.
    if (!isUndone && this.#doubt && (this.#doubt.sent || failure === "late")) this.#doubt.mayHaveRun = true;
    if (failure === "defect") throw problemFor(error);
    if (failure === "overloaded") throw undone(this.#doubt, overloaded());
    if (failure !== "late" && (await this.#pause())) return;
    if (failure === "corrupt") throw problemFor(error);
    throw undone(this.#doubt, failure === "unstarted" ? doesNotStart() : unanswered());
  }

  async #afterAnswer({ reason, answer }: ResendError): Promise<void> {
    if (reason === "stale-map") {
      this.#backend.refreshMap();
      // Groups move rarely: the first new map is nearly always the right one, and waiting would only show.
      if (this.#made === 1) return void this.#made++;
    }
    if (await this.#pause()) return;
    throw undone(
      this.#doubt,
      reason === "stale-map" ? mapInMotion() : new ProblemError(JSON.parse(answer.body) as Problem),
    );
  }

  /** False when attempts or time are used up. */
  async #pause(): Promise<boolean> {
    const milliseconds = backoff(this.#made);
    if (++this.#made > LIMITS.attempts || this.#backend.now() + milliseconds > this.#deadline) return false;
    await sleep(milliseconds);
    return true;
  }
}

/** Milliseconds to wait after the nth failure; half fixed, half random, so that those who failed together do not come back together. */
export function backoff(failures: number): number {
  const full = Math.min(LIMITS.retryBaseMs * 2 ** (failures - 1), LIMITS.retryMaxMs);
  return full / 2 + Math.random() * (full / 2);
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** What ends a message after an attempt that did nothing: `problem`, which may say so, unless an earlier attempt leaves that open. */
export function undone(doubt: Doubt | undefined, problem: ProblemError): ProblemError {
  return doubt?.mayHaveRun === true ? unknownOutcome() : problem;
}

/** The key group is where neither the edge nor the partitions it asked expect it; nothing was done. */
export function mapInMotion(): ProblemError {
  return refuse("overloaded", "the key is moving to another partition; nothing was done", { retryable: true });
}

/** What the platform says of a failed call (Durable Objects, "Error handling"); errors without a word of it are the application's own. */
function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return "defect";
  if (error instanceof LateError) return "late";
  if (isUnstarted(error)) return "unstarted";
  const isReset = Reflect.get(error, "durableObjectReset") === true;
  // An object that is reset for its memory or its storage is called overloaded, too; a request that it had may have run.
  if (Reflect.get(error, "overloaded") === true && !isReset) return "overloaded";
  if (isReset || Reflect.get(error, "retryable") === true) return "interrupted";
  // CorruptError, ours or of a partition that was sent damaged bytes: an error's class does not survive the call, its message does.
  if (error.message.includes("corrupt bytes (")) return "corrupt";
  return LOST.test(error.message) ? "interrupted" : "defect";
}
const LOST =
  /network connection lost|connection (?:was )?(?:lost|closed|reset)|durable object (?:was )?reset|object to be reset/i;

function overloaded(): ProblemError {
  return refuse("overloaded", "the partition takes no more requests for now; nothing was done", { retryable: true });
}

function doesNotStart(): ProblemError {
  const detail =
    "the partition of the key, or the coordinator, does not start; nothing was done, and the log of the Worker has the cause";
  return refuse("overloaded", detail, { retryable: true });
}

/** Nobody was found to send it to, or it only reads. */
function unanswered(): ProblemError {
  return refuse("deadline-exceeded", "no answer arrived in time; nothing was done", { retryable: true });
}

/** What ends a message of which an attempt may have run. */
export function unknownOutcome(): ProblemError {
  return refuse(
    "deadline-exceeded",
    "no answer arrived, and the request may have been executed; sending it again is safe with the same Idempotency-Key only",
    { retryable: true },
  );
}
