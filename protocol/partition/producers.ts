/**
 * Producers that number their batches: of each, the number of the last batch that its stream has taken. They are entries under the
 * stream's name, as those of a collection of a service that no app can have, and so they are logged, folded, moved and backed up.
 *
 *   value  "#ingest" / stream                          how many producers there are
 *   entry  "#ingest" / stream / "producers" / name     number, time of its coming
 */
import type { ProblemType } from "../../sdk/problems.ts";
import { LIMITS } from "../limits.ts";
import { afterPrefix, collectionPrefix, decodeEntryKey, encodeEntryKey, entityKey } from "../state/state-key.ts";
import type { StateStore, Write } from "../state/store.ts";
import type { Produced } from "../wire/ingest.ts";

export const PRODUCERS = { service: "#ingest", collection: "producers" } as const;

/** What is known of a stream's producers. */
export interface ProducerTable {
  /** How many there are. */
  known(): number;
  /** A producer's entry. */
  get(producer: string): string | null;
  /** All of them. */
  all(): Iterable<readonly [producer: string, text: string]>;
}

/** A producer's new entry, null for none; without a producer the number of all. */
export interface ProducerChange {
  readonly producer: string | null;
  readonly text: string | null;
}

export type ProducerTurn =
  /** It is the batch's turn; these changes are to be committed with it. */
  | { readonly kind: "next"; readonly changes: readonly ProducerChange[] }
  /** It was taken before, so long ago that its answer is forgotten. */
  | { readonly kind: "taken"; readonly body: string }
  | {
      readonly kind: "refused";
      readonly type: ProblemType;
      readonly detail: string;
      readonly members?: Readonly<Record<string, unknown>>;
    };

/** What is known of a producer, as stored. */
type Last = readonly [sequence: number, at: number];

/** Whether a batch is the one that its producer's stream waits for. A batch without a producer always is. */
export function producerTurn(table: ProducerTable, produced: Produced | null, now: number): ProducerTurn {
  if (produced === null) return { kind: "next", changes: [] };
  const { producer, sequence } = produced;
  const text = table.get(producer);
  const [last] = text === null ? [0] : (JSON.parse(text) as Last);
  if (sequence <= last) {
    return { kind: "taken", body: JSON.stringify({ accepted: 0, late: {}, duplicate: true, last }) };
  }
  if (sequence > last + 1) {
    const detail = `the next batch of this producer is number ${last + 1}; nothing was taken of number ${sequence}`;
    return { kind: "refused", type: "sequence-gap", detail, members: { expected: last + 1 } };
  }
  const own = { producer, text: JSON.stringify([sequence, now] satisfies Last) };
  if (text !== null) return { kind: "next", changes: [own] };
  const known = table.known();
  const idle = known < LIMITS.maxProducers ? [] : idleProducers(table, now);
  if (known - idle.length >= LIMITS.maxProducers) {
    const detail = `the stream remembers ${LIMITS.maxProducers} producers; a new one comes in when one of these has sent nothing for 30 days`;
    return { kind: "refused", type: "too-many-producers", detail };
  }
  const count = { producer: null, text: String(known - idle.length + 1) };
  return { kind: "next", changes: [...idle, count, own] };
}

/** The producers that have sent nothing for long go. */
function idleProducers(table: ProducerTable, now: number): ProducerChange[] {
  const idle: ProducerChange[] = [];
  for (const [producer, text] of table.all()) {
    if ((JSON.parse(text) as Last)[1] < now - LIMITS.producerIdleMs) idle.push({ producer, text: null });
  }
  return idle;
}

/** As they are committed. */
export function producersOf(committed: StateStore, stream: string): ProducerTable {
  const entity = entityKey(PRODUCERS.service, stream);
  const prefix = collectionPrefix(entity, PRODUCERS.collection);
  return {
    known: () => Number(committed.get(entity, entity) ?? "0"),
    get: (producer) => committed.get(prefix + encodeEntryKey(producer), entity),
    all: () =>
      committed
        .range(prefix, entity, prefix, afterPrefix(prefix), LIMITS.maxProducers, false)
        .map(([key, text]) => [String(decodeEntryKey(key.slice(prefix.length))), text] as const),
  };
}

export function writesOfTurn(stream: string, changes: readonly ProducerChange[]): Write[] {
  const entity = entityKey(PRODUCERS.service, stream);
  const prefix = collectionPrefix(entity, PRODUCERS.collection);
  return changes.map(({ producer, text }) => {
    const key = producer === null ? entity : prefix + encodeEntryKey(producer);
    return text === null ? { op: "delete", key, text: "" } : { op: "put", key, text };
  });
}
