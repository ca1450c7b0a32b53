/** Batches of events as the edge packs them. */
import { fieldsRead } from "../../../dataflow/reads.ts";
import { INGEST } from "../../../protocol/wire/ingest.ts";
import { INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import type { AppDefinition } from "../../../sdk/index.ts";
import { kernels } from "./kernels.ts";

/** A request id as from a client's Idempotency-Key. */
export function clientId(number: number): string {
  return `c${number.toString(16).padStart(31, "0")}`;
}

/**
 * A batch of a client under the request id of this number.
 * @param only the fields that are kept; without it those that flows read
 */
export function ingestFrame(
  app: AppDefinition,
  stream: string,
  number: number,
  events: readonly object[],
  only: readonly string[] | undefined = fieldsRead(app, stream),
): Uint8Array {
  const lines = new TextEncoder().encode(events.map((event) => JSON.stringify(event)).join("\n"));
  const parsed = kernels.parseEvents(lines, app.streams.get(stream)?.columns ?? [], "ndjson", { only });
  if (!parsed.ok) throw new Error(`the test's events are wrong: ${parsed.fault.code}`);
  const columns = [INVOKE_FLAG.clientId, ...parsed.fingerprint, parsed.rows];
  const fields = [clientId(number), stream];
  return kernels.pack(INGEST, { rows: 1, columns, fields, tail: parsed.frame });
}
