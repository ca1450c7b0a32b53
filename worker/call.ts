/** `/v1/services/{service}/{key}/{function}`: one invocation by POST, a message by POST of `…/send`, or a query by GET. */
import type { Kernels } from "../core-wasm/types.ts";
import { ANSWER_FLAG } from "../protocol/wire/answer.ts";
import { INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import { whenOf } from "./messages.ts";
import { answerResponse } from "./answers.ts";
import { queryParameter } from "./address.ts";
import { jsonText, readBody, requireJson } from "./body.ts";
import { requireCall } from "./door/rules.ts";
import { invoke, NO_FINGERPRINT, type Fingerprint } from "./dispatch.ts";
import type { Edge } from "./edge.ts";
import { clientRequestId, edgeRequestId, idempotencyKey } from "./idempotency.ts";
import { type Target, targetOf } from "./keys.ts";
import { limitOf, LIMITS } from "./limits.ts";
import { ProblemError, refuse } from "./problems.ts";
import { problemOf } from "../sdk/problems.ts";

const encoder = new TextEncoder();

/** Runs one function as one transaction. */
export function postCall(edge: Edge): Promise<Response> {
  return post(edge, targetOf(edge.app, edge.request.url), "", 0);
}

/** Keeps a message that asks for one function: answered once that is durable, its transaction comes later. */
export function postSend(edge: Edge): Promise<Response> {
  const { app, request } = edge;
  const target = targetOf(app, request.url, SEND);
  if (target.kind === "query") {
    const detail = `"${target.function}" only reads: a message to it would do nothing`;
    throw new ProblemError(problemOf("method-not-allowed", detail), { allow: "" });
  }
  const when = whenOf(request.url, edge.startedAt);
  return post(edge, target, SEND, when === "" ? INVOKE_FLAG.oneWay : INVOKE_FLAG.oneWay | INVOKE_FLAG.delayed, when);
}

/** The segment behind a function that makes a message of its call. */
const SEND = "send";

/**
 * @param behind what the path has behind the function: part of the scope of Idempotency-Keys
 * @param when line that says when a message is to be delivered; empty for at once
 */
async function post(edge: Edge, target: Target, behind: string, how: number, when = ""): Promise<Response> {
  const { app, backend, request, caller, startedAt, traceparent } = edge;
  requireCall(app, caller, target.service, target.key, target.function);
  requireJson(request);
  const clientKey = idempotencyKey(request);
  const body = await readBody(request, limitOf(app, "callBytes"));
  const kernels = backend.kernels();
  const input = when + jsonText(kernels, body);
  if (clientKey === null) {
    const requestId = edgeRequestId(startedAt, backend.uuid());
    const fingerprint = NO_FINGERPRINT;
    const answer = await invoke(backend, startedAt, { requestId, flags: how, fingerprint, target, input, traceparent });
    return answerResponse(request, answer, false);
  }
  const fingerprint = fingerprintOf(kernels, when === "" ? body : encoder.encode(input));
  const path = [target.service, target.key, target.function, ...(behind === "" ? [] : [behind])];
  const requestId = clientRequestId(caller.id, "POST", path, clientKey);
  const flags = how | INVOKE_FLAG.clientId;
  const answer = await invoke(backend, startedAt, { requestId, flags, fingerprint, target, input, traceparent });
  return answerResponse(request, answer, (answer.flags & ANSWER_FLAG.replayed) !== 0);
}

/** Runs one query. */
export async function getCall({ app, backend, request, caller, startedAt, traceparent }: Edge): Promise<Response> {
  const target = targetOf(app, request.url);
  if (target.kind !== "query") {
    const detail = `"${target.function}" may write; call it by POST`;
    throw new ProblemError(problemOf("method-not-allowed", detail), { allow: "POST" });
  }
  requireCall(app, caller, target.service, target.key, target.function);
  const flags = INVOKE_FLAG.queryOnly | consistencyFlag(request.url);
  const input = inputParameter(backend.kernels(), request.url);
  const requestId = edgeRequestId(startedAt, backend.uuid());
  const answer = await invoke(backend, startedAt, {
    requestId,
    flags,
    fingerprint: NO_FINGERPRINT,
    target,
    input,
    traceparent,
  });
  return answerResponse(request, answer, false);
}

function inputParameter(kernels: Kernels, url: string): string {
  const text = queryParameter(url, "input");
  if (text === undefined || text === "") return "";
  const bytes = encoder.encode(text);
  if (bytes.length > LIMITS.queryInputBytes) {
    throw refuse("body-too-large", `?input= has at most ${LIMITS.queryInputBytes} bytes; send a larger one by POST`, {
      limit: LIMITS.queryInputBytes,
    });
  }
  return jsonText(kernels, bytes);
}

function consistencyFlag(url: string): number {
  const consistency = queryParameter(url, "consistency");
  if (consistency === undefined || consistency === "fresh") return 0;
  if (consistency === "snapshot") return INVOKE_FLAG.snapshot;
  throw refuse("invalid-parameter", "?consistency= is fresh or snapshot");
}

/** Tells two bodies under one Idempotency-Key apart. */
function fingerprintOf(kernels: Kernels, body: Uint8Array): Fingerprint {
  const digits = kernels.checksum(body);
  return [Number.parseInt(digits.slice(8), 16), Number.parseInt(digits.slice(0, 8), 16)];
}
