/** How a table was before its last batch. A batch that is undone need not cost the memory of all those before it. */
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

  /** Sets entries back, once. False when that were too many. */
  run(): boolean {
    const steps = this.#steps;
    this.#steps = null;
    this.#units = 0;
    if (steps === null) return false;
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      if (step.text === null) step.entry.of.forget(step.entry);
      else step.entry.of.restore(step.entry, step.text, step.chunk);
    }
    return true;
  }
}
