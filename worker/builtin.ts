/** Invocations of what comes with the engine, by routes of its own. */
import { INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import { decodeKey } from "../sdk/keys.ts";
import { answerResponse } from "./answers.ts";
import { post } from "./call.ts";
import { requireOwner } from "./door/rules.ts";
import { invoke, NO_FINGERPRINT } from "./dispatch.ts";
import type { Edge } from "./edge.ts";
import { edgeRequestId } from "./idempotency.ts";
import type { Target } from "./keys.ts";
import { LIMITS } from "./limits.ts";

/** @param segment of the path: the key, percent-encoded or by base64url */
export function builtinTarget(service: string, segment: string, name: string, kind: Target["kind"]): Target {
  return { service, key: decodeKey(segment), function: name, kind };
}

/**
 * A writing function.
 * @param inputOf makes its input of the body's JSON text, which is empty where there is none
 * @param route what tells one route of the function from another: each is a scope of Idempotency-Keys
 */
export function postBuiltin(
  edge: Edge,
  target: Target,
  inputOf: (text: string) => string,
  ...route: readonly string[]
): Promise<Response> {
  const path = [target.service, target.key, target.function, ...route];
  return post(edge, target, { path, flags: INVOKE_FLAG.internal, inputOf, limit: LIMITS.builtinBodyBytes });
}

export async function getBuiltin({ backend, request, caller, startedAt }: Edge, target: Target): Promise<Response> {
  requireOwner(caller);
  const flags = INVOKE_FLAG.queryOnly | INVOKE_FLAG.internal;
  const requestId = edgeRequestId(startedAt, backend.uuid());
  const fingerprint = NO_FINGERPRINT;
  const answer = await invoke(backend, startedAt, { requestId, flags, fingerprint, target, input: "" });
  return answerResponse(request, answer, false);
}
