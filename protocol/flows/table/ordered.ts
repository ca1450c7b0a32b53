/** Keys of one collection in their order, for those who look for ranges: made when one does, and kept up while keys come and go. */
import { compareKeys, sortKeys } from "../../state/state-key.ts";

/** New keys that wait to be put among the others, at least. */
const FEW = 256;

export class Ordered {
  readonly #has: (key: string) => boolean;
  /** Both ascending; some keys may be gone, and none is in both. */
  #sorted: string[];
  #added: string[] = [];
  /** Not in order yet. */
  #fresh: string[] = [];
  #gone = 0;

  /** @param has whether a key is still there */
  constructor(keys: Iterable<string>, has: (key: string) => boolean) {
    this.#sorted = sortKeys(keys);
    this.#has = has;
  }

  /** A key that was not there. */
  added(key: string): void {
    this.#fresh.push(key);
  }
  removed(): void {
    this.#gone += 1;
  }

  /** Keys with `from <= key < to`, ascending unless reversed. */
  *range(from: string | undefined, to: string | undefined, reverse: boolean): Generator<string> {
    this.#settle();
    const [a, b] = [this.#sorted, this.#added];
    const step = reverse ? -1 : 1;
    const [aFrom, aTo] = [seek(a, from, 0), seek(a, to, a.length)];
    const [bFrom, bTo] = [seek(b, from, 0), seek(b, to, b.length)];
    let [i, j] = reverse ? [aTo - 1, bTo - 1] : [aFrom, bFrom];
    for (;;) {
      const x = i >= aFrom && i < aTo ? (a[i] as string) : null;
      const y = j >= bFrom && j < bTo ? (b[j] as string) : null;
      if (x === null && y === null) return;
      const order = x === null ? 1 : y === null ? -1 : compareKeys(x, y) * step;
      const key = (order <= 0 ? x : y) as string;
      if (order <= 0) i += step;
      // Removed and added again.
      if (order >= 0) j += step;
      if (this.#has(key)) yield key;
    }
  }

  /** Puts fresh keys in order, and now and then all of them, without those that are gone. */
  #settle(): void {
    if (this.#fresh.length > 0) {
      this.#added = sortKeys(new Set([...this.#added, ...this.#fresh]));
      this.#fresh = [];
    }
    const isLong = this.#added.length > FEW + (this.#sorted.length >> 3);
    if (!isLong && this.#gone <= FEW + ((this.#sorted.length + this.#added.length) >> 1)) return;
    this.#sorted = sortKeys(new Set([...this.#sorted, ...this.#added].filter(this.#has)));
    this.#added = [];
    this.#gone = 0;
  }
}

/** Where the first key is that is not below a bound. */
function seek(keys: readonly string[], bound: string | undefined, open: number): number {
  if (bound === undefined) return open;
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(keys[middle] as string, bound) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
