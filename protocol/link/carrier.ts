/**
 * Which answers carry a batch (docs/protocol.md, C15): one that comes of a peer's batch leaves with the answer to that, a call less. To the links on both
 * sides it is a batch like any other. Whoever has it says so with its next call, or after `receiptMs` by itself; at most one for each peer is without
 * such a receipt, and the others are calls.
 */
import { LIMITS } from "../limits.ts";
import type { Peer } from "../wire/messages.ts";

/**
 * What became of a batch: the incarnation that received it, or null when that is not known; and the one that had sent it, since every incarnation
 * begins to count its batches anew.
 */
export type Receipt = readonly [batch: number, incarnation: number | null, sender: number];

/** What comes with a batch of who takes answers that carry something: older code sends none. */
export interface Beside {
  readonly from: Peer;
  /** For batches that answers have carried. */
  readonly receipts: readonly Receipt[];
}

/** Of one instance. `Held` is an answer that waits for a batch to carry. */
export class Carrier<Held> {
  readonly #self: Peer;
  readonly #now: () => number;
  /** By who waits for it. */
  readonly #held = new Map<Peer, Held[]>();
  /** Batches that answers have carried, of which nothing is known yet, and until when anything may be; ms. */
  readonly #carried = new Map<Peer, { readonly batch: number; readonly until: number }>();
  /** For batches that answers have brought. */
  readonly #receipts = new Map<Peer, Receipt[]>();
  /** Somebody comes for the receipts, should no call take them before. */
  #receiptsWanted = false;
  /** This instance's; 0 before its first answer, when nothing can have been carried. */
  #incarnation = 0;
  #dispatching = false;

  /** @param now ms, of any clock that goes on */
  constructor(self: Peer, now: () => number) {
    this.#self = self;
    this.#now = now;
  }

  /** A dispatch will come: what is answered before it may carry what it sends. */
  dispatchWanted(): void {
    this.#dispatching = true;
  }

  get awaitsDispatch(): boolean {
    return this.#dispatching;
  }

  /** The dispatch begins. */
  dispatching(): void {
    this.#dispatching = false;
  }

  /** The dispatch has ended. Returns the answers that leave with nothing. */
  dispatched(): readonly Held[] {
    const left = [...this.#held.values()].flat();
    this.#held.clear();
    return left;
  }

  /** This instance has received a batch. */
  answering(incarnation: number): void {
    this.#incarnation = incarnation;
  }

  /** Keeps an answer until the dispatch. False where it is to leave at once. */
  hold(to: Peer, answer: Held): boolean {
    if (!this.#dispatching || this.#isCarrying(to)) return false;
    const held = this.#held.get(to);
    if (held) held.push(answer);
    else this.#held.set(to, [answer]);
    return true;
  }

  /** The answer that takes a batch with it; undefined where that is a call. */
  carry(to: Peer, batch: number): Held | undefined {
    const answer = this.#isCarrying(to) ? undefined : this.#held.get(to)?.shift();
    if (answer !== undefined) this.#carried.set(to, { batch, until: this.#now() + LIMITS.replyMs });
    return answer;
  }

  /** Behind that time, if not before, it is sent again, or its channel has ended. */
  #isCarrying(to: Peer): boolean {
    const carried = this.#carried.get(to);
    return carried !== undefined && this.#now() < carried.until;
  }

  /** It is known what became of a batch, or that nobody will say. */
  settled(to: Peer, batch: number): void {
    if (this.#carried.get(to)?.batch === batch) this.#carried.delete(to);
  }

  /** Those receipts that are for batches of this instance: they are told to the links. */
  receive({ from, receipts }: Beside): readonly Receipt[] {
    // For an instance before this one: among its own batches another may have that number.
    const own = receipts.filter(([, , sender]) => sender === this.#incarnation);
    for (const [batch] of own) this.settled(from, batch);
    return own;
  }

  /** A batch has come with an answer. Returns whether receipts are to be asked for in `receiptMs`. */
  brought(from: Peer, receipt: Receipt): boolean {
    const receipts = this.#receipts.get(from);
    if (receipts === undefined) this.#receipts.set(from, [receipt]);
    else if (receipts.push(receipt) > LIMITS.maxReceipts) receipts.shift();
    const first = !this.#receiptsWanted;
    this.#receiptsWanted = true;
    return first;
  }

  /** What goes with the next call to a peer. */
  beside(to: Peer): Beside {
    const receipts = this.#receipts.get(to) ?? [];
    this.#receipts.delete(to);
    return { from: this.#self, receipts };
  }

  /** Answers and receipts that have not left. */
  get waiting(): number {
    let waiting = 0;
    for (const held of this.#held.values()) waiting += held.length;
    for (const receipts of this.#receipts.values()) waiting += receipts.length;
    return waiting;
  }

  /** The time has come: peers that no call has gone to. */
  receiptsDue(): readonly Peer[] {
    this.#receiptsWanted = false;
    return [...this.#receipts.keys()];
  }
}
