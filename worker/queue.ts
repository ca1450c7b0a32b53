/** Messages of Cloudflare Queues as events of streams: each is taken once, by its id. */
import { createHash } from "node:crypto";
import { STREAM } from "../protocol/flows/internal.ts";
import { logEntry } from "../protocol/observe/log-entry.ts";
import { INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import type { AppDefinition } from "../sdk/app.ts";
import type { QueueMessage as SentMessage } from "../sdk/queue.ts";
import type { EventColumn, StreamDefinition } from "../sdk/stream.ts";
import { pathOf } from "../sdk/stream-paths.ts";
import type { Backend } from "./backend.ts";
import { invoke, NO_FINGERPRINT } from "./dispatch.ts";
import { edgeRequestId } from "./idempotency.ts";
import { LIMITS } from "./limits.ts";

/** What of a `MessageBatch` is used. */
export interface QueueBatch {
  readonly queue: string;
  readonly messages: readonly QueueMessage[];
}
export interface QueueMessage {
  readonly id: string;
  readonly body: unknown;
  ack(): void;
  retry(): void;
}

const encoder = new TextEncoder();
/** Bytes that are no UTF-8 are no event: to replace them would make another one of it. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * Takes a batch of messages as one transaction, or each as one of its own where that fails. Those that do not fit the stream, and those that fail, are
 * to be delivered again.
 * @throws Error for a queue that the app does not name: then all of them are
 */
export async function takeMessages(app: AppDefinition, backend: Backend, batch: QueueBatch): Promise<void> {
  const stream = app.queues.get(batch.queue);
  if (stream === undefined) {
    const known = [...app.queues.keys()].join(", ") || "none";
    throw new Error(`the app takes no messages of queue "${batch.queue}"; its \`queues\` name ${known}`);
  }
  const kernels = backend.kernels();
  const fits = (text: string): boolean => {
    const parsed = kernels.parseEvents(encoder.encode(text), stream.columns);
    return parsed.ok && parsed.rows === 1;
  };
  const sound: SoundMessage[] = [];
  for (const message of batch.messages) {
    const event = readingsOf(stream)
      .map((read) => read(message, stream))
      .find((read) => read !== null && fits(read.text));
    if (event) sound.push({ message, ...event });
    else {
      console.error(`message ${message.id} of queue "${batch.queue}" is no event of stream "${stream.name}"`);
      message.retry();
    }
  }
  if (sound.length > 0) await take(backend, batch.queue, stream, sound);
}

type SoundMessage = QueuedEvent & { readonly message: QueueMessage };

/** What fails together is tried one by one, so that a message on which a flow fails holds up no other. */
async function take(
  backend: Backend,
  queue: string,
  stream: StreamDefinition,
  sound: readonly SoundMessage[],
): Promise<void> {
  const startedAt = backend.now();
  const { status } = await invoke(backend, startedAt, {
    // Another one each time: the stream knows every message by its id, and what was refused once may be accepted when it comes again.
    requestId: edgeRequestId(startedAt, backend.uuid()),
    flags: INVOKE_FLAG.internal,
    fingerprint: NO_FINGERPRINT,
    target: { service: STREAM, key: stream.name, function: "queued", kind: "fn" },
    input: JSON.stringify({ messages: sound.map(({ id, text }) => [`${queue}/${id}`, text]) }),
  });
  // Those that the partition had no room for have no better chance alone. Those that took too long together have.
  if (status !== 200 && status !== 503 && sound.length > 1) {
    for (const one of sound) {
      // Some may take as long as a transaction has: the others are not to be lost with a consumer that the platform ends.
      if (backend.now() - startedAt > LIMITS.queueSinglesMs) one.message.retry();
      else await take(backend, queue, stream, [one]).catch((error: unknown) => comesAgain(one, queue, error));
    }
    return;
  }
  for (const { message } of sound) {
    if (status === 200) message.ack();
    else message.retry();
  }
}

/** Nobody tells what became of it: it is known by its id when it comes again, and holds up none of those behind it. */
function comesAgain({ message }: SoundMessage, queue: string, error: unknown): void {
  console.error(logEntry(`tidegate: message ${message.id} of queue "${queue}" was not answered`, { error }));
  message.retry();
}

interface QueuedEvent {
  /** By which it is known when it comes again. */
  readonly id: string;
  /** One line of JSON. */
  readonly text: string;
}

/**
 * How a message may be meant, most probable first. What an end of a flow has sent may fit by itself a stream that has an `id` or `at`, too, and is
 * its data nevertheless; unless the stream has something under `data`.
 */
function readingsOf({ columns }: StreamDefinition) {
  return columns.some((column) => pathOf(column)[0] === "data") ? [asIs, asSent] : [asSent, asIs];
}

/** A message may be text, bytes or a value. */
function asIs({ id, body }: QueueMessage): QueuedEvent | null {
  try {
    const text = body instanceof ArrayBuffer || body instanceof Uint8Array ? decoder.decode(body) : body;
    if (typeof text !== "string") return { id, text: JSON.stringify(text) };
    // Text stays as it is, since numbers beyond 2^53 would not; only line feeds between its tokens would make two events of one.
    const isOneLine = !/[\r\n]/.test(text);
    if (!isOneLine) JSON.parse(text);
    return { id, text: isOneLine ? text : text.replaceAll(/[\r\n]+/g, " ") };
  } catch {
    return null;
  }
}

/** As ends of flows and effects send them: the event is their data, and the id their own, which is the same where one is in the queue twice. */
function asSent({ body }: QueueMessage, { columns }: StreamDefinition): QueuedEvent | null {
  if (typeof body !== "object" || body === null || Object.keys(body).sort().join() !== "at,data,id") return null;
  const { id, data } = body as SentMessage;
  if (typeof id !== "string" || typeof data !== "object" || data === null) return null;
  // Whole numbers beyond 2^53 are decimal texts there.
  const members = Object.entries(data).map(([name, value]) => {
    const whole = typeof value === "string" && /^-?\d+$/.test(value) && columns.some((column) => isWhole(column, name));
    return `${JSON.stringify(name)}:${whole ? value : JSON.stringify(value)}`;
  });
  return { id: `sent/${shortId(id)}`, text: `{${members.join(",")}}` };
}

/** An id of any text, such as another app may send, as one that can be kept. */
function shortId(id: string): string {
  if (id.length <= LIMITS.queueIdChars && id.isWellFormed()) return id;
  return `#${createHash("sha256").update(JSON.stringify(id)).digest("base64url")}`;
}

function isWhole({ name, type }: EventColumn, field: string): boolean {
  return name === field && type === "i64";
}
