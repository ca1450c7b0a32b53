/** Latencies of one kind of request, and their percentiles. */

export class Latencies {
  readonly #milliseconds: number[] = [];

  add(milliseconds: number): void {
    this.#milliseconds.push(milliseconds);
  }

  /** Nearest-rank percentiles, in the order asked for; 0 without any latency. */
  percentiles(...percents: readonly number[]): number[] {
    const sorted = Float64Array.from(this.#milliseconds).sort();
    return percents.map((percent) => sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0);
  }
}
