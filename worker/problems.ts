/** Errors as answers: RFC 9457 problem documents, never a stack. */
import { problemOf, type Problem, type ProblemType } from "../sdk/problems.ts";
import { TidegateError } from "../sdk/errors.ts";
import { ConfigurationError } from "./backend.ts";
import { logEntry } from "../protocol/observe/log-entry.ts";
import { LIMITS } from "./limits.ts";
import { answerHeaders, PROBLEM_JSON } from "./headers.ts";

/** Thrown anywhere in the edge to end a request with this problem. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
  constructor(problem: Problem, headers: Readonly<Record<string, string>> = {}) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
    this.headers = headers;
  }
}

/** Shorthand for `new ProblemError(problemOf(…))`. */
export function refuse(type: ProblemType, detail: string, members?: Readonly<Record<string, unknown>>): ProblemError {
  return new ProblemError(problemOf(type, detail, members));
}

/** The problem that an error is to its caller. What is not meant for callers is logged here and becomes `internal-error`. */
export function problemFor(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof TidegateError || error instanceof ConfigurationError) return refuse(error.type, error.message);
  console.error(logEntry("tidegate: unexpected error at the edge", { error }));
  return new ProblemError(problemOf("internal-error", "the edge failed; the log of the Worker has the cause"));
}

/** The response for an error thrown while `request` was handled. */
export function problemResponse(request: Request, error: unknown): Response {
  const { problem, headers } = problemFor(error);
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...answerHeaders(request, PROBLEM_JSON), ...headersForStatus(problem.status), ...headers },
  });
}

/** What a status owes its caller by HTTP, whoever made the problem. */
export function headersForStatus(status: number): Readonly<Record<string, string>> {
  return status === 503 ? RETRY_LATER : NONE;
}

const RETRY_LATER = { "retry-after": String(LIMITS.retryAfterSeconds) };
const NONE = {};
