/** What naive evaluations have in common: the events of a kind, and how far event time had come when a batch was taken. */
import type { Batch, Kind, NexmarkEvent } from "../events.ts";

/** How far events may be behind the latest of their stream; flows declare the same. */
export const OUT_OF_ORDERNESS = 4_000;

type EventOfKind<K extends Kind> = Extract<NexmarkEvent, { kind: K }>["event"];

/** All events of a kind, in the order in which they come. */
export function all<K extends Kind>(batches: readonly Batch[], kind: K): Array<EventOfKind<K>> {
  return batches.flatMap((batch) => (batch.kind === kind ? (batch.events as Array<EventOfKind<K>>) : []));
}

/** Calls `take` for each event with the watermark before its batch: over some kinds the least of the latest times, less the out-of-orderness. */
export function withWatermarks(
  batches: readonly Batch[],
  kinds: readonly Kind[],
  take: (arrival: NexmarkEvent, watermark: number) => void,
): void {
  const latest = new Map<Kind, number>(kinds.map((kind) => [kind, -Infinity]));
  for (const { kind, events } of batches) {
    if (!kinds.includes(kind)) continue;
    const watermark = Math.min(...latest.values()) - OUT_OF_ORDERNESS;
    for (const event of events) take({ kind, event } as NexmarkEvent, watermark);
    for (const { dateTime } of events) latest.set(kind, Math.max(latest.get(kind) as number, dateTime));
  }
}

/** Values under keys that are no strings. */
export function group<V>(values: Iterable<V>, key: (value: V) => unknown): V[][] {
  const groups = new Map<string, V[]>();
  for (const value of values) {
    const name = JSON.stringify(key(value));
    const group = groups.get(name);
    if (group) group.push(value);
    else groups.set(name, [value]);
  }
  return [...groups.values()];
}

/** What a query comes to. Rows are compared as a set. */
export interface Result {
  readonly rows: ReadonlyArray<Readonly<Record<string, string | number>>>;
  /** Events that no window took; 0 for queries without windows. */
  readonly late: number;
}
