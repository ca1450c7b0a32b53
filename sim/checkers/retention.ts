/** Results of clients' requests are kept for a time, and not for ever (invariant 9). */
import type { Finding } from "./finding.ts";

export interface KeptResults {
  readonly partition: string;
  /** When the last of them was no longer needed; ms since 1970. */
  readonly expires: number;
  readonly rows: number;
}

/** @param graceMs how long after that they may still be there */
export function checkRetention(kept: readonly KeptResults[], now: number, graceMs: number): Finding<"results-kept">[] {
  return kept
    .filter(({ expires }) => expires + graceMs < now)
    .map(({ partition, expires, rows }) => ({
      anomaly: "results-kept",
      explanation: `${partition} keeps ${rows} results that have expired ${now - expires} ms ago`,
      operations: [partition],
    }));
}
