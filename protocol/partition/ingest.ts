/** One batch of events: admitted, taken into the flows of its stream, and answered. */
import type { StateStore, Write } from "../state/store.ts";
import { ANSWER_FLAG } from "../wire/answer.ts";
import type { Admission } from "./admission.ts";
import { applied, type Flows } from "./flows.ts";
import type { Log } from "./log.ts";
import { producerTurn } from "./producers.ts";
import type { Tickets } from "./tickets.ts";

export interface IngestParts {
  readonly admission: Admission;
  readonly flows: Flows;
  readonly log: Log;
  readonly tickets: Tickets;
  readonly layers: { readonly committed: StateStore };
}

/**
 * @param commit makes writes part of what the batch commits
 * @throws CorruptError for a damaged envelope, or columns that are not the stream's: then nobody waits for an answer
 */
export function takeBatch(
  parts: IngestParts,
  { ticket, frame }: { readonly ticket: number; readonly frame: Uint8Array },
  now: number,
  commit: (writes: readonly Write[]) => void,
): void {
  const { admission, flows, layers, log, tickets } = parts;
  const batch = admission.ingest(ticket, frame, now);
  if (!batch) return;
  const answer = (status: number, flags: number, body: string) =>
    tickets.answer({ ticket, line: 1, joined: false }, status, flags, body);
  const turn = producerTurn(layers.committed, batch, now);
  if (turn.kind === "taken") return answer(200, ANSWER_FLAG.replayed, turn.body);
  if (turn.kind === "refused") return answer(turn.status, 0, turn.body);
  const outcome = applied(flows, log, batch, () => tickets.drop(ticket));
  if (outcome.applied) {
    if (turn.writes.length > 0) commit(turn.writes);
    log.addResult(batch.id, outcome.status, outcome.body);
  }
  answer(outcome.status, 0, outcome.body);
}
