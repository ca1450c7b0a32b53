/** `POST /v1/streams/{stream}`: a batch of events, parsed to columns here, taken whole or not at all by the partition of its stream. */
import type { EventFault } from "../core-wasm/types.ts";
import { ANSWER_FLAG } from "../protocol/wire/answer.ts";
import { INGEST } from "../protocol/wire/ingest.ts";
import { INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import { answerResponse } from "./answers.ts";
import { lastSegments } from "./address.ts";
import { columnOf, readBody, requireNdjson } from "./body.ts";
import { exchange } from "./dispatch.ts";
import { requireFlow } from "./door/rules.ts";
import type { Edge } from "./edge.ts";
import { clientRequestId, edgeRequestId, idempotencyKey } from "./idempotency.ts";
import { limitOf } from "./limits.ts";
import { refuse, type ProblemError } from "./problems.ts";

/** Takes a batch of events. */
export async function postEvents({ app, backend, request, caller, startedAt }: Edge): Promise<Response> {
  const [name = ""] = lastSegments(request.url, 1);
  const stream = app.streams.get(name);
  if (stream === undefined) throw refuse("unknown-stream", `there is no stream ${JSON.stringify(name)}`);
  requireFlow(app.door.streams, caller, name, name);
  requireNdjson(request);
  const clientKey = idempotencyKey(request);
  const body = await readBody(request, limitOf(app, "eventsBytes"));
  const kernels = backend.kernels();
  const parsed = kernels.parseEvents(body, stream.columns);
  if (!parsed.ok) throw eventProblem(body, parsed.fault);
  const requestId =
    clientKey === null
      ? edgeRequestId(startedAt, backend.uuid())
      : clientRequestId(caller.id, "POST", ["streams", stream.name], clientKey);
  const flags = clientKey === null ? 0 : INVOKE_FLAG.clientId;
  const envelope = kernels.pack(INGEST, {
    rows: 1,
    columns: [flags, parsed.fingerprint[0], parsed.fingerprint[1], parsed.rows],
    fields: [requestId, stream.name],
    tail: parsed.frame,
  });
  const answer = await exchange(backend, startedAt, stream.name, (port) => port.ingest(envelope));
  return answerResponse(request, answer, clientKey !== null && (answer.flags & ANSWER_FLAG.replayed) !== 0);
}

function eventProblem(body: Uint8Array, { line, offset, code, field }: EventFault): ProblemError {
  const members = { line, column: columnOf(body, offset), offset, code, ...(field === undefined ? {} : { field }) };
  if (field === undefined) {
    return refuse(
      "malformed-json",
      `line ${line} is not a JSON object, at byte ${offset}: ${code}; nothing was taken`,
      members,
    );
  }
  return refuse("invalid-event", `line ${line}, field ${JSON.stringify(field)}: ${code}; nothing was taken`, members);
}
