/** Failures as the problem documents that leave the partition. */
import { problemOf, type ProblemType, REFUSAL_STATUS, refusalProblem } from "../../sdk/problems.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { toJson } from "../../sdk/json.ts";
import { LIMITS } from "../limits.ts";
import { errorText } from "../outbox/ending.ts";
import type { Failure } from "../transaction/failure.ts";
import { fitsUtf8 } from "../../sdk/utf8.ts";
import type { Effect } from "./effects.ts";
import type { Root } from "./root.ts";

export interface ProblemAnswer {
  readonly status: number;
  readonly body: string;
}

export function problemAnswer(
  type: ProblemType,
  detail?: string,
  members?: Readonly<Record<string, unknown>>,
): ProblemAnswer {
  const problem = problemOf(type, detail, members);
  return { status: problem.status, body: JSON.stringify(problem) };
}

/** What a failure's answer is, and the failure itself unless it cannot be shown: then another one stands for it. */
export function shownFailure(failure: Failure): { readonly failure: Failure; readonly answer: ProblemAnswer } {
  let shown = failure;
  try {
    const answer = failureAnswer(failure);
    if (fitsUtf8(answer.body, LIMITS.maxResultBytes)) return { failure, answer };
    const error = new TidegateError(
      "transaction-too-large",
      `an answer has at most ${LIMITS.maxResultBytes} bytes, and that of this failure has more`,
    );
    shown = { kind: "engine", error };
  } catch (error) {
    // Data without a JSON form, an error of no known type: the function's mistake, like anything else that it throws.
    shown = { kind: "thrown", error };
  }
  return { failure: shown, answer: failureAnswer(shown) };
}

/** Nothing of user code's own errors but what it declared leaves: neither messages nor stacks. */
export function failureAnswer(failure: Failure): ProblemAnswer {
  if (failure.kind === "refusal") {
    const { service, refusal, data } = failure.refusal;
    const shown: unknown = data === undefined ? null : JSON.parse(toJson(data));
    return { status: REFUSAL_STATUS, body: JSON.stringify(refusalProblem(service, refusal, shown)) };
  }
  if (failure.kind === "engine") return problemAnswer(failure.error.type, failure.error.message, failure.error.members);
  return problemAnswer(
    "internal-error",
    "The function threw an error that its contract does not declare; see the log.",
  );
}

/** As `shownFailure`, for a root's answer. What user code threw is for the log, since nobody is shown it. */
export function shownAnswer(
  root: Root,
  log: { emit(effect: Effect): void },
  cause: Failure,
): ReturnType<typeof shownFailure> {
  const shown = shownFailure(cause);
  const { kind } = shown.failure;
  if (root.poster !== null && shown.failure.kind !== "refusal") root.error = errorText(shown.failure.error);
  // Of what a message comes to nobody is told, so the log is.
  if (kind === "thrown" || (kind === "engine" && root.poster !== null)) {
    const { service, name, key } = root.target;
    const message = `${service.contract.name}.${name} on ${JSON.stringify(key)} failed`;
    const of = { transaction: root.requestId, service: service.contract.name, function: name, key };
    log.emit({ kind: "report", level: "error", message, members: { ...of, error: shown.failure.error } });
  }
  return shown;
}
