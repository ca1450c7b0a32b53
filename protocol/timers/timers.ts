/**
 * The delayed messages of a partition that are due next, however many there are: the first of the index are in memory, the others are read when
 * these have gone. Each key's are fired by a transaction of its own under that key's lock.
 */
import { LIMITS } from "../limits.ts";
import { isDamage } from "../state/blocks/damage.ts";
import type { StateStore, Write } from "../state/store.ts";
import { type Due, dueOf, duesBehind, timersOf, waitingRow } from "./timer.ts";

export interface TimersOwner {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What fires now would find room. */
  readonly mayFire: boolean;
  keeps(key: string): boolean;
  /** Starts the transaction that fires what is due of a key; `fired` follows, unless an era or the map ends it. Returns its request id. */
  fire(key: string): string;
  commit(writes: readonly Write[]): void;
}

const NEVER = Infinity;

export class Timers {
  readonly #owner: TimersOwner;
  readonly #committed: StateStore;
  /** In order of time. */
  #head: Due[] = [];
  /** Behind this row there may be some that are not in memory; null when all are. */
  #through: string | null = "";
  /** What is behind it cannot be read: those that are due later wait, all else goes on. */
  #isDamaged = false;
  /** Keys of which what is due is being fired, by the request that does. */
  readonly #firing = new Map<string, string>();
  readonly #firingKeys = new Set<string>();
  /** The map is known: until then all that is stored may be of keys that are kept here. */
  #isPlaced = false;
  /** Nothing is fired before this time, since it failed. */
  #restUntil = 0;

  constructor(owner: TimersOwner, committed: StateStore) {
    this.#owner = owner;
    this.#committed = committed;
    // A start that meets damage is told.
    this.#read();
  }

  /** Which keys are kept here is known, or has changed. */
  remap(): void {
    this.#isPlaced = true;
    this.#firing.clear();
    this.#firingKeys.clear();
    this.#head = [];
    this.#through = "";
    this.#isDamaged = false;
    this.#refill();
  }

  #refill(): void {
    if (this.#isDamaged) return;
    try {
      this.#read();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#isDamaged = true;
    }
  }

  /** Of what is stored, those of keys that are kept here; where a page has none of them, the next one is looked at in a turn of its own. */
  #read(): void {
    if (this.#head.length > 0 || this.#through === null) return;
    const page = duesBehind(this.#committed, this.#through, LIMITS.maxTimersInMemory);
    this.#head = page.filter(({ key }) => !this.#isPlaced || this.#owner.keeps(key));
    this.#through = page.length < LIMITS.maxTimersInMemory ? null : (page.at(-1) as Due).row;
  }

  /** There may be some, and none is in memory. */
  get isLooking(): boolean {
    return this.#head.length === 0 && this.#through !== null && !this.#isDamaged;
  }

  /** These writes are committed. */
  committed(writes: readonly Write[]): void {
    for (const { op, key } of writes) {
      const due = dueOf(key);
      if (due === null) continue;
      if (op === "put") this.#add(due);
      else this.#remove(due);
    }
    this.#refill();
  }

  #add(due: Due): void {
    if (this.#through !== null && due.row > this.#through) return;
    const at = this.#placeOf(due.row);
    if (this.#head[at]?.row === due.row) return;
    this.#head.splice(at, 0, due);
    if (this.#head.length <= LIMITS.maxTimersInMemory * 2) return;
    this.#head.length = LIMITS.maxTimersInMemory;
    this.#through = (this.#head.at(-1) as Due).row;
  }

  #remove({ row }: Due): void {
    const at = this.#placeOf(row);
    if (this.#head[at]?.row === row) this.#head.splice(at, 1);
  }

  #placeOf(row: string): number {
    let low = 0;
    let high = this.#head.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#head[middle] as Due).row < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** When the first is due; ms since 1970, Infinity for none, 0 while that is looked for. */
  get nextAt(): number {
    return this.#head[0]?.at ?? (this.isLooking ? 0 : NEVER);
  }

  /** Something must be done soon, by this instance if it lives. */
  get isPending(): boolean {
    return this.#firing.size > 0 || this.nextAt - this.#owner.now <= LIMITS.timerAwakeMs;
  }

  /** Starts firing what is due. Never early: the clock that counts is this partition's. */
  fire(): void {
    const { now } = this.#owner;
    if (this.isLooking) this.#refill();
    if (this.nextAt > now || now < this.#restUntil) return;
    if (this.#firing.size >= LIMITS.maxFiringKeys || !this.#owner.mayFire) return;
    for (const { at, key } of this.#head) {
      if (at > now || this.#firing.size >= LIMITS.maxFiringKeys) return;
      if (this.#firingKeys.has(key)) continue;
      this.#firingKeys.add(key);
      this.#firing.set(this.#owner.fire(key), key);
    }
  }

  /** A firing transaction has ended, well or not. False for any other request. */
  fired(requestId: string, isDone: boolean): boolean {
    const key = this.#firing.get(requestId);
    if (key === undefined) return false;
    this.#firing.delete(requestId);
    this.#firingKeys.delete(key);
    if (!isDone || !this.#forgetLost(key)) this.#restUntil = this.#owner.now + LIMITS.tickMs;
    return true;
  }

  /** Rows of the index that stand for nothing any more: they would be fired in vain for ever. False where that cannot be read. */
  #forgetLost(key: string): boolean {
    const entity = timersOf(key);
    const { now } = this.#owner;
    const left = this.#head.filter((due) => due.at <= now && due.key === key);
    let gone: Due[];
    try {
      gone = left.filter(({ id }) => this.#committed.get(waitingRow(entity, id), entity) === null);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return false;
    }
    if (gone.length > 0) this.#owner.commit(gone.map(({ row }) => ({ op: "delete", key: row, text: "" })));
    return true;
  }

  /** Those in memory: 0 when there are none at all. */
  get size(): number {
    return this.#head.length;
  }
}
