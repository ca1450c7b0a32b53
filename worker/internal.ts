/** Queries of the engine's own services, which no client can name. */
import type { Answer } from "../protocol/wire/answer.ts";
import { INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import { queryParameter } from "./address.ts";
import { invoke, NO_FINGERPRINT } from "./dispatch.ts";
import type { Edge } from "./edge.ts";
import { edgeRequestId } from "./idempotency.ts";
import { refuse } from "./problems.ts";

/** Asks an internal query. Its key places it; the shares that it reads are where they are. */
export function askInternal(
  { backend, startedAt }: Pick<Edge, "backend" | "startedAt">,
  target: { readonly service: string; readonly key: string; readonly function: string },
  input: unknown,
  snapshot: boolean,
): Promise<Answer> {
  return invoke(backend, startedAt, {
    requestId: edgeRequestId(startedAt, backend.uuid()),
    flags: INVOKE_FLAG.internal | INVOKE_FLAG.queryOnly | (snapshot ? INVOKE_FLAG.snapshot : 0),
    fingerprint: NO_FINGERPRINT,
    target: { ...target, kind: "query" },
    input: JSON.stringify(input),
  });
}

/** Whether a read may be a second old, and waits for nobody. @throws ProblemError */
export function isSnapshot(url: string): boolean {
  const consistency = queryParameter(url, "consistency");
  if (consistency === undefined || consistency === "fresh") return false;
  if (consistency === "snapshot") return true;
  throw refuse("invalid-parameter", "?consistency= is fresh or snapshot");
}
