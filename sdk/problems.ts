/** The problem types of the HTTP contract (RFC 9457): each stable type with its status and title. */

interface ProblemKind {
  readonly status: number;
  readonly title: string;
}

/** Never rename a key: clients compare `type`. */
export const PROBLEMS = {
  "malformed-json": { status: 400, title: "The body is not JSON" },
  "body-incomplete": { status: 400, title: "The body broke off before its end" },
  "invalid-line": { status: 400, title: "A line of the batch is not an invocation" },
  "invalid-parameter": { status: 400, title: "A query parameter is not valid" },
  "invalid-key": { status: 400, title: "The key is not valid" },
  "key-too-large": { status: 400, title: "The key is longer than 512 bytes" },
  "invalid-idempotency-key": { status: 400, title: "The Idempotency-Key header is not valid" },
  "invalid-sequence": { status: 400, title: "The producer's sequence number is not valid" },
  unauthorized: { status: 401, title: "A valid bearer token is needed" },
  forbidden: { status: 403, title: "The caller may not do this" },
  "not-found": { status: 404, title: "There is nothing at this address" },
  "unknown-service": { status: 404, title: "There is no such service" },
  "unknown-function": { status: 404, title: "The service has no such function" },
  "unknown-stream": { status: 404, title: "There is no such stream" },
  "unknown-message": { status: 404, title: "There is no such message" },
  "unknown-promise": { status: 404, title: "There is no such promise" },
  "unknown-saga": { status: 404, title: "There is no such saga" },
  "unknown-view": { status: 404, title: "There is no such view" },
  "method-not-allowed": { status: 405, title: "The method is not allowed here" },
  "promise-exists": { status: 409, title: "There is a promise of this id already" },
  "promise-settled": { status: 409, title: "The promise is settled otherwise" },
  "saga-exists": { status: 409, title: "The saga runs under this id with another input" },
  "saga-ended": { status: 409, title: "The saga has ended" },
  "message-gone": { status: 409, title: "The message is not waiting any more" },
  "domain-not-empty": { status: 409, title: "The domain is not empty" },
  "sequence-gap": { status: 409, title: "A batch of the producer is missing before this one" },
  "admin-busy": { status: 409, title: "Another backup, export or restore is under way" },
  "no-room": { status: 409, title: "The partitions have no room for what is to move to them" },
  "flow-changed": { status: 409, title: "The flow was changed so that state would be lost" },
  "unknown-flow": { status: 404, title: "There is no such flow" },
  "result-erased": { status: 410, title: "The result was erased" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "batch-too-large": { status: 413, title: "The batch has too many lines" },
  "unsupported-media-type": { status: 415, title: "The content type is not supported" },
  "invalid-input": { status: 422, title: "The input does not fit the function's schema" },
  "invalid-event": { status: 422, title: "An event does not fit the stream's fields" },
  "invalid-backup": { status: 422, title: "The backup is damaged, cut short or of another domain" },
  "idempotency-conflict": { status: 422, title: "Another request was made under the same identity" },
  "rate-limited": { status: 429, title: "The caller is too fast; try again later" },
  "too-many-producers": { status: 429, title: "The stream has as many producers as it can remember" },
  "internal-error": { status: 500, title: "The function failed" },
  "damaged-data": { status: 500, title: "What is stored there is damaged" },
  "invalid-output": { status: 500, title: "The function's result does not fit its schema" },
  "call-cycle": { status: 500, title: "Calls of one transaction wait for each other" },
  "call-depth-exceeded": { status: 500, title: "Calls are nested too deeply" },
  "transaction-too-large": { status: 500, title: "The transaction exceeds a limit" },
  "side-effect-in-transaction": { status: 500, title: "A side effect was attempted inside a transaction" },
  "too-many-timers": { status: 500, title: "Timers of a flow set each other without end" },
  "transaction-aborted": { status: 500, title: "The transaction was aborted" },
  misconfigured: { status: 500, title: "The app is not configured correctly" },
  overloaded: { status: 503, title: "The service is overloaded; try again later" },
  "auth-unavailable": { status: 503, title: "Tokens cannot be checked; try again later" },
  "newer-state": { status: 503, title: "The state was written by newer code; try again when that is deployed" },
  "keys-moving": { status: 503, title: "Key groups are moving; try again when they have moved" },
  "backup-interrupted": { status: 503, title: "The backup was interrupted; try again" },
  "too-many-groups": { status: 503, title: "The flow holds too many open groups" },
  "deadline-exceeded": { status: 504, title: "The request was not done in time" },
} as const satisfies Readonly<Record<string, ProblemKind>>;

export type ProblemType = keyof typeof PROBLEMS;

/** The body of an error answer, `application/problem+json`. */
export interface Problem {
  /** `/problems/{type}`, or `/problems/{service}/{refusal}`. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  /** Set when the same request, with the same Idempotency-Key, may succeed later. */
  readonly retryable?: boolean;
  readonly [member: string]: unknown;
}

/** Status of every refusal. */
export const REFUSAL_STATUS = 409;

/** The problem for an engine error. `members` cannot override the standard ones. @throws TypeError for what user code has made up as a type */
export function problemOf(type: ProblemType, detail?: string, members?: Readonly<Record<string, unknown>>): Problem {
  // Not one that every object has, either: that has no status.
  if (!Object.hasOwn(PROBLEMS, type)) throw new TypeError(`there is no error of type "${type}"`);
  const { status, title } = PROBLEMS[type];
  return { ...members, type: `/problems/${type}`, title, status, ...(detail === undefined ? {} : { detail }) };
}

/** Whether a problem is a refusal: those have the service in their type, and errors of the engine one word. */
export function isRefusalType(type: string): boolean {
  return type.split("/").length > ERROR_PARTS;
}
const ERROR_PARTS = "/problems/error".split("/").length;

/** The problem for a declared refusal; `data` must already be what JSON shows (see `toJson`). */
export function refusalProblem(service: string, refusal: string, data: unknown): Problem {
  return {
    type: `/problems/${service}/${refusal}`,
    title: refusal.replaceAll("-", " "),
    status: REFUSAL_STATUS,
    data: data ?? null,
  };
}
