/** The platform's clock from one turn of an instance to its next. */
import { LIMITS } from "./limits.ts";

/** The clock was set back: an instance that remembers later times would wait for them, and starts over instead. */
export class ClockSetBack extends Error {
  override readonly name = "ClockSetBack";
}

/**
 * The time of a turn. Deadlines, probes and resends go by stamps that are in memory only: they are gone with the instance, and the next one begins with
 * the clock as it is then.
 * @param last time that this instance has seen; 0 for none
 * @throws ClockSetBack when it was set back by more than what limits of time may be longer for
 */
export function nextTime(last: number, now: number): number {
  const back = last - now;
  if (back > LIMITS.maxClockBackMs) throw new ClockSetBack(`the clock was set back by ${back} ms`);
  return now;
}
