/** What a client throws: a declared refusal, another problem, or no answer at all. */

import type { Contract } from "../contract.ts";
import type { Problem } from "../problems.ts";
import type { Issue } from "../schema.ts";
import type { RefusalData } from "./types.ts";

/** An error answer (RFC 9457). `type` is the stable word at its end, such as `invalid-input`; the message says what does not fit, and where. */
export class ProblemError extends Error {
  override readonly name: string = "ProblemError";
  readonly type: string;
  readonly status: number;
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(messageOf(problem));
    this.type = problem.type.replace(/^.*\/problems\//, "");
    this.status = problem.status;
    this.problem = problem;
  }
}

/** With the issues of an `invalid-input`: what is logged or shown of an error is mostly its message alone. */
function messageOf({ detail, title, issues }: Problem): string {
  const message = detail ?? title;
  if (!Array.isArray(issues)) return message;
  const told = (issues as Issue[]).map(({ path, message: what }) => `${path || "/"}: ${what}`).join("; ");
  return message.includes(told) ? message : `${message}: ${told}`;
}

/** A function's declared refusal. */
export class RefusalError extends ProblemError {
  override readonly name = "RefusalError";
  readonly service: string;
  readonly refusal: string;
  readonly data: unknown;
  constructor(problem: Problem, service: string, refusal: string) {
    super(problem);
    this.service = service;
    this.refusal = refusal;
    this.data = problem["data"] ?? null;
  }

  /** Whether this is that refusal of that function's contract; narrows `data`: `error.is(Account, "transfer", "insufficient-funds")`. */
  is<C extends Contract, F extends keyof C["functions"], N extends keyof C["functions"][F]["refusals"] & string>(
    contract: C,
    _function: F,
    refusal: N,
  ): this is RefusalError & { readonly refusal: N; readonly data: RefusalData<C["functions"][F], N> } {
    return this.service === contract.name && this.refusal === refusal;
  }
}

/**
 * The outcome is unknown: an attempt left it open, mostly without an answer, and none behind it said how it ended. Repeating the request with this `idempotencyKey` is safe: it is
 * executed once in all. `cause` is what the last attempt failed with.
 */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
  readonly attempts: number;
  /** Absent for reads. */
  readonly idempotencyKey: string | undefined;
  constructor(attempts: number, idempotencyKey: string | undefined, cause: unknown) {
    const what = cause instanceof ProblemError ? "outcome unknown, refused" : "no answer";
    super(`${what} in ${attempts} attempts: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.attempts = attempts;
    this.idempotencyKey = idempotencyKey;
  }
}

/** The request may have been executed, and nobody said how it ended. */
export function leavesOpen(error: Error): boolean {
  if (!(error instanceof ProblemError) || error.status === 502) return true;
  // In the words of something on the way, which may have passed the request on.
  if (error.type === "about:blank") return error.status > 500;
  return error.status === 504 && error.problem.retryable === true;
}

/** What says that an attempt came to nothing before it was looked at, and so nothing of what an earlier one did. */
export function isBeforehand(error: Error): boolean {
  return error instanceof ProblemError && (BEFOREHAND.includes(error.status) || error.type === "body-incomplete");
}
const BEFOREHAND = [401, 403, 429, 503];

/** The error for an answer that is not a success; any body will do. */
export function problemError(status: number, text: string): ProblemError {
  const problem = { ...parseProblem(text), status };
  const [, service, refusal] = /\/problems\/([^/]+)\/([^/]+)$/.exec(problem.type) ?? [];
  return service === undefined || refusal === undefined
    ? new ProblemError(problem)
    : new RefusalError(problem, service, refusal);
}

function parseProblem(text: string): Pick<Problem, "type" | "title"> & Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text) as Problem | null;
    if (typeof value?.type === "string") return { ...value, title: String(value.title ?? value.type) };
  } catch {
    // Something on the way answered in its own words; the status is all there is.
  }
  return { type: "about:blank", title: "The answer was not a problem document" };
}
