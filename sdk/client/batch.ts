/** Batches: many calls in one request, their results as they come, each line once even when the connection breaks on the way. */

import { UnreachableError } from "./errors.ts";
import { Broken, lines as linesOf } from "./lines.ts";
import type { Transport } from "./transport.ts";
import type { BatchOptions, BatchResult } from "./types.ts";

/**
 * Sends lines and yields their results. After a break the whole batch goes again under its Idempotency-Key, so nothing runs twice,
 * and results already yielded are skipped. Who leaves the loop early is told no more: what runs goes on, and lines that were not handed on yet do not run.
 */
export async function* batch(
  transport: Transport,
  lines: readonly object[],
  options: BatchOptions,
): AsyncGenerator<BatchResult, void, void> {
  const body = lines.map((line) => JSON.stringify(line)).join("\n");
  const idempotencyKey = options.idempotencyKey ?? crypto.randomUUID();
  const path = options.ordered === true ? "/v1/batch?ordered=1" : "/v1/batch";
  const doubt = { open: false };
  const call = { method: "POST", path, body, type: "application/x-ndjson", idempotencyKey, doubt } as const;
  const seen = new Set<number>();
  let stalled = 0;
  while (seen.size < lines.length) {
    const before = seen.size;
    let broken: unknown = new Error("the answer ended before the last line");
    try {
      for await (const text of linesOf(transport, call, options.signal)) {
        if (text === "") continue;
        const result = JSON.parse(text) as BatchResult;
        if (seen.has(result.line)) continue;
        seen.add(result.line);
        yield told(result, doubt.open);
      }
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      broken = error.cause;
    }
    doubt.open = true;
    stalled = seen.size > before ? 0 : stalled + 1;
    if (stalled > transport.retries) throw new UnreachableError(stalled, idempotencyKey, broken);
    if (seen.size < lines.length) await transport.rest(stalled + 1, options.signal);
  }
}

/**
 * What a line is told that may have run in an answer that broke off, where this one says that it did nothing for it. It does not go again: lines with its
 * key may have run since.
 */
function told(result: BatchResult, isOpen: boolean): BatchResult {
  const { status } = result;
  if (!isOpen || (status !== 503 && status !== 429)) return result;
  const problem = { type: "/problems/deadline-exceeded", title: "The request was not done in time", status: 504 };
  const detail = "it may have run: an answer broke off";
  return { ...result, status: 504, problem: { ...problem, detail, retryable: true } };
}
