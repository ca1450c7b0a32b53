/** The naive evaluation of each query: plain loops over arrays, written from the queries' SQL and without a look at any engine. */
import type { Batch } from "../events.ts";
import type { Result } from "./arrivals.ts";
import { q0, q1, q14, q2, q21, q22 } from "./bids.ts";
import { q17, q18, q19 } from "./groups.ts";
import { q20, q3, q4, q9 } from "./joins.ts";
import { q11, q12, q5, q7, q8 } from "./windows.ts";

export const NAIVE = { q0, q1, q2, q3, q4, q5, q7, q8, q9, q11, q12, q14, q17, q18, q19, q20, q21, q22 } as const;
export type QueryName = keyof typeof NAIVE;
export const QUERY_NAMES = Object.keys(NAIVE) as QueryName[];

/** What a query comes to for these batches. */
export function evaluate(query: QueryName, batches: readonly Batch[]): Result {
  return NAIVE[query](batches);
}

/** Rows as lines that can be compared: members by name, lines in order. */
export function rowLines(rows: Result["rows"]): string[] {
  return rows
    .map((row) => JSON.stringify(Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))))
    .sort();
}
