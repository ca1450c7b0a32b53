/** Batches: many calls in one request, their results as they come, each line once even when the connection breaks on the way. */

import { UnreachableError } from "./errors.ts";
import type { Transport } from "./transport.ts";
import type { BatchOptions, BatchResult } from "./types.ts";
import { Watch } from "./watch.ts";

/**
 * Sends lines and yields their results. After a break the whole batch goes again under its Idempotency-Key, so nothing runs twice,
 * and results already yielded are skipped. Leaving the loop early cancels the answer, not the transactions.
 */
export async function* batch(
  transport: Transport,
  lines: readonly object[],
  options: BatchOptions,
): AsyncGenerator<BatchResult, void, void> {
  const body = lines.map((line) => JSON.stringify(line)).join("\n");
  const idempotencyKey = options.idempotencyKey ?? crypto.randomUUID();
  const seen = new Set<number>();
  let stalled = 0;
  while (seen.size < lines.length) {
    const before = seen.size;
    let broken: unknown = new Error("the answer ended before the last line");
    try {
      for await (const result of round(transport, body, idempotencyKey, options)) {
        if (seen.has(result.line)) continue;
        seen.add(result.line);
        yield result;
      }
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      broken = error.cause;
    }
    stalled = seen.size > before ? 0 : stalled + 1;
    if (stalled > transport.retries) throw new UnreachableError(stalled, idempotencyKey, broken);
    if (seen.size < lines.length) await transport.rest(stalled + 1, options.signal);
  }
}

/** The connection was lost on the way. */
class Broken extends Error {}

async function* round(
  transport: Transport,
  body: string,
  idempotencyKey: string,
  options: BatchOptions,
): AsyncGenerator<BatchResult, void, void> {
  const watch = new Watch(transport.timeoutMs, options.signal);
  const path = options.ordered === true ? "/v1/batch?ordered=1" : "/v1/batch";
  const call = {
    method: "POST",
    path,
    body,
    type: "application/x-ndjson",
    idempotencyKey,
    signal: watch.signal,
    streamed: true,
  } as const;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    const response = await transport.send(call, (answer) => Promise.resolve(answer));
    if (response.body === null) return;
    reader = response.body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const chunk = await readChunk(reader, watch, options.signal);
      if (chunk === undefined) return;
      const texts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = texts.pop() ?? "";
      for (const text of texts) if (text !== "") yield JSON.parse(text) as BatchResult;
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
    const { done, value } = await reader.read();
    return done ? undefined : value;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new Broken("the connection was lost", { cause });
  } finally {
    watch.pause();
  }
}
