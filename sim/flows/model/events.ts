/** What the model of flows knows of: events in batches, and what each batch must come to. */
import { int64, text, timestamp } from "../../../sdk/index.ts";

/** Of all streams that clients send to. */
export const fields = { n: int64(), k: text(), v: int64(), at: timestamp() };

export interface FlowEvent {
  /** Its own. */
  readonly n: number;
  readonly k: string;
  readonly v: number;
  /** Event time, ms. */
  readonly at: number;
}

/** A batch that a flow has taken. */
export interface FlowBatch {
  readonly stream: string;
  readonly events: readonly FlowEvent[];
}

/** A row by the names of its fields. */
export type Row = Readonly<Record<string, unknown>>;

/** What a batch must come to in one flow. Nothing is said of the order of what is in one list. */
export interface Outcome {
  /** Operator and event. */
  readonly late: ReadonlyArray<readonly [operator: string, n: number]>;
  /** Given to streams, by what OUT calls them. */
  readonly given: Readonly<Record<string, readonly Row[]>>;
}

export const NO_TIME = Number.NEGATIVE_INFINITY;

/** The latest of some times, or -Infinity. */
export function latest(times: Iterable<number>): number {
  let most = NO_TIME;
  for (const time of times) if (time > most) most = time;
  return most;
}

export function sumOf(events: ReadonlyArray<{ readonly v: number }>): number {
  return events.reduce((sum, { v }) => sum + v, 0);
}

export function groupBy<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** The same text for rows with the same members, whatever their order. */
export function canonical(row: unknown): string {
  return JSON.stringify(row, (_, value: unknown) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** As a multiset. */
export function sorted(rows: readonly unknown[]): string[] {
  return rows.map(canonical).sort();
}
