/** The lines of an answer as they come, under a watch: a connection that is silent for too long is taken for lost. */

import type { Call, Transport } from "./transport.ts";
import { unlessAborted, Watch } from "./watch.ts";

/** The connection was lost on the way. */
export class Broken extends Error {}

/**
 * Lines without their ends; what has no end is left out. Leaving the loop early cancels the answer.
 * @throws Broken, what `transport.send` throws, or the reason of the caller's signal
 */
export async function* lines(
  transport: Transport,
  call: Omit<Call, "signal" | "streamed">,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, void> {
  const watch = new Watch(transport.timeoutMs, signal);
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    const streamed = { ...call, signal: watch.signal, streamed: true };
    const response = await transport.send(streamed, (answer) => Promise.resolve(answer));
    if (response.body === null) return;
    reader = response.body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const chunk = await readChunk(reader, watch, signal);
      if (chunk === undefined) return;
      const texts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = texts.pop() ?? "";
      yield* texts;
    }
  } finally {
    watch.end();
    await reader?.cancel().catch(() => undefined);
  }
}

/** `undefined` at the end. @throws Broken, or the reason of the caller's signal */
async function readChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  watch: Watch,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  watch.start();
  try {
    // Not every `fetch` ends a body that has begun when the signal aborts: a binding's does not.
    const { done, value } = await unlessAborted(reader.read(), watch.signal);
    return done ? undefined : value;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new Broken("the connection was lost", { cause });
  } finally {
    watch.pause();
  }
}
