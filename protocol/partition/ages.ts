/** Ages of transactions: one order over all partitions, kept through every restart of a transaction, so that the oldest always goes on (wound-wait). */
import { invariant } from "../assert.ts";

/** Start of 2026 in ms since 1970: ages stay exact in a double for 69 years. */
const ORIGIN = 1_767_225_600_000;
/** Transactions of one partition that one millisecond can tell apart; what is beyond runs ahead of the clock. */
const PER_MS = 16;
const PARTITIONS = 256;

export class Ages {
  readonly #partition: number;
  #last = 0;

  constructor(partition: number) {
    invariant(partition < PARTITIONS, "9: too many partitions for an age");
    this.#partition = partition;
  }

  /** Larger than every age that this partition gave before; unique over all partitions. */
  next(now: number): number {
    this.#last = Math.max(this.#last + 1, Math.max(0, now - ORIGIN) * PER_MS);
    const age = this.#last * PARTITIONS + this.#partition;
    invariant(Number.isSafeInteger(age), "9: ages have run out");
    return age;
  }
}
