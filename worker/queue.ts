/** Messages of Cloudflare Queues as events of streams: each is taken once, by its id. */
import { STREAM } from "../protocol/flows/internal.ts";
import { INVOKE_FLAG } from "../protocol/wire/invoke.ts";
import type { AppDefinition } from "../sdk/app.ts";
import type { Backend } from "./backend.ts";
import { invoke, NO_FINGERPRINT } from "./dispatch.ts";
import { clientRequestId } from "./idempotency.ts";

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

/**
 * Takes a batch of messages as one transaction. Those that do not fit the stream, and all of them when it fails, are to be delivered again.
 * @throws Error for a queue that the app does not name: then all of them are
 */
export async function takeMessages(app: AppDefinition, backend: Backend, batch: QueueBatch): Promise<void> {
  const stream = app.queues.get(batch.queue);
  if (stream === undefined) {
    const known = [...app.queues.keys()].join(", ") || "none";
    throw new Error(`the app takes no messages of queue "${batch.queue}"; its \`queues\` name ${known}`);
  }
  const kernels = backend.kernels();
  const sound: Array<{ readonly message: QueueMessage; readonly text: string }> = [];
  for (const message of batch.messages) {
    const text = eventText(message.body);
    const parsed = text === null ? null : kernels.parseEvents(encoder.encode(text), stream.columns);
    if (text !== null && parsed?.ok === true && parsed.rows === 1) sound.push({ message, text });
    else {
      console.error(`message ${message.id} of queue "${batch.queue}" is no event of stream "${stream.name}"`);
      message.retry();
    }
  }
  if (sound.length === 0) return;
  const startedAt = backend.now();
  const ids = sound.map(({ message }) => message.id);
  const answer = await invoke(backend, startedAt, {
    // The same messages together are the same request; each by itself is known to the stream.
    requestId: clientRequestId("queue", "POST", ["queues", batch.queue], JSON.stringify(ids)),
    flags: INVOKE_FLAG.internal | INVOKE_FLAG.clientId,
    fingerprint: NO_FINGERPRINT,
    target: { service: STREAM, key: stream.name, function: "queued", kind: "fn" },
    input: JSON.stringify({ messages: sound.map(({ message, text }) => [`${batch.queue}/${message.id}`, text]) }),
  });
  for (const { message } of sound) {
    if (answer.status === 200) message.ack();
    else message.retry();
  }
}

/** An event is one line of JSON; a message may be text, bytes or a value. */
function eventText(body: unknown): string | null {
  try {
    const text = body instanceof ArrayBuffer || body instanceof Uint8Array ? new TextDecoder().decode(body) : body;
    // Text stays as it is, since numbers beyond 2^53 would not; only line feeds within it would make two events of one.
    return typeof text === "string" ? text.replaceAll(/[\r\n]+/g, " ") : JSON.stringify(text);
  } catch {
    return null;
  }
}
