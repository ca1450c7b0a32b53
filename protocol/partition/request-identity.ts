/** What a request is known by. */
import type { StoredResult } from "../results/stored-result.ts";

/** Identity of a request: its id and what it must be a repetition of. */
export type RequestIdentity = Pick<
  StoredResult,
  "requestId" | "fingerprintLow" | "fingerprintHigh" | "group" | "owner"
>;
