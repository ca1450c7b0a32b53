/** What a coordinator counts of the epochs that it decides. */
import { Histogram, type HistogramFigures } from "./histogram.ts";

/** Since this generation began. */
export interface EpochFigures {
  readonly committed: number;
  readonly aborted: number;
  /** Milliseconds from closing an epoch to its decision; of those that a sole member decided nothing is known. */
  readonly duration: HistogramFigures;
  /** Transactions of a committed epoch. */
  readonly size: HistogramFigures;
  /** Partitions that took part in it. */
  readonly participants: HistogramFigures;
}

export class EpochCounters {
  #committed = 0;
  #aborted = 0;
  readonly #duration = new Histogram();
  readonly #size = new Histogram();
  readonly #participants = new Histogram();

  /** @param ms from closing it to its decision, if that is known */
  committed(ms: number | null, size: number, participants: number): void {
    this.#committed += 1;
    if (ms !== null) this.#duration.add(ms);
    this.#size.add(size);
    this.#participants.add(participants);
  }

  aborted(): void {
    this.#aborted += 1;
  }

  get figures(): EpochFigures {
    return {
      committed: this.#committed,
      aborted: this.#aborted,
      duration: this.#duration.figures,
      size: this.#size.figures,
      participants: this.#participants.figures,
    };
  }
}
