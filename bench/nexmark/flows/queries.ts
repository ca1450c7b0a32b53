/** All queries as flows, in the order of their numbers. */
import { q0, q1, q14, q2, q21, q22 } from "./bids.ts";
import { q17, q18, q19 } from "./groups.ts";
import { q20, q3, q4, q9 } from "./joins.ts";
import type { Query } from "./query.ts";
import { q11, q12, q5, q7, q8 } from "./windows.ts";

export const QUERIES: readonly Query[] = [
  q0,
  q1,
  q2,
  q3,
  q4,
  q5,
  q7,
  q8,
  q9,
  q11,
  q12,
  q14,
  q17,
  q18,
  q19,
  q20,
  q21,
  q22,
];
