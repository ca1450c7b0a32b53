/** Messages over HTTP: when a delayed one is to be delivered, and `DELETE /v1/messages/{id}`, which cancels it. */
import { CANCEL } from "../protocol/timers/service.ts";
import { TIMERS } from "../protocol/timers/timer.ts";
import { ANSWER_FLAG } from "../protocol/wire/answer.ts";
import { INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import { type Duration, milliseconds } from "../sdk/duration.ts";
import { DURATION_MAX_MS } from "../sdk/limits.ts";
import { parseMessageId } from "../sdk/message-id.ts";
import { lastSegments, queryParameter } from "./address.ts";
import { answerResponse } from "./answers.ts";
import { requireOwner } from "./door/rules.ts";
import { invoke, NO_FINGERPRINT } from "./dispatch.ts";
import type { Edge } from "./edge.ts";
import { clientRequestId, edgeRequestId, idempotencyKey } from "./idempotency.ts";
import { refuse } from "./problems.ts";

/**
 * The line in front of a delayed message's input, from `?delay=30s` or `?at=2027-01-01T00:00:00Z`; empty without either.
 * @throws ProblemError `invalid-parameter`
 */
export function whenOf(url: string, now: number): string {
  const delay = queryParameter(url, "delay");
  const at = queryParameter(url, "at");
  if (delay !== undefined && at !== undefined) throw refuse("invalid-parameter", "?delay= and ?at= exclude each other");
  if (delay !== undefined) return `+${delayOf(delay)}\n`;
  return at === undefined ? "" : `=${timeOf(at, now)}\n`;
}

function delayOf(text: string): number {
  try {
    return milliseconds((/^\d+$/.test(text) ? Number(text) : text) as Duration, "?delay=");
  } catch (error) {
    throw refuse("invalid-parameter", (error as Error).message);
  }
}

/** Milliseconds since 1970, or a date of ISO 8601 with its offset to UTC: without one it would depend on where it is read. */
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

function timeOf(text: string, now: number): number {
  const time = /^\d+$/.test(text) ? Number(text) : ISO.test(text) && isDay(text) ? Date.parse(text) : Number.NaN;
  if (Number.isSafeInteger(time) && time <= now + DURATION_MAX_MS) return time;
  const detail = "?at= is milliseconds since 1970 or a time such as 2027-01-01T00:00:00Z, and at most 366 days ahead";
  throw refuse("invalid-parameter", detail);
}

/** A day that there is: of the 31st of February the next month's 3rd would be made. */
function isDay(text: string): boolean {
  const day = text.slice(0, "2027-01-01".length);
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

/** Cancels a delayed message: 200 when it was waiting still, and then it is never delivered; else 409. */
export async function deleteMessage({ backend, request, caller, startedAt }: Edge): Promise<Response> {
  requireOwner(caller);
  const [id = ""] = lastSegments(request.url, 1);
  const delayed = parseMessageId(id);
  if (delayed === null) throw refuse("message-gone", "a message that was sent without a delay cannot be cancelled");
  const clientKey = idempotencyKey(request);
  const requestId =
    clientKey === null
      ? edgeRequestId(startedAt, backend.uuid())
      : clientRequestId(caller.id, "DELETE", ["messages", id], clientKey);
  const flags = INVOKE_FLAG.internal | (clientKey === null ? 0 : INVOKE_FLAG.clientId);
  const target = { service: TIMERS, key: delayed.key, function: CANCEL, kind: "fn" } as const;
  const input = delayed.id;
  const answer = await invoke(backend, startedAt, { requestId, flags, fingerprint: NO_FINGERPRINT, target, input });
  if (answer.status === 200 && answer.body !== "true") {
    throw refuse("message-gone", "it is delivered or on its way, was cancelled before, or never was");
  }
  const body = answer.status === 200 ? '{"cancelled":true}' : answer.body;
  const replayed = clientKey !== null && (answer.flags & ANSWER_FLAG.replayed) !== 0;
  return answerResponse(request, { ...answer, body }, replayed);
}
