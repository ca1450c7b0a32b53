/** The watermark rule: how far event time has come, judged batch by batch. */

import { INT64_MIN } from "../sdk/limits.ts";

/** Before the first event nothing is late. */
export const INITIAL_WATERMARK: bigint = INT64_MIN;

/**
 * The watermark after a batch. It says: events before it are late; windows that end at or before it are closed. A batch is
 * judged by the watermark before it, so that the order of events within a batch does not matter.
 *
 * | previous | highest time in the batch | out-of-orderness | next |
 * | --- | --- | --- | --- |
 * | initial | none (empty batch) | any | initial |
 * | initial | 10,000 | 0 | 10,000 |
 * | initial | 10,000 | 5,000 | 5,000 |
 * | 5,000 | 9,000 | 5,000 | 5,000 (never back) |
 * | 5,000 | none | 5,000 | 5,000 |
 * | initial | near the least int64 | 5,000 | initial (no underflow) |
 *
 * @param maxTime highest event time among all rows of the batch, filtered ones included; null for an empty batch
 * @param outOfOrderness milliseconds
 */
export function advance(previous: bigint, maxTime: bigint | null, outOfOrderness: number): bigint {
  if (!Number.isSafeInteger(outOfOrderness) || outOfOrderness < 0)
    throw new RangeError("outOfOrderness must be whole milliseconds");
  if (maxTime === null) return previous;
  const reached = maxTime - BigInt(outOfOrderness);
  return reached > previous ? reached : previous;
}
