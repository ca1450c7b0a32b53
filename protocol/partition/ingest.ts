/** One batch of events: admitted, taken into the flows of its stream, and answered. */
import type { Kernels } from "../../core-wasm/types.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { STREAM } from "../flows/internal.ts";
import type { StateStore, Write } from "../state/store.ts";
import { ANSWER_FLAG } from "../wire/answer.ts";
import type { Admission } from "./admission.ts";
import { applied, type BatchOutcome, type Flows } from "./flows.ts";
import { writesOfLate } from "./late.ts";
import type { Log } from "./log.ts";
import { problemAnswer } from "./problems.ts";
import { producersOf, producerTurn, writesOfTurn } from "./producers.ts";
import type { Root } from "./root.ts";
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
  if (!flows.runs(batch.stream)) return admission.startBatch(ticket, batch, now);
  const answer = (status: number, flags: number, body: string) =>
    tickets.answer({ ticket, line: 1, joined: false }, status, flags, body);
  const turn = producerTurn(producersOf(layers.committed, batch.stream), batch.produced, now);
  if (turn.kind === "taken") return answer(200, ANSWER_FLAG.replayed, turn.body);
  if (turn.kind === "refused") {
    const refused = problemAnswer(turn.type, turn.detail, turn.members);
    return answer(refused.status, 0, refused.body);
  }
  const changed = prepared(parts, batch.stream, commit);
  if (changed !== null) return answer(changed.status, 0, changed.body);
  const outcome = applied(flows, log, batch, now, () => tickets.drop(ticket));
  if (outcome.applied) {
    for (const late of outcome.late ?? []) commit(writesOfLate(layers.committed, late, now));
    if (turn.changes.length > 0) commit(writesOfTurn(batch.stream, turn.changes));
    log.addResult(batch.id, outcome.status, outcome.body);
  }
  answer(outcome.status, 0, outcome.body);
}

/** Flows whose code has changed are made ready. A problem for those that would lose state. */
function prepared(
  { flows, layers }: IngestParts,
  stream: string,
  commit: (writes: readonly Write[]) => void,
): ReturnType<typeof problemAnswer> | null {
  try {
    const writes = flows.prepare(stream, layers.committed);
    if (writes.length > 0) commit(writes);
    return null;
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    return problemAnswer(error.type, error.message);
  }
}

/**
 * Takes an event that a function emitted for flows that the window kernel runs, as a batch of one: they have no transactions. One that does
 * not fit the stream any more is refused, once and for all. False for any other root.
 */
export function takeEmitted(
  parts: IngestParts,
  { app, kernels }: { readonly app: AppDefinition; readonly kernels: Kernels },
  root: Root,
  { now, commit }: { readonly now: number; commit(writes: readonly Write[]): void },
): boolean {
  const { admission, flows, layers, log } = parts;
  const { key: stream, name, service } = root.target;
  if (service.contract.name !== STREAM || name !== "emitted" || !flows.runs(stream)) return false;
  const changed = prepared(parts, stream, commit);
  if (changed !== null) {
    admission.done(root, changed.status, 0, changed.body);
    return true;
  }
  const parsed = kernels.parseEvents(encoder.encode(root.input), app.streams.get(stream)?.columns ?? []);
  const outcome: BatchOutcome = parsed.ok
    ? flows.apply(
        { id: root, stream, rows: parsed.rows, columns: parsed.frame, clientId: true, produced: null },
        () => log.write(),
        now,
      )
    : { applied: false, ...problemAnswer("invalid-event", `an emitted event does not fit stream "${stream}"`) };
  for (const late of outcome.late ?? []) commit(writesOfLate(layers.committed, late, now));
  if (outcome.applied) log.addResult(root, outcome.status, outcome.body);
  admission.done(root, outcome.status, 0, outcome.body);
  return true;
}
const encoder = new TextEncoder();
