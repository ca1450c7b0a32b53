/** Partitions that ever spoke to this coordinator, in any generation: those whose reports recovery waits for. */
import { invariant } from "../assert.ts";
import { COORDINATOR, type Peer } from "../wire/messages.ts";

export class Registry {
  readonly #partitions: Set<Peer>;

  constructor(stored: string | undefined) {
    this.#partitions = new Set(stored === undefined || stored === "" ? [] : stored.split(",").map(Number));
    for (const partition of this.#partitions) {
      invariant(Number.isInteger(partition) && partition >= 0 && partition < COORDINATOR, "1: no partition's number");
    }
  }

  /**
   * True when the partition is new; then `text` is to be stored before it is told anything. One that never spoke has no records, since it
   * never heard of an era, so that nothing is missed when the write is lost.
   */
  add(partition: Peer): boolean {
    if (this.#partitions.has(partition)) return false;
    this.#partitions.add(partition);
    return true;
  }

  has(partition: Peer): boolean {
    return this.#partitions.has(partition);
  }

  get all(): ReadonlySet<Peer> {
    return this.#partitions;
  }

  get text(): string {
    return [...this.#partitions].join(",");
  }
}
