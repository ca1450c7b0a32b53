/** How long what is to leave, or to be written, waits for what could share its call or its write. */

/** So often in a row there was nothing else: then nothing is waited for. Under load it happens once by chance, and a wait that would have been worth it costs more. */
const ALONE_IN_A_ROW = 8;

/** Microtasks in which most user functions end that wait for nothing else: their own awaits, those of what they call, and those that their ends are put off by. */
export const FUNCTION_STEPS = 32;

/**
 * Waits one step of the event loop, in which what has arrived already is handled and functions come as far as they can; where transactions come one
 * after the other, only until the functions that run have had their turn: such a step costs as much as a small call.
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

  /**
   * Resolves when the wait is over. Rejects when a write has failed.
   * @param apart whether it must be a step of the event loop in any case
   */
  over(apart = false): Promise<void> {
    this.#alone = this.#isAlone() ? this.#alone + 1 : 0;
    return this.#alone > ALONE_IN_A_ROW && !apart ? functionsHadTheirTurn() : this.#settled();
  }
}

async function functionsHadTheirTurn(): Promise<void> {
  for (let step = 0; step < FUNCTION_STEPS; step++) await undefined;
}
