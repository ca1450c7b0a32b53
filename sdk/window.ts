/** Windows: how a flow cuts time. */

import { milliseconds } from "./duration.ts";
import type { Duration } from "./duration.ts";
import { misconfigured } from "./errors.ts";
import { SLIDES_MAX } from "./limits.ts";

/** Windows `[n*size, (n+1)*size)` of event time, aligned to 1970; each event is in exactly one. */
export interface TumblingWindow {
  readonly kind: "tumbling";
  /** Milliseconds. */
  readonly size: number;
  /** The clock of the server instead of event time: nothing is late then. */
  readonly time?: "processing";
}
/** Windows `[n*slide, n*slide + size)`; each event is in `size / slide` of them. */
export interface SlidingWindow {
  readonly kind: "sliding";
  /** Milliseconds. */
  readonly size: number;
  readonly slide: number;
  readonly time?: "processing";
}
/** Windows of one key that end when no event came for a while; an event between two of them makes them one. */
export interface SessionWindow {
  readonly kind: "session";
  /** Milliseconds. */
  readonly gap: number;
  readonly time?: "processing";
}
export type WindowSpec = TumblingWindow | SlidingWindow | SessionWindow;

/** Windows of equal length, one after the other: `tumbling("1m")`. */
export function tumbling(size: Duration): TumblingWindow {
  return Object.freeze({ kind: "tumbling", size: above0(size, "the length of a tumbling window") });
}

/** Windows of equal length that begin every `slide`: `sliding("1m", "10s")`. The slide divides the length. */
export function sliding(size: Duration, slide: Duration): SlidingWindow {
  const length = above0(size, "the length of a sliding window");
  const step = above0(slide, "the slide of a sliding window");
  if (length % step !== 0) throw misconfigured("the slide of a sliding window must divide its length");
  if (length / step > SLIDES_MAX) throw misconfigured(`an event may be in at most ${SLIDES_MAX} sliding windows`);
  return Object.freeze({ kind: "sliding", size: length, slide: step });
}

/** Windows that end when a key was silent for `gap`: `session("30s")`. Two events so far apart are in two sessions. */
export function session(gap: Duration): SessionWindow {
  return Object.freeze({ kind: "session", gap: above0(gap, "the gap of a session window") });
}

/** The same window over the time at which events are taken in: `processing(tumbling("10s"))`. */
export function processing<W extends WindowSpec>(window: W): W & { readonly time: "processing" } {
  const time = "processing";
  return Object.freeze(Object.assign({}, window, { time } as const));
}

/** A window as it must be, whoever made it. */
export function isWindow(value: unknown): value is WindowSpec {
  const kind: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "kind") : undefined;
  const length: unknown = kind === "session" ? Reflect.get(value as object, "gap") : Reflect.get(Object(value), "size");
  return (kind === "tumbling" || kind === "sliding" || kind === "session") && Number.isSafeInteger(length);
}

function above0(duration: Duration, what: string): number {
  const length = milliseconds(duration, what);
  if (length === 0) throw misconfigured(`${what} must be longer than nothing`);
  return length;
}
