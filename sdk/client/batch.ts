/** Batches: many calls in one request, their results as they come, each line once even when the connection breaks on the way. */

import { UnreachableError } from "./errors.ts";
import { Broken, lines as linesOf } from "./lines.ts";
import type { Transport } from "./transport.ts";
import type { BatchOptions, BatchResult } from "./types.ts";

/**
 * Sends lines and yields their results. After a break the lines without a result go again under the batch's Idempotency-Key, in their places, so nothing
 * runs twice, and what was told that it did not run does not run behind that. Who leaves the loop early is told no more: what runs goes on, and lines that were not handed on yet do not run.
 */
export async function* batch(
  transport: Transport,
  lines: readonly object[],
  options: BatchOptions,
): AsyncGenerator<BatchResult, void, void> {
  /** Those without a result; blank lines count. */
  const open = lines.map((line) => JSON.stringify(line));
  let left = lines.length;
  const idempotencyKey = options.idempotencyKey ?? crypto.randomUUID();
  const path = options.ordered === true ? "/v1/batch?ordered=1" : "/v1/batch";
  const doubt = { open: false };
  let stalled = 0;
  while (left > 0) {
    const before = left;
    let broken: unknown = new Error("the answer ended before the last line");
    const call = {
      method: "POST",
      path,
      body: open.join("\n"),
      type: "application/x-ndjson",
      idempotencyKey,
      doubt,
    } as const;
    try {
      for await (const text of linesOf(transport, call, options.signal)) {
        if (text === "") continue;
        // Something on the way has answered in its own words.
        if (text[0] !== "{") throw new Broken("", { cause: new Error("the answer has no results") });
        const result = JSON.parse(text) as BatchResult;
        const at = result.line - 1;
        if (!open[at]) continue;
        open[at] = "";
        left -= 1;
        yield told(result, doubt.open);
      }
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      broken = error.cause;
    }
    doubt.open = true;
    stalled = left < before ? 0 : stalled + 1;
    if (stalled > transport.retries) throw new UnreachableError(stalled, idempotencyKey, broken);
    if (left > 0) await transport.rest(stalled + 1, options.signal);
  }
}

/**
 * What a line is told that may have run in an answer that broke off, where this one says that it did nothing for it. It does not go again: lines with its
 * key may have run since.
 */
function told(result: BatchResult, isOpen: boolean): BatchResult {
  const { status } = result;
  if (!isOpen || (status !== 503 && status !== 429)) return result;
  const detail = "it may have run: an answer broke off";
  const problem = { type: "/problems/deadline-exceeded", title: "The request was not done in time" };
  return { ...result, status: 504, problem: { ...problem, status: 504, detail, retryable: true } };
}
