/** Counts by powers of two: 1, 2, 4 … and what is beyond. To add to one is a bit count and three additions, so that it may be done for every transaction. */

/** Upper bounds are 2^0 to 2^(this - 1); the last bucket has no bound. */
export const BOUNDS = 17;

/** A histogram as it is told to others. */
export interface HistogramFigures {
  /** By bucket, not cumulative; `BOUNDS + 1` of them. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export class Histogram {
  readonly #counts = new Array<number>(BOUNDS + 1).fill(0);
  #sum = 0;

  /** @param value a whole number; below 0 counts as 0, since clocks may be set back */
  add(value: number): void {
    const counted = value > 0 ? value : 0;
    const bucket = counted <= 1 ? 0 : Math.min(32 - Math.clz32(counted - 1), BOUNDS);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += counted;
  }

  get figures(): HistogramFigures {
    return { counts: [...this.#counts], sum: this.#sum };
  }
}
