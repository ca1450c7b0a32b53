/** Which version of batches everybody reads: what partitions say in `hello` and `report`, and the coordinator in `era`. */
import type { Formats } from "../link/formats.ts";
import type { Peer } from "../wire/messages.ts";

export class AgreedFormat {
  readonly #formats: Formats;
  /** What each partition said last. It counts on after a restart: nobody is written to by what an earlier incarnation said. */
  readonly #readBy = new Map<Peer, number>();
  /** As partitions were told last. */
  #told = 1;

  constructor(formats: Formats) {
    this.#formats = formats;
  }

  heard(partition: Peer, reads: number): void {
    this.#readBy.set(partition, reads);
  }

  /** The lowest of all that are registered: one that has said nothing yet reads the first. */
  lowest(registered: ReadonlySet<Peer>): number {
    let lowest: number = this.#formats.reads;
    for (const partition of registered) lowest = Math.min(lowest, this.#readBy.get(partition) ?? 1);
    return lowest;
  }

  /** Takes it for what all are told now. @returns whether it is another than before */
  settle(registered: ReadonlySet<Peer>): boolean {
    const lowest = this.lowest(registered);
    if (lowest === this.#told) return false;
    this.#told = lowest;
    this.#formats.agree(lowest);
    return true;
  }
}
