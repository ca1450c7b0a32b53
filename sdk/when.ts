/** When a delayed message is to be delivered: `{ delay: "30s" }` after the transaction began, or `{ at }` a time. */

import { type Duration, milliseconds } from "./duration.ts";
import { misconfigured } from "./errors.ts";
import { DURATION_MAX_MS } from "./limits.ts";

/** `at` is in milliseconds since 1970, or a Date. A time that is past is now. Both are at most 366 days ahead. */
export type When =
  | { readonly delay: Duration; readonly at?: undefined }
  | { readonly at: number | Date; readonly delay?: undefined };

/**
 * Milliseconds since 1970.
 * @throws TidegateError `misconfigured` for what is no time, or too far ahead
 */
export function dueTime({ delay, at }: When, now: number): number {
  if ((delay === undefined) === (at === undefined)) throw misconfigured("a message is sent with a delay or at a time");
  if (delay !== undefined) return now + milliseconds(delay, "delay");
  const time = Number(at);
  if (!Number.isInteger(time) || time > now + DURATION_MAX_MS)
    throw misconfigured("at must be whole milliseconds since 1970, or a Date, and at most 366 days ahead");
  return Math.max(time, now);
}
