/** Windows: how a flow cuts event time. */

import { milliseconds } from "./duration.ts";
import type { Duration } from "./duration.ts";
import { misconfigured } from "./errors.ts";

/** Windows `[n*size, (n+1)*size)` of event time, aligned to 1970; each event is in exactly one. */
export interface TumblingWindow {
  readonly kind: "tumbling";
  /** Milliseconds. */
  readonly size: number;
}

/** Windows of equal length, one after the other: `tumbling("1m")`. */
export function tumbling(size: Duration): TumblingWindow {
  const length = milliseconds(size, "the length of a tumbling window");
  if (length === 0) throw misconfigured("a tumbling window must be longer than nothing");
  return Object.freeze({ kind: "tumbling", size: length });
}
