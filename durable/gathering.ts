/** How long what is to leave, or to be written, waits for what could share its call or its write. */

/** So often in a row there was nothing else: then nothing is waited for. Under load it happens once by chance, and a wait that would have been worth it costs more. */
const ALONE_IN_A_ROW = 8;

/** Microtasks in which most user functions end that wait for nothing else: their own awaits, those of what they call, and those that their ends are put off by. */
export const FUNCTION_STEPS = 32;

/**
 * So many transactions, with so many keys among them, make a crowd. Transactions without keys of their own wait for those of others: they gather by
 * themselves, and whoever holds what they wait for is to be quick. Keys alone may all be those of one.
 */
const CROWD_TRANSACTIONS = 8;
const CROWD_KEYS = 4;

/** What acts in an object at present: attempts at transactions, and keys that are locked. */
export interface Load {
  readonly attempts: number;
  readonly locks: number;
}

export function isCrowd(load: Load | undefined): boolean {
  return load !== undefined && load.attempts >= CROWD_TRANSACTIONS && load.locks >= CROWD_KEYS;
}

export interface GatheringHost {
  /** Nothing else is under way that could share anything. */
  isAlone(): boolean;
  /** Resolves when everything written so far is durable; with nothing to wait for, after one step of the event loop. Rejects when a write has failed. */
  settled(): Promise<void>;
  /** Of an object that can tell. */
  readonly crowd?: Crowd;
}

export interface Crowd {
  /** So much is under way that most of what leaves will share something, if it waits for what has not been looked at yet. */
  isThere(): boolean;
  /** Resolves by a timer, whatever has become of writes: the platform starts an object over when one has failed. */
  rung(): Promise<void>;
}

/**
 * - Mostly one step of the event loop, in which what the process has taken in already is handled and functions come as far as they can.
 * - Where transactions come one after the other, only until the functions that run have had their turn: such a step costs as much as a small call.
 * - In a crowd until a timer rings, which it does behind the steps of everybody else and a look at the network: with steps alone, transactions that
 *   arrived at different times hardly ever share anything, and a thread that is never idle takes new ones in late. It takes a millisecond where
 *   there is nothing else to do.
 */
export class Gathering {
  readonly #host: GatheringHost;
  #alone = 0;

  constructor(host: GatheringHost) {
    this.#host = host;
  }

  /**
   * Resolves when the wait is over. Rejects when a write has failed and it was waited for.
   * @param apart whether it must be a step of the event loop in any case
   */
  over(apart = false): Promise<void> {
    this.#alone = this.#host.isAlone() ? this.#alone + 1 : 0;
    if (this.#alone > ALONE_IN_A_ROW && !apart) return functionsHadTheirTurn();
    const { crowd } = this.#host;
    return crowd?.isThere() === true ? crowd.rung() : this.#host.settled();
  }
}

async function functionsHadTheirTurn(): Promise<void> {
  for (let step = 0; step < FUNCTION_STEPS; step++) await undefined;
}
