/** Events that are set aside: those that came too late, and those that somebody refused. They are numbered, kept for a time, and can be read. */
import type { ShardStore } from "../../dataflow/operators/store.ts";
import { LIMITS } from "../limits.ts";
import { dropLines, endOfLines, entriesOf, linesFrom } from "./lines.ts";

/** What is set aside, by the collection that has it. */
export const LATE = "l";
export const DEAD = "d";
export type Aside = typeof LATE | typeof DEAD;

/** Entries that are dropped for age beyond those that are written, at most: so there are never more and more of them. */
const DROPPED_AT_ONCE = 100;

/**
 * Keeps lines of JSON.
 * @param begin so many were set aside before, as far as the caller has counted: the first has this number, or the one behind the last that is
 * there. The window kernel and operators count by themselves, and may have run the flow one after the other.
 */
export function keepLog(
  store: ShardStore,
  collection: Aside,
  begin: number,
  now: number,
  lines: readonly string[],
): void {
  if (lines.length === 0) return;
  const first = Math.max(begin, endOfLog(store, collection));
  const entries = entriesOf(lines, first, now);
  dropLines(store, collection, ({ at }) => at < now - LIMITS.asideMs, DROPPED_AT_ONCE + entries.length);
  for (const { key, text } of entries) store.put(collection, key, text);
}

/** A page of what was set aside, oldest first: lines of JSON, and the number of the first. */
export interface LogPage {
  readonly first: number;
  readonly events: readonly string[];
  /** The number of each, where some between them are gone. */
  readonly numbers?: readonly number[];
}

/** @param after number of the last that is known; -1 for the oldest */
export function readLog(store: ShardStore, collection: Aside, after: number, limit: number): LogPage {
  let size = 0;
  const { numbers, lines } = linesFrom(store, collection, after + 1, (line, taken) => {
    const isWanted = taken < limit && size <= LIMITS.maxViewChars;
    size += line.length;
    return isWanted;
  });
  const first = numbers[0] ?? after + 1;
  const isWhole = numbers.every((number, at) => number === first + at);
  return { first, events: lines, ...(isWhole ? {} : { numbers }) };
}

/** Number of the next that will be set aside, as far as anything is left. */
export function endOfLog(store: ShardStore, collection: Aside): number {
  return endOfLines(store, collection);
}

/** An event that came too late. @param event JSON */
export function lateLine(now: number, operator: string, input: number, time: number | bigint, event: string): string {
  return `{"at":${now},"operator":${JSON.stringify(operator)},"input":${input},"time":${time},"event":${event}}`;
}
