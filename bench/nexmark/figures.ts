/** What is to be reached, in thousands of events a second and core. Of queries without a figure of their own it is three times the best that Flink publishes. */
import type { QueryName } from "./naive/queries.ts";

/** With an end that discards. */
export const DISCARDED = 1_000;
/** The same query in plain JavaScript with JSON.parse and without durability. */
export const AGAINST_PLAIN = 4;
export const COMPARED: readonly QueryName[] = ["q0", "q1", "q2", "q5", "q7", "q12"];

const READABLE = 200;
const WINDOWED = 400;
/** For the others: so many times Flink's best figure. */
const TIMES_FLINK = 3;

export const DURABLE: Readonly<Record<QueryName, number>> = {
  q0: READABLE,
  q1: READABLE,
  q2: READABLE,
  q3: TIMES_FLINK * 152,
  q4: TIMES_FLINK * 34,
  q5: WINDOWED,
  q7: WINDOWED,
  q8: WINDOWED,
  q9: TIMES_FLINK * 14,
  q11: WINDOWED,
  q12: WINDOWED,
  q14: READABLE,
  q17: TIMES_FLINK * 161,
  q18: TIMES_FLINK * 54,
  q19: TIMES_FLINK * 44,
  q20: TIMES_FLINK * 19,
  q21: READABLE,
  q22: READABLE,
};
