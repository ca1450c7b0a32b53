/** How fast callers may be: a bucket of tokens for each, in this isolate. It keeps one caller from taking all; it is no meter. */
import type { RateOptions } from "../../sdk/door.ts";
import { problemOf } from "../../sdk/problems.ts";
import { LIMITS } from "../limits.ts";
import { ProblemError } from "../problems.ts";

interface Bucket {
  tokens: number;
  /** ms since 1970. */
  at: number;
}

export class Rates {
  readonly #perMs: number;
  readonly #burst: number;
  /** Least recently used first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor({ perSecond, burst }: Required<RateOptions>) {
    this.#perMs = perSecond / 1_000;
    this.#burst = burst;
  }

  /**
   * Takes one request's, or a batch's lines' tokens. A batch larger than the bucket is let in when that is full but for what its request has taken, and
   * then leaves it in debt.
   * @param taken tokens, for the same request, before
   * @throws ProblemError `rate-limited`
   */
  take(caller: string, count: number, now: number, taken: number): void {
    const bucket = this.#bucket(caller, now);
    const needed = Math.min(count, this.#burst - taken);
    if (bucket.tokens < needed) {
      // Who comes again pays for the request anew before its lines are counted.
      const seconds = Math.ceil((taken + needed - bucket.tokens) / this.#perMs / 1_000);
      throw new ProblemError(problemOf("rate-limited", "nothing was done", { retryable: true }), {
        "retry-after": String(Math.max(1, seconds)),
      });
    }
    bucket.tokens -= count;
  }

  #bucket(caller: string, now: number): Bucket {
    const known = this.#buckets.get(caller);
    this.#buckets.delete(caller);
    const bucket = known ?? { tokens: this.#burst, at: now };
    // A clock that is set back gives nothing.
    bucket.tokens = Math.min(this.#burst, bucket.tokens + Math.max(0, now - bucket.at) * this.#perMs);
    bucket.at = now;
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size > LIMITS.rateBuckets) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }
}
