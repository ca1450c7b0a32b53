/** How long what is to leave, or to be written, waits for what could share its call or its write. */
import { STEPS_BEHIND_RETURN } from "../protocol/execution/engine.ts";

/** Microtasks between an input and what user functions that wait for nothing else make of it: some promises, and those that their ends are put off by. */
export const SOON = 4 + STEPS_BEHIND_RETURN;

/** So often in a row there was nothing else: then nothing is waited for. Under load it happens once by chance, and a wait that would have been worth it costs more. */
const ALONE_IN_A_ROW = 8;

/**
 * Waits one step of the event loop, in which what has arrived already is handled; where transactions come one after the other, only until the
 * functions that run have had their turn: such a step costs as much as a small call.
 */
export class Gathering {
  readonly #isAlone: () => boolean;
  readonly #settled: () => Promise<void>;
  #alone = 0;

  /**
   * @param isAlone whether nothing else is under way that could share anything
   * @param settled resolves when everything written so far is durable; with nothing to wait for, after one step of the event loop
   */
  constructor(isAlone: () => boolean, settled: () => Promise<void>) {
    this.#isAlone = isAlone;
    this.#settled = settled;
  }

  /** Resolves when the wait is over. Rejects when a write has failed. */
  over(): Promise<void> {
    this.#alone = this.#isAlone() ? this.#alone + 1 : 0;
    return this.#alone > ALONE_IN_A_ROW ? soon() : this.#settled();
  }
}

async function soon(): Promise<void> {
  for (let step = 0; step < SOON; step++) await undefined;
}
