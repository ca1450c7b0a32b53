/** A partition's answer as an HTTP response: its body goes through as it is. */
import { isSuccess } from "../protocol/wire/answer.ts";
import { JSON_TYPE, PROBLEM_JSON, answerHeaders } from "./headers.ts";
import { headersForStatus } from "./problems.ts";

export interface AnswerText {
  readonly status: number;
  /** JSON text: a result when `status` says success, else a problem document. */
  readonly body: string;
  readonly epoch: string;
}

/** @param replayed whether the answer was recorded by an earlier request with the same Idempotency-Key */
export function answerResponse(request: Request, { status, body, epoch }: AnswerText, replayed: boolean): Response {
  const headers = answerHeaders(request, isSuccess(status) ? JSON_TYPE : PROBLEM_JSON);
  if (epoch !== "") headers["tidegate-epoch"] = epoch;
  if (replayed) headers["idempotency-replayed"] = "true";
  if (!isSuccess(status)) Object.assign(headers, headersForStatus(status));
  return new Response(body, { status, headers });
}
