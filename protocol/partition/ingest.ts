/** One batch of events: admitted, taken into the flows of its stream, and answered. */
import type { Admission } from "./admission.ts";
import { applied, type Flows } from "./flows.ts";
import type { Log } from "./log.ts";
import type { Tickets } from "./tickets.ts";

export interface IngestParts {
  readonly admission: Admission;
  readonly flows: Flows;
  readonly log: Log;
  readonly tickets: Tickets;
}

/** @throws CorruptError for a damaged envelope, or columns that are not the stream's: then nobody waits for an answer */
export function takeBatch(parts: IngestParts, ticket: number, frame: Uint8Array, now: number): void {
  const { admission, flows, log, tickets } = parts;
  const batch = admission.ingest(ticket, frame, now);
  if (!batch) return;
  const outcome = applied(flows, log, batch, () => tickets.drop(ticket));
  if (outcome.applied) log.addResult(batch.id, outcome.status, outcome.body);
  tickets.answer({ ticket, line: 1, joined: false }, outcome.status, 0, outcome.body);
}
