/**
 * How long an epoch gathers. To decide one costs every participant a message each way, twice, and a confirmation of its storage, however much
 * is in it: under load the next one waits for a share of what the last one took, so that this cost is spread over more transactions.
 */
import { LIMITS } from "../limits.ts";

export class Pace {
  #closedAt = -Infinity;
  #dueAt = -Infinity;

  /** When the open epoch has gathered for long enough; ms since 1970. Long past where nothing was decided lately. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** Whether it has. A time further ahead than any is set was set before the clock was put back. */
  isDue(now: number): boolean {
    return now >= this.#dueAt || now < this.#dueAt - LIMITS.maxGatherMs;
  }

  closed(now: number): void {
    this.#closedAt = now;
  }

  decided(now: number): void {
    this.#dueAt = now + Math.min((now - this.#closedAt) * LIMITS.gatherShare, LIMITS.maxGatherMs);
  }
}
