/**
 * Producers that number their batches: of each, the number of the last batch that its stream has taken. They are entries under the
 * stream's name, as those of a collection of a service that no app can have, and so they are logged, folded, moved and backed up.
 *
 *   value  "#ingest" / stream                          how many producers there are
 *   entry  "#ingest" / stream / "producers" / name     number, time of its coming
 */
import { LIMITS } from "../limits.ts";
import { afterPrefix, collectionPrefix, encodeEntryKey, entityKey } from "../state/state-key.ts";
import type { StateStore, Write } from "../state/store.ts";
import type { Batch } from "./admission.ts";
import { problemAnswer, type ProblemAnswer } from "./problems.ts";

const SERVICE = "#ingest";
const COLLECTION = "producers";

export type ProducerTurn =
  /** It is the batch's turn; these writes are to be committed with it. */
  | { readonly kind: "next"; readonly writes: readonly Write[] }
  /** It was taken before, so long ago that its answer is forgotten. */
  | { readonly kind: "taken"; readonly body: string }
  | ({ readonly kind: "refused" } & ProblemAnswer);

/** What is known of a producer, as stored. */
type Last = readonly [sequence: number, at: number];

/** Whether a batch is the one that its producer's stream waits for. A batch without a producer always is. */
export function producerTurn(committed: StateStore, { produced, stream }: Batch, now: number): ProducerTurn {
  if (produced === null) return { kind: "next", writes: [] };
  const { producer, sequence } = produced;
  const entity = entityKey(SERVICE, stream);
  const prefix = collectionPrefix(entity, COLLECTION);
  const key = prefix + encodeEntryKey(producer);
  const text = committed.get(key, entity);
  const [last] = text === null ? [0] : (JSON.parse(text) as Last);
  if (sequence <= last) {
    return { kind: "taken", body: JSON.stringify({ accepted: 0, late: {}, duplicate: true, last }) };
  }
  if (sequence > last + 1) {
    const detail = `the next batch of this producer is number ${last + 1}; nothing was taken of number ${sequence}`;
    return { kind: "refused", ...problemAnswer("sequence-gap", detail, { expected: last + 1 }) };
  }
  const put: Write = { op: "put", key, text: JSON.stringify([sequence, now] satisfies Last) };
  if (text !== null) return { kind: "next", writes: [put] };
  const known = Number(committed.get(entity, entity) ?? "0");
  const idle = known < LIMITS.maxProducers ? [] : idleProducers(committed, entity, prefix, now);
  if (known - idle.length >= LIMITS.maxProducers) {
    const detail = `the stream remembers ${LIMITS.maxProducers} producers; a new one comes in when one of these has sent nothing for 30 days`;
    return { kind: "refused", ...problemAnswer("too-many-producers", detail) };
  }
  const count: Write = { op: "put", key: entity, text: String(known - idle.length + 1) };
  return { kind: "next", writes: [...idle, count, put] };
}

/** Deletes of the producers that have sent nothing for long. */
function idleProducers(committed: StateStore, entity: string, prefix: string, now: number): Write[] {
  const all = committed.range(prefix, entity, prefix, afterPrefix(prefix), LIMITS.maxProducers, false);
  return all
    .filter(([, text]) => (JSON.parse(text) as Last)[1] < now - LIMITS.producerIdleMs)
    .map(([key]) => ({ op: "delete", key, text: "" }));
}
