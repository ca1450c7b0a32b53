/**
 * Strict two-phase locks on keys, with wound-wait: a transaction that is blocked by a younger one wounds it; a younger
 * one waits. Holders and waiters are both compared, since the queue is a wait too.
 */
import { invariant } from "../assert.ts";

export type LockMode = "shared" | "exclusive";

/** Who asks: compared by identity, ordered by age (smaller is older; ages are unique). */
export interface LockOwner {
  readonly age: number;
  /** Keys that it holds or waits for, some perhaps twice; null for none. The table's own. */
  locks: string[] | null;
}

interface Waiter<O extends LockOwner> {
  readonly owner: O;
  readonly mode: LockMode;
  readonly granted: () => void;
}

interface Lock<O extends LockOwner> {
  /** Of all that hold it. */
  mode: LockMode;
  /** Mostly one: no map, since one is made for nearly every call. */
  readonly holders: O[];
  /** In order of age; null while there never was one. */
  queue: Waiter<O>[] | null;
}

export class LockTable<O extends LockOwner> {
  readonly #locks = new Map<string, Lock<O>>();

  /**
   * Asks for a lock. True when held on return. Otherwise `granted` is called once, later or before this returns.
   * `wound` receives every younger transaction that blocks this one; the caller aborts them, which releases their locks.
   */
  acquire(key: string, owner: O, mode: LockMode, granted: () => void, wound: (victim: O) => void): boolean {
    const lock = this.#locks.get(key);
    if (!lock) {
      this.#locks.set(key, { mode, holders: [owner], queue: null });
      note(owner, key);
      return true;
    }
    if (lock.holders.includes(owner) && (lock.mode === "exclusive" || lock.mode === mode)) return true;
    const waiter: Waiter<O> = { owner, mode, granted };
    const blockers = this.#blockers(lock, waiter);
    if (blockers.length === 0) {
      this.#hold(key, lock, waiter);
      return true;
    }
    insertByAge((lock.queue ??= []), waiter);
    note(owner, key);
    for (const blocker of blockers) if (blocker.age > owner.age) wound(blocker);
    return false;
  }

  /** Gives up everything the owner holds or waits for, then grants what that makes possible. */
  release(owner: O): void {
    const { locks } = owner;
    if (locks === null) return;
    owner.locks = null;
    for (const key of locks) {
      const lock = this.#locks.get(key);
      // Waited for and then held: it was given up the first time.
      if (lock === undefined) continue;
      const { holders, queue } = lock;
      const at = holders.indexOf(owner);
      if (queue === null) {
        if (at < 0) continue;
        if (holders.length === 1) this.#locks.delete(key);
        else holders.splice(at, 1);
        continue;
      }
      if (at >= 0) holders.splice(at, 1);
      for (let i = queue.length - 1; i >= 0; i--) if (queue[i]?.owner === owner) queue.splice(i, 1);
      this.#grant(key, lock, queue);
    }
  }

  #grant(key: string, lock: Lock<O>, queue: Waiter<O>[]): void {
    for (let i = 0; i < queue.length;) {
      const waiter = queue[i] as Waiter<O>;
      if (this.#blockers(lock, waiter).length > 0) {
        // Everybody behind is younger and conflicts with it: looking on would cost a hot key the square of its queue.
        if (waiter.mode === "exclusive") break;
        i++;
        continue;
      }
      queue.splice(i, 1);
      this.#hold(key, lock, waiter);
      waiter.granted();
    }
    if (lock.holders.length === 0 && queue.length === 0) this.#locks.delete(key);
  }

  /** Conflicting holders, and conflicting waiters that are older. */
  #blockers(lock: Lock<O>, waiter: Waiter<O>): O[] {
    const blockers: O[] = [];
    if (conflict(lock.mode, waiter.mode)) {
      for (const holder of lock.holders) if (holder !== waiter.owner) blockers.push(holder);
    }
    for (const other of lock.queue ?? []) {
      if (other.owner.age >= waiter.owner.age) break;
      if (conflict(other.mode, waiter.mode)) blockers.push(other.owner);
    }
    return blockers;
  }

  #hold(key: string, lock: Lock<O>, { owner, mode }: Waiter<O>): void {
    const { holders } = lock;
    const isHeld = holders.includes(owner);
    invariant(
      holders.length === (isHeld ? 1 : 0) || !conflict(lock.mode, mode),
      "2: two transactions hold conflicting locks",
    );
    // Its own alone: what is held for writing is not given up for reading.
    if (!isHeld || mode === "exclusive") lock.mode = mode;
    if (!isHeld) holders.push(owner);
    note(owner, key);
  }

  /** Forgets all locks and waiters; nothing is granted. */
  clear(): void {
    for (const { holders, queue } of this.#locks.values()) {
      for (const owner of holders) owner.locks = null;
      for (const { owner } of queue ?? []) owner.locks = null;
    }
    this.#locks.clear();
  }

  /** Keys with a holder or a waiter; 0 when nothing runs (invariant 6). */
  get size(): number {
    return this.#locks.size;
  }
}

function note(owner: LockOwner, key: string): void {
  if (owner.locks === null) owner.locks = [key];
  else owner.locks.push(key);
}

function conflict(a: LockMode, b: LockMode): boolean {
  return a === "exclusive" || b === "exclusive";
}

function insertByAge<O extends LockOwner>(queue: Waiter<O>[], waiter: Waiter<O>): void {
  let at = queue.length;
  while (at > 0 && (queue[at - 1] as Waiter<O>).owner.age > waiter.owner.age) at--;
  queue.splice(at, 0, waiter);
}
