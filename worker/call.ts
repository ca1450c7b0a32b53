/** `/v1/services/{service}/{key}/{function}`: one invocation by POST, a message by POST of `…/send`, or a query by GET. */
import type { Kernels } from "../core-wasm/types.ts";
import { ANSWER_FLAG } from "../protocol/wire/answer.ts";
import { INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import { whenOf } from "./messages.ts";
import { answerResponse } from "./answers.ts";
import { queryParameter } from "./address.ts";
import { jsonText, readBody, requireJson } from "./body.ts";
import { requireCall } from "./door/rules.ts";
import { fingerprinted, invoke, NO_FINGERPRINT, type Fingerprint } from "./dispatch.ts";
import { arrived, type Edge } from "./edge.ts";
import { epochAskedFor } from "./epochs.ts";
import { clientRequestId, edgeRequestId, idempotencyKey } from "./idempotency.ts";
import { type Target, targetOf } from "./keys.ts";
import { limitOf, LIMITS } from "./limits.ts";
import { ProblemError, refuse } from "./problems.ts";
import { problemOf } from "../sdk/problems.ts";

const encoder = new TextEncoder();

/** Runs one function as one transaction. */
export function postCall(edge: Edge): Promise<Response> {
  const target = targetOf(edge.app, edge.request.url);
  return post(edge, target, { path: [target.service, target.key, target.function], flags: 0 });
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
  const path = [target.service, target.key, target.function, SEND];
  if (when === "") return post(edge, target, { path, flags: INVOKE_FLAG.oneWay });
  const flags = INVOKE_FLAG.oneWay | INVOKE_FLAG.delayed;
  return post(edge, target, { path, flags, inputOf: (text) => when + text });
}

/** The segment behind a function that makes a message of its call. */
const SEND = "send";

/** How a POST becomes an invocation. */
export interface PostHow {
  /** What names it beside its caller and method: the scope of Idempotency-Keys. */
  readonly path: readonly string[];
  /** Bits of INVOKE_FLAG. */
  readonly flags: number;
  /** Makes the input of the body's JSON text, which is empty where there is none. */
  readonly inputOf?: (text: string) => string;
  /** Bytes of the body. */
  readonly limit?: number;
}

/** Runs one invocation that came by POST, or DELETE. */
export async function post(edge: Edge, target: Target, how: PostHow): Promise<Response> {
  const { app, backend, request, caller, traceparent } = edge;
  requireCall(app, caller, target.service, target.key, target.function);
  requireJson(request);
  const clientKey = idempotencyKey(request);
  const body = await readBody(request, how.limit ?? limitOf(app, "callBytes"));
  const { startedAt } = arrived(edge);
  const kernels = backend.kernels();
  const text = jsonText(kernels, body);
  const input = how.inputOf ? how.inputOf(text) : text;
  if (clientKey === null) {
    const requestId = edgeRequestId(startedAt, backend.uuid());
    const fingerprint = NO_FINGERPRINT;
    const answer = await invoke(backend, startedAt, {
      requestId,
      flags: how.flags,
      fingerprint,
      target,
      input,
      traceparent,
    });
    return answerResponse(request, answer, false);
  }
  const fingerprint = fingerprintOf(kernels, how.inputOf ? encoder.encode(input) : body);
  const requestId = clientRequestId(caller.id, request.method, how.path, clientKey);
  const flags = how.flags | INVOKE_FLAG.clientId;
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
  const snapshot = consistencyFlag(request.url);
  const epoch = snapshot === 0 ? undefined : epochAskedFor(request);
  const flags = INVOKE_FLAG.queryOnly | snapshot | (epoch === undefined ? 0 : INVOKE_FLAG.notBefore);
  const fingerprint = epoch ?? NO_FINGERPRINT;
  const input = inputParameter(backend.kernels(), request.url);
  const requestId = edgeRequestId(startedAt, backend.uuid());
  const answer = await invoke(backend, startedAt, { requestId, flags, fingerprint, target, input, traceparent });
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
  return fingerprinted([Number.parseInt(digits.slice(8), 16), Number.parseInt(digits.slice(0, 8), 16)]);
}
