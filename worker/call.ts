/** `/v1/services/{service}/{key}/{function}`: one invocation by POST, or a query by GET. */
import type { Kernels } from "../core-wasm/types.ts";
import { ANSWER_FLAG } from "../protocol/wire/answer.ts";
import { INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import { answerResponse } from "./answers.ts";
import { queryParameter } from "./address.ts";
import { jsonText, readBody, requireJson } from "./body.ts";
import { invoke, NO_FINGERPRINT, type Fingerprint } from "./dispatch.ts";
import type { Edge } from "./edge.ts";
import { clientRequestId, edgeRequestId, idempotencyKey } from "./idempotency.ts";
import { targetOf } from "./keys.ts";
import { LIMITS } from "./limits.ts";
import { ProblemError, refuse } from "./problems.ts";
import { problemOf } from "../sdk/problems.ts";

const encoder = new TextEncoder();

/** Runs one function as one transaction. */
export async function postCall({ app, backend, request, caller, startedAt }: Edge): Promise<Response> {
  const target = targetOf(app, request.url);
  requireJson(request);
  const clientKey = idempotencyKey(request);
  const body = await readBody(request, LIMITS.callBodyBytes);
  const kernels = backend.kernels();
  const input = jsonText(kernels, body);
  if (clientKey === null) {
    const requestId = edgeRequestId(startedAt, backend.uuid());
    const answer = await invoke(backend, startedAt, {
      requestId,
      flags: 0,
      fingerprint: NO_FINGERPRINT,
      target,
      input,
    });
    return answerResponse(request, answer, false);
  }
  const fingerprint = fingerprintOf(kernels, body);
  const path = [target.service, target.key, target.function];
  const requestId = clientRequestId(caller, "POST", path, clientKey);
  const answer = await invoke(backend, startedAt, {
    requestId,
    flags: INVOKE_FLAG.clientId,
    fingerprint,
    target,
    input,
  });
  return answerResponse(request, answer, (answer.flags & ANSWER_FLAG.replayed) !== 0);
}

/** Runs one query. */
export async function getCall({ app, backend, request, startedAt }: Edge): Promise<Response> {
  const target = targetOf(app, request.url);
  if (target.kind !== "query") {
    const detail = `"${target.function}" may write; call it by POST`;
    throw new ProblemError(problemOf("method-not-allowed", detail), { allow: "POST" });
  }
  const flags = INVOKE_FLAG.queryOnly | consistencyFlag(request.url);
  const input = inputParameter(backend.kernels(), request.url);
  const requestId = edgeRequestId(startedAt, backend.uuid());
  const answer = await invoke(backend, startedAt, { requestId, flags, fingerprint: NO_FINGERPRINT, target, input });
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
