/** `POST /admin/erase` with `{"service":…,"key":…}`: removes a key with everything that names it or was made of it. */
import type { AdminAsk, EraseAnswer } from "../../protocol/backup/asks.ts";
import { INVOKE_FLAG } from "../../protocol/wire/invoke.ts";
import { checkKey } from "../../sdk/keys.ts";
import type { Problem } from "../../sdk/problems.ts";
import { jsonText, readBody, requireJson } from "../body.ts";
import { invoke, NO_FINGERPRINT } from "../dispatch.ts";
import { arrived } from "../edge.ts";
import { edgeRequestId } from "../idempotency.ts";
import { LIMITS } from "../limits.ts";
import { ProblemError, refuse } from "../problems.ts";
import { sleep } from "../retries.ts";
import { Domain } from "./domain.ts";
import type { AdminEdge } from "./edge.ts";
import { jsonResponse } from "./responses.ts";

/** Safe to send again, however far it came. */
export async function postErase(edge: AdminEdge): Promise<Response> {
  const { app, backend, admin, request } = edge;
  const target = await targetIn(edge);
  const before = await backend.rescaleStatus();
  if (before.phase !== "still") throw refuse("keys-moving", MOVED, { retryable: true });
  // Partitions that keep nothing any more may have traces of what they kept.
  const domain = new Domain(admin, { ...before, partitions: Math.max(before.known, before.partitions) });
  // A message that was sent before would otherwise write behind the clear what it had to say.
  await untilDone(domain, { op: "erase-messages", ...target });
  await clearState(arrived(edge), target);
  await untilDone(domain, { op: "erase", ...target });
  const after = await backend.rescaleStatus();
  // What moved meanwhile may have come to a partition that was done.
  if (after.phase !== "still" || after.version !== before.version)
    throw refuse("keys-moving", MOVED, { retryable: true });
  let scrubbed = true;
  // One after the other: each starts over behind it, and the others go on meanwhile.
  for (const partition of domain.partitions) scrubbed = (await domain.scrub(partition)) && scrubbed;
  const known = app.services.has(target.service) || app.builtins.has(target.service);
  return jsonResponse(request, { ...target, erased: true, scrubbed, ...(known ? {} : { unknownService: true }) });
}

const MOVED = "key groups move, or have moved while the key was erased; send it again";

interface ErasedKey {
  readonly service: string;
  readonly key: string;
}

async function targetIn({ backend, request }: AdminEdge): Promise<ErasedKey> {
  requireJson(request);
  const text = jsonText(backend.kernels(), await readBody(request, LIMITS.callBodyBytes));
  const named = (text === "" ? null : JSON.parse(text)) as Partial<Record<keyof ErasedKey, unknown>> | null;
  const { service, key } = named ?? {};
  // Of a service that the app has no more, too.
  if (typeof service !== "string" || !SERVICE.test(service))
    throw refuse("unknown-service", 'send {"service":…,"key":…}, with the name of a service');
  checkKey(key);
  return { service, key };
}

/** An app's, or what keeps promises and the runs of a saga, whose keys are their ids: people may be named in those as well. */
const SERVICE = /^(?:[a-z][a-zA-Z0-9-]*|#promises|#saga\.[a-z0-9-]+)$/;

/** A transaction like any other: those before it are over, and those behind it find nothing. */
async function clearState({ backend, startedAt }: AdminEdge, { service, key }: ErasedKey): Promise<void> {
  const requestId = edgeRequestId(startedAt, backend.uuid());
  const target = { service, key, function: "#erase", kind: "fn" as const };
  const answer = await invoke(backend, startedAt, {
    requestId,
    flags: INVOKE_FLAG.erase,
    fingerprint: NO_FINGERPRINT,
    target,
    input: "",
  });
  if (answer.status !== 200) throw new ProblemError(JSON.parse(answer.body) as Problem);
}

/** Asks every partition, each again until it is done: more and more rarely, since one request may make so many calls only. */
async function untilDone(
  domain: Domain,
  ask: Extract<AdminAsk, { readonly op: "erase-messages" | "erase" }>,
): Promise<void> {
  const deadline = Date.now() + LIMITS.requestDeadlineMs;
  const until = async (partition: number): Promise<void> => {
    let pause: number = LIMITS.retryBaseMs;
    while (!(await domain.ask<EraseAnswer>(partition, ask)).done) {
      if (Date.now() > deadline) throw refuse("deadline-exceeded", NOT_YET[ask.op]);
      await sleep(pause);
      pause = Math.min(pause * 2, LIMITS.eraseLookMostMs);
    }
  };
  await Promise.all(domain.partitions.map(until));
}

const NOT_YET = {
  "erase-messages": "messages to the key or from it are under way still; send it again",
  erase: "the log is not folded yet; send it again",
} as const;
