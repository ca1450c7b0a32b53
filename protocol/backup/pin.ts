/**
 * Committed state as it was when this was made, read in key order, some pairs a turn, while commits go on: before a commit changes a pair that
 * is yet to be read, what the pair held is kept (an undo image). Images are bounded; beyond that the pin is broken and says so: what it
 * would read is never a mixture.
 */
import { LIMITS } from "../limits.ts";
import { entityOf } from "../state/indexes.ts";
import { compareKeys } from "../state/state-key.ts";
import type { Change, StateStore, Write } from "../state/store.ts";

/** Thrown by reads of a pin that is broken. */
export class PinBroken extends Error {
  override readonly name = "PinBroken";
}

const IMAGE_OVERHEAD = 80;
/** Stored pairs read at a time. */
const PAGE = 500;
/** Behind a key it is above that and below every other: U+0000 is in none. */
const NEXT = "\u0001";

export class Pin {
  readonly #store: StateStore;
  readonly #from: string;
  readonly #to: string;
  readonly #page: number;
  /** Keys whose newest change is in no row, ascending; and those whose rows were void. */
  readonly #unfolded: readonly string[];
  readonly #isUnfolded: ReadonlySet<string>;
  readonly #cleared: ReadonlySet<string>;
  /** What keys held that have changed since; null for nothing. */
  readonly #images = new Map<string, Change>();
  #bytes = 0;
  /** The newest pair that was read: of those up to it nothing need be kept. */
  #passed = "";
  #broken: string | null = null;

  /**
   * @param from first state key; `to` is behind the last
   * @param page stored pairs that are read at a time
   */
  constructor(store: StateStore, from: string, to: string, page = PAGE) {
    this.#store = store;
    this.#from = from;
    this.#to = to;
    this.#page = page;
    const { keys, cleared } = store.unfoldedWithin(from, to);
    this.#unfolded = keys;
    this.#isUnfolded = new Set(keys);
    this.#cleared = cleared;
  }

  /** These are about to be applied, in this order. */
  keep(writes: readonly Write[]): void {
    if (this.#broken !== null) return;
    for (const write of writes) {
      if (write.op !== "clear") this.#keep(write.key, () => this.#store.read(write.key, entityOf(write.key)));
      else if (!this.#keepAll(write.key)) break;
    }
    if (this.#bytes > LIMITS.pinBytes) this.breakForMuch();
  }

  #keep(key: string, before: () => Change): void {
    if (!this.#isAhead(key) || this.#images.has(key)) return;
    const image = before();
    this.#images.set(key, image);
    this.#bytes += IMAGE_OVERHEAD + key.length + (image?.length ?? 0);
  }

  /** Everything under an entity; false when that is too much. */
  #keepAll(entity: string): boolean {
    for (const [key, text] of this.#store.under(entity)) {
      this.#keep(key, () => text);
      if (this.#bytes > LIMITS.pinBytes) return false;
    }
    return true;
  }

  #isAhead(key: string): boolean {
    return compareKeys(key, this.#passed) > 0 && compareKeys(key, this.#from) >= 0 && compareKeys(key, this.#to) < 0;
  }

  /** It would hold more than may wait for who reads it. */
  breakForMuch(): void {
    this.break("more has changed meanwhile than can be kept; try again when less is written");
  }

  /** Nothing can be read any more. */
  break(why: string): void {
    this.#broken ??= why;
    this.#images.clear();
    this.#bytes = 0;
  }

  /** All pairs, ascending. To be consumed little by little. @throws PinBroken */
  *pairs(): Generator<[key: string, text: string]> {
    let from = this.#from;
    let unfolded = 0;
    for (;;) {
      this.check();
      const stored = this.#store.storedWithin(from, this.#to, this.#page);
      const last = stored.length < this.#page ? null : (stored.at(-1) as [string, string])[0];
      const found = new Map<string, string | null>(stored);
      for (; unfolded < this.#unfolded.length; unfolded++) {
        const key = this.#unfolded[unfolded] as string;
        if (last !== null && compareKeys(key, last) > 0) break;
        if (!found.has(key)) found.set(key, null);
      }
      // Rows that a fold has deleted since.
      for (const key of this.#images.keys())
        if (this.#isAhead(key) && isUpTo(key, last) && !found.has(key)) found.set(key, null);
      for (const key of [...found.keys()].sort(compareKeys)) {
        this.check();
        const text = this.#textOf(key, found.get(key) ?? null);
        this.#passed = key;
        this.#forget(key);
        if (text !== null) yield [key, text];
      }
      if (last === null) break;
      from = last + NEXT;
    }
    // Nothing need be kept any more, nor can that break it.
    this.#passed = this.#to;
  }

  get isBroken(): boolean {
    return this.#broken !== null;
  }

  /** @throws PinBroken */
  check(): void {
    if (this.#broken !== null) throw new PinBroken(this.#broken);
  }

  #textOf(key: string, stored: string | null): Change {
    const image = this.#images.get(key);
    if (image !== undefined) return image;
    // It has not changed since, so that what it holds now is what it held.
    if (this.#isUnfolded.has(key)) return this.#store.read(key, entityOf(key));
    return this.#cleared.has(entityOf(key)) ? null : stored;
  }

  #forget(key: string): void {
    const image = this.#images.get(key);
    if (image === undefined) return;
    this.#images.delete(key);
    this.#bytes -= IMAGE_OVERHEAD + key.length + (image?.length ?? 0);
  }
}

function isUpTo(key: string, last: string | null): boolean {
  return last === null || compareKeys(key, last) <= 0;
}
