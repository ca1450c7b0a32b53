/** Failures as the problem documents that leave the partition. */
import { problemOf, type ProblemType, PROBLEMS, REFUSAL_STATUS, refusalProblem } from "../../sdk/problems.ts";
import { toJson } from "../../sdk/json.ts";
import type { Failure } from "../transaction/failure.ts";

export interface ProblemAnswer {
  readonly status: number;
  readonly body: string;
}

export function problemAnswer(
  type: ProblemType,
  detail?: string,
  members?: Readonly<Record<string, unknown>>,
): ProblemAnswer {
  return { status: PROBLEMS[type].status, body: JSON.stringify(problemOf(type, detail, members)) };
}

/** Nothing of user code's own errors but what it declared leaves: neither messages nor stacks. */
export function failureAnswer(failure: Failure): ProblemAnswer {
  if (failure.kind === "refusal") {
    const { service, refusal, data } = failure.refusal;
    const shown: unknown = data === undefined ? null : JSON.parse(toJson(data));
    return { status: REFUSAL_STATUS, body: JSON.stringify(refusalProblem(service, refusal, shown)) };
  }
  if (failure.kind === "engine") return problemAnswer(failure.error.type, failure.error.message, failure.members);
  return problemAnswer(
    "internal-error",
    "The function threw an error that its contract does not declare; see the log.",
  );
}
