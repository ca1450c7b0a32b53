/** How a table was before its last batch. A batch that is undone need not cost the memory of all those before it. */
import { invariant } from "../../assert.ts";
import type { Entry } from "./collection.ts";

/** What an entry was; its text is null where it was not there. */
interface Step {
  readonly entry: Entry;
  readonly text: string | null;
  readonly chunk: number;
}

export class Undo {
  readonly #most: number;
  #steps: Step[] | null = [];
  #units = 0;

  /** @param most characters of entries that are kept as they were: beyond that nothing can be undone */
  constructor(most: number) {
    this.#most = most;
  }

  /** Characters, about. */
  get units(): number {
    return this.#units;
  }

  /** An entry is about to change, or to go. */
  changes(entry: Entry): void {
    const { key, text, chunk } = entry;
    this.#add({ entry, text, chunk }, key.length + (text?.length ?? 0));
  }

  /** A new one has come. */
  added(entry: Entry): void {
    this.#add({ entry, text: null, chunk: entry.chunk }, entry.key.length);
  }

  #add(step: Step, units: number): void {
    if (this.#steps === null) return;
    this.#steps.push(step);
    this.#units += units;
    if (this.#units <= this.#most) return;
    this.#steps = null;
    this.#units = 0;
  }

  /** Nothing is missing. */
  get isWhole(): boolean {
    return this.#steps !== null;
  }

  /** Sets entries back, once. False when that were too many. */
  run(): boolean {
    if (this.#steps === null) return false;
    this.#swap(this.#steps);
    this.#steps = null;
    this.#units = 0;
    return true;
  }

  /** Sets entries back as long as something looks at them, which changes nothing. */
  during<T>(look: () => T): T {
    invariant(this.#steps !== null, "1: what a batch has changed is looked for and was forgotten");
    this.#steps = this.#swap(this.#steps);
    try {
      return look();
    } finally {
      this.#steps = this.#swap(this.#steps);
    }
  }

  /** Sets entries back from last to first. Returns what sets them to where they were, in the same way. */
  #swap(steps: readonly Step[]): Step[] {
    const inverse: Step[] = [];
    for (const { entry, text, chunk } of steps.toReversed()) {
      inverse.push({ entry, text: entry.text, chunk: entry.chunk });
      if (text === null) entry.of.forget(entry);
      else entry.of.restore(entry, text, chunk);
    }
    return inverse;
  }
}
