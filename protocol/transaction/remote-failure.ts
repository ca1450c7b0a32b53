/** Failures on their way between partitions. Of a user's own error only its name and message go: its stack stays in the log of the partition where it was thrown. */
import { TidegateError } from "../../sdk/errors.ts";
import { Refusal } from "../../sdk/refusal.ts";
import { messageOf, words } from "../../sdk/thrown.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";
import type { ProblemType } from "../../sdk/problems.ts";
import { LIMITS } from "../limits.ts";
import { fitsUtf8 } from "../../sdk/utf8.ts";
import type { AnswerOutcome } from "../wire/messages.ts";
import type { Outcome } from "./attempt.ts";
import { type Failure, failureOf, tooLarge } from "./failure.ts";

/** @param most bytes that a value may have */
export function encodeOutcome(outcome: Outcome, most: number = LIMITS.maxResultBytes): AnswerOutcome {
  if (outcome.ok) {
    const value = outcome.value === undefined ? null : (outcome.value as string);
    if (value === null || fitsUtf8(value, most)) return { ok: true, value };
    return encodeFailure({ kind: "engine", error: tooLarge(most) });
  }
  return encodeFailure(outcome.failure);
}

function encodeFailure(failure: Failure): AnswerOutcome {
  const { kind } = failure;
  const detail = kind === "thrown" ? thrownDetail(failure.error) : declaredDetailOf(failure);
  // What cannot be told is the function's mistake, like anything else that it throws.
  if (typeof detail !== "string") return encodeFailure(detail);
  // The data of a refusal is measured by itself, as it is where the call stays within a partition.
  if (kind === "refusal" || fitsUtf8(detail, LIMITS.maxResultBytes)) return { ok: false, failure: kind, detail };
  return {
    ok: false,
    failure: "engine",
    detail: declaredDetail({ kind: "engine", error: tooLarge(LIMITS.maxResultBytes) }),
  };
}

/** The user's code made what is in it, and may have changed it since it was looked at. */
function declaredDetailOf(failure: Exclude<Failure, { kind: "thrown" }>): string | Failure {
  try {
    return declaredDetail(failure);
  } catch (error) {
    return failureOf(error);
  }
}

function declaredDetail(failure: Exclude<Failure, { kind: "thrown" }>): string {
  if (failure.kind === "engine") {
    return JSON.stringify([failure.error.type, failure.error.message, failure.error.members ?? null]);
  }
  const { service, refusal, data } = failure.refusal;
  const text = data === undefined ? null : encodeValue(data);
  if (text !== null && !fitsUtf8(text, LIMITS.maxResultBytes)) throw tooLarge(LIMITS.maxResultBytes);
  return JSON.stringify([service, refusal, text]);
}

/** However long they are, it is what was thrown that is told, as within a partition. */
function thrownDetail(error: unknown): string {
  const name = words(() => (error instanceof Error ? error.name : "Error"));
  return JSON.stringify([name.slice(0, THROWN_LENGTH), messageOf(error).slice(0, THROWN_LENGTH)]);
}
const THROWN_LENGTH = 10_000;

export function decodeOutcome(outcome: AnswerOutcome): Outcome {
  if (outcome.ok) return { ok: true, value: outcome.value ?? undefined };
  return { ok: false, failure: decodeFailure(outcome.failure, JSON.parse(outcome.detail) as unknown[]) };
}

function decodeFailure(kind: Failure["kind"], detail: unknown[]): Failure {
  if (kind === "refusal") {
    const [service, refusal, data] = detail as [string, string, string | null];
    return { kind, refusal: new Refusal(service, refusal, data === null ? undefined : decodeValue(data)) };
  }
  if (kind === "engine") {
    const [type, message, members] = detail as [ProblemType, string, Record<string, unknown> | null];
    return { kind, error: new TidegateError(type, message, members === null ? {} : { members }) };
  }
  const [name, message] = detail as [string, string];
  const error = new Error(message);
  error.name = name;
  return { kind: "thrown", error, elsewhere: true };
}
