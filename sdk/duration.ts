/** Durations as users write them: "250ms", "5s", "1m", "2h", "30d", or milliseconds. */

import { misconfigured } from "./errors.ts";
import { DURATION_MAX_MS } from "./limits.ts";

export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Whole milliseconds, 0 or more.
 * @throws TidegateError `misconfigured` for anything else, and above 366 days.
 */
export function milliseconds(duration: Duration, what: string): number {
  const value = typeof duration === "number" ? duration : parse(duration);
  if (!Number.isInteger(value) || value < 0 || value > DURATION_MAX_MS) {
    throw misconfigured(
      `${what} must be whole milliseconds, or text such as "250ms", "5s", "1m", "2h", "30d", and at most 366 days`,
    );
  }
  return value;
}

function parse(text: string): number {
  const [, whole, fraction = "", unit] = /^(\d+)(?:\.(\d+))?(ms|s|m|h|d)$/.exec(text) ?? [];
  if (whole === undefined || unit === undefined) return NaN;
  // Not with fractions of numbers: 4.1 minutes would be 245,999.99999999997 ms.
  const parts = BigInt(whole + fraction) * BigInt(UNITS[unit] ?? 0);
  const scale = 10n ** BigInt(fraction.length);
  return parts % scale === 0n ? Number(parts / scale) : NaN;
}
