/** `POST /v1/streams/{stream}`: a batch of events, parsed to columns here, taken whole or not at all by the partition of its stream. */
import { MAX_TABLE_BYTES } from "../core-wasm/limits.ts";
import type { EventFault, EventIdentity, ParseOptions } from "../core-wasm/types.ts";
import type { FieldKind, StreamDefinition } from "../sdk/stream.ts";
import { ANSWER_FLAG, type Answer } from "../protocol/wire/answer.ts";
import { INGEST, PRODUCED } from "../protocol/wire/ingest.ts";
import { INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import { answerResponse } from "./answers.ts";
import { lastSegments } from "./address.ts";
import { columnOf, readBody } from "./body.ts";
import { exchange, fingerprinted, NO_FINGERPRINT } from "./dispatch.ts";
import { requireFlow } from "./door/rules.ts";
import { arrived, type Edge } from "./edge.ts";
import { eventFormat, type EventEnvelope } from "./event-format.ts";
import { clientRequestId, edgeRequestId, idempotencyKey } from "./idempotency.ts";
import { limitOf } from "./limits.ts";
import { ProblemError, refuse } from "./problems.ts";
import { type Doubt, noDoubt } from "./retries.ts";
import { produced, type Produced } from "./producer.ts";
import { columnsToSend, sendAllColumns, textsMayRepeat } from "./projection.ts";

/** Takes a batch of events. */
export async function postEvents(coming: Edge): Promise<Response> {
  const { app, request, caller } = coming;
  const [name = ""] = lastSegments(request.url, 1);
  const stream = app.streams.get(name);
  if (stream === undefined) throw refuse("unknown-stream", `there is no stream ${JSON.stringify(name)}`);
  requireFlow(app.door.streams.send, caller, name, name);
  const { format, identity } = eventFormat(request);
  const producer = produced(request);
  const clientKey = idempotencyKey(request);
  const body = await readBody(request, limitOf(app, "eventsBytes"));
  const edge = arrived(coming);
  const given = {
    format,
    identity,
    producer,
    clientKey,
    edgeId: edgeRequestId(edge.startedAt, edge.backend.uuid()),
    doubt: noDoubt(),
  };
  const only = columnsToSend(app, name, body.length);
  const { answer, known } =
    only === undefined
      ? await sendAll(edge, stream, given, body, textsMayRepeat(app, name))
      : await sendSome(edge, stream, given, body, only);
  return answerResponse(request, answer, known && (answer.flags & ANSWER_FLAG.replayed) !== 0);
}

interface Sent {
  readonly answer: Answer;
  /** The batch can be known again. */
  readonly known: boolean;
}

/** The body is of no use afterwards where it is long: once it is parsed its memory is free for the copies that follow. */
async function sendAll(
  edge: Edge,
  stream: StreamDefinition,
  given: Given,
  body: Uint8Array,
  repeats: boolean,
): Promise<Sent> {
  return send(edge, stream, envelopeOf(edge, stream, given, body, { spend: true, repeats }), given.doubt);
}

/** With the columns that are read. A partition that reads more of them has failed, and is sent all. */
async function sendSome(
  edge: Edge,
  stream: StreamDefinition,
  given: Given,
  body: Uint8Array,
  only: readonly string[],
): Promise<Sent> {
  const some = envelopeOf(edge, stream, given, body, { only, repeats: true });
  const sent = await send(edge, stream, some, given.doubt).catch(failureAsAnswer);
  if (sent.answer.status !== FAILED) return sent;
  const again = await sendAll(edge, stream, given, body, false);
  if (again.answer.status < FAILED) sendAllColumns(edge.app, stream.name);
  return again;
}
const FAILED = 500;

/** @throws what is no failure of the partition */
function failureAsAnswer(error: unknown): Sent {
  if (!(error instanceof ProblemError) || error.problem.status !== FAILED) throw error;
  return { answer: { line: 1, status: FAILED, flags: 0, body: "", epoch: "" }, known: false };
}

async function send(
  { backend, startedAt }: Edge,
  { name }: StreamDefinition,
  { envelope, known }: Enveloped,
  doubt: Doubt,
) {
  return { answer: await exchange(backend, startedAt, name, (port) => port.ingest(envelope), doubt), known };
}

interface Given extends EventEnvelope {
  readonly producer: Produced | null;
  readonly clientKey: string | null;
  /** The request id where the batch brings none: one for both times that it may be sent. */
  readonly edgeId: string;
  /** Of both times, too. */
  readonly doubt: Doubt;
}

interface Enveloped {
  readonly envelope: Uint8Array;
  readonly known: boolean;
}

/** Parses a body to the message for the partition of its stream, and tells whether it can be known again. @throws ProblemError */
function envelopeOf(
  { backend, caller }: Edge,
  stream: StreamDefinition,
  { format, identity, producer, clientKey, edgeId }: Given,
  body: Uint8Array,
  options: ParseOptions,
): Enveloped {
  const kernels = backend.kernels();
  const parsed = kernels.parseEvents(body, stream.columns, format, options);
  if (!parsed.ok) throw eventProblem(stream, body, parsed.fault);
  if (parsed.frame.length > MAX_FRAME_BYTES) throw columnsTooLarge();
  const scope = identityOf(clientKey, producer, identity ?? parsed.identity ?? null);
  const requestId =
    scope === null ? edgeId : clientRequestId(caller.id, "POST", ["streams", stream.name, ...scope.kind], scope.key);
  const flags = scope === null ? 0 : INVOKE_FLAG.clientId;
  const [low, high] = scope?.byItself === true ? NO_FINGERPRINT : fingerprinted(parsed.fingerprint);
  const head = [flags, low, high, parsed.rows];
  const fields = [requestId, stream.name];
  const tail = { tail: parsed.frame, room: parsed.room };
  const envelope =
    producer === null
      ? kernels.pack(INGEST, { rows: 1, columns: head, fields, ...tail })
      : kernels.pack(PRODUCED, {
          rows: 1,
          columns: [...head, producer.sequence % 2 ** 32, Math.floor(producer.sequence / 2 ** 32)],
          fields: [...fields, JSON.stringify([caller.id, producer.producer])],
          ...tail,
        });
  return { envelope, known: scope !== null };
}

/** Of the columns of a batch: what stands before them in the message is shorter than the rest, whatever names the caller has. */
const MAX_FRAME_BYTES = MAX_TABLE_BYTES - 64 * 1024;

/** The columns of a batch may be longer than its body: a value takes its place also where the event does not have it. */
function columnsTooLarge(): ProblemError {
  return refuse(
    "body-too-large",
    `as columns the events have more than ${MAX_FRAME_BYTES} bytes, which is the most that is taken at a time: send them as several batches; nothing was taken`,
    { limit: MAX_FRAME_BYTES },
  );
}

interface Scope {
  readonly kind: readonly string[];
  readonly key: string;
  /** By what the event says of itself: no other has that, however it is written. */
  readonly byItself?: true;
}

/** What makes the batch the same one when it comes again; null when nothing does. A CloudEvent is known by its source and id. */
function identityOf(clientKey: string | null, producer: Produced | null, event: EventIdentity | null): Scope | null {
  if (clientKey !== null) return { kind: [], key: clientKey };
  if (producer !== null) return { kind: ["producer", producer.producer], key: String(producer.sequence) };
  if (event !== null) return { kind: ["event", event.source], key: event.id, byItself: true };
  return null;
}

const TAKES: Readonly<Record<FieldKind, string>> = {
  int64: "a whole number",
  float64: "a number",
  text: "a text",
  boolean: "true or false",
  timestamp: "whole milliseconds since 1970, such as 1790000000000",
};

function eventProblem(
  { fields }: StreamDefinition,
  body: Uint8Array,
  { line, offset, code, field }: EventFault,
): ProblemError {
  if (code === "columns-too-large") return columnsTooLarge();
  const members = { line, column: columnOf(body, offset), offset, code, ...(field === undefined ? {} : { field }) };
  if (field === undefined) {
    return refuse(
      "malformed-json",
      `the event in line ${line} is not a JSON object, at byte ${offset}: ${code}; nothing was taken`,
      members,
    );
  }
  const kind = code === "wrong-type" ? fields[field]?.kind : undefined;
  const taken = kind === undefined ? "" : `, it takes ${TAKES[kind]}`;
  const detail = `line ${line}, field ${JSON.stringify(field)}: ${code}${taken}; nothing was taken`;
  return refuse("invalid-event", detail, members);
}
