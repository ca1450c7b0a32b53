/** Batches that answers have carried and for which no receipt has come back: a later instance may send under the same numbers meanwhile. */
import type { Receipt } from "../../protocol/link/carrier.ts";
import type { Peer } from "../../protocol/wire/messages.ts";

/** Of all instances of one object. */
export class Unheard {
  /** By who has them and their number: the incarnation that sent them. */
  readonly #sentBy = new Map<Peer, Map<number, number>>();

  carried(to: Peer, [batch, , sender]: Receipt): void {
    const of = this.#sentBy.get(to) ?? new Map<number, number>();
    this.#sentBy.set(to, of.set(batch, sender));
  }

  heard(from: Peer, receipts: readonly Receipt[]): void {
    for (const [batch] of receipts) this.#sentBy.get(from)?.delete(batch);
  }

  /** Whether an earlier incarnation has sent one under that number. */
  isOf(to: Peer, batch: number, before: number): boolean {
    return (this.#sentBy.get(to)?.get(batch) ?? before) < before;
  }
}
