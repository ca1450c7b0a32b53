/** The attempts that act here, by their ids: those of roots of this partition and those that other partitions' roots have called into. */
import type { Peer, TransactionId } from "../wire/messages.ts";
import type { Attempt } from "./attempt.ts";

/** Two numbers of an id as one: a partition has fewer than 2**8 peers, and incarnations are far below 2**44. */
function instanceOf(root: Peer, incarnation: number): number {
  return incarnation * 2 ** 8 + root;
}

export class AttemptTable {
  readonly #instances = new Map<number, Map<number, Attempt>>();

  find({ root, incarnation, attempt }: TransactionId): Attempt | undefined {
    return this.#instances.get(instanceOf(root, incarnation))?.get(attempt);
  }

  add(attempt: Attempt): void {
    const { root, incarnation, attempt: number } = attempt.id;
    const instance = instanceOf(root, incarnation);
    const known = this.#instances.get(instance);
    if (known) known.set(number, attempt);
    else this.#instances.set(instance, new Map([[number, attempt]]));
  }

  delete({ id }: Attempt): void {
    const instance = instanceOf(id.root, id.incarnation);
    const attempts = this.#instances.get(instance);
    if (attempts?.delete(id.attempt) && attempts.size === 0) this.#instances.delete(instance);
  }

  /** All of them, as they are now. */
  all(): Attempt[] {
    return [...this.#instances.values()].flatMap((attempts) => [...attempts.values()]);
  }

  clear(): void {
    this.#instances.clear();
  }

  get size(): number {
    let size = 0;
    for (const attempts of this.#instances.values()) size += attempts.size;
    return size;
  }

  /** At most one transaction is under way here, and of that one function and one call to another partition. */
  get isAlone(): boolean {
    return this.size <= 1 && this.all().every(isNarrow);
  }
}

/** A function, what it has called elsewhere, or both. */
function isNarrow({ live }: Attempt): boolean {
  return live.size <= 1 || (live.size === 2 && live.values().some(({ remote }) => remote !== null));
}
