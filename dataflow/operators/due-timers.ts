/** The timers that fire with one batch, in the order of their times: those that were due before, and those that they set meanwhile. */

import { TidegateError } from "../../sdk/errors.ts";
import { TIMERS_SET_MAX, TIMERS_STANDING_MAX } from "../limits.ts";
import type { ShardStore } from "./store.ts";
import { cancelTimer, setTimer, takeDue, type Timer, timerKey } from "./timers.ts";

/**
 * A handler may set timers that are due already, and cancel others. Were that without bounds, one that always sets another would run until the
 * platform ends the instance, with every try at the batch.
 */
export class DueTimers {
  readonly #store: ShardStore;
  /** What is at or before it is due. */
  readonly #after: number;
  readonly #due: readonly Timer[];
  #next = 0;
  /** Set meanwhile: a heap, the first in front. Of one time they are in the order in which they were set. */
  readonly #set: Array<Timer & { readonly order: number }> = [];
  #order = 0;
  /** Keys of those that are still to fire; null while they are all that are due and did not yet. */
  #left: Set<string> | null = null;
  /** By key, how many it has set for a time that had come when they were set, its own or an earlier one. */
  readonly #standing = new Map<string, number>();
  #firing: Timer | null = null;
  #wrong: string | null = null;

  constructor(store: ShardStore, after: number) {
    this.#store = store;
    this.#after = after;
    this.#due = takeDue(store, after);
  }

  /** The next one; null when there is none. @throws TidegateError `too-many-timers` */
  take(): Timer | null {
    // Here and not where it was set: a handler could catch it there.
    if (this.#wrong !== null) throw new TidegateError("too-many-timers", this.#wrong);
    for (;;) {
      const timer = this.#first();
      this.#firing = timer;
      if (timer === null) return null;
      if (this.#left === null || this.#left.delete(timerKey(timer.at, timer.text))) return timer;
    }
  }

  set(at: number, text: string): void {
    if (!(at <= this.#after)) return setTimer(this.#store, at, text);
    const key = timerKey(at, text);
    const left = this.#waiting();
    if (left.has(key)) return;
    this.#count(at, text);
    // What is to fail need not grow.
    if (this.#wrong !== null) return;
    left.add(key);
    push(this.#set, { at, text, order: this.#order++ });
  }

  cancel(at: number, text: string): void {
    if (at <= this.#after) this.#waiting().delete(timerKey(at, text));
    else cancelTimer(this.#store, at, text);
  }

  #count(at: number, text: string): void {
    if (this.#order >= TIMERS_SET_MAX)
      this.#wrong ??= `timers have set ${TIMERS_SET_MAX} others that were due in the same batch`;
    if (this.#firing === null || at > this.#firing.at) return;
    const standing = (this.#standing.get(text) ?? 0) + 1;
    this.#standing.set(text, standing);
    if (standing > TIMERS_STANDING_MAX)
      this.#wrong ??= `timers of one key have set ${TIMERS_STANDING_MAX} others in one batch for a time that had come already, ${at}`;
  }

  #waiting(): Set<string> {
    return (this.#left ??= new Set(this.#due.slice(this.#next).map(({ at, text }) => timerKey(at, text))));
  }

  #first(): Timer | null {
    const due = this.#due[this.#next];
    const [set] = this.#set;
    if (due === undefined || (set !== undefined && set.at < due.at)) return pop(this.#set);
    this.#next++;
    return due;
  }
}

interface Ordered {
  readonly at: number;
  readonly order: number;
}

const isBefore = (a: Ordered, b: Ordered): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function push<T extends Ordered>(heap: T[], item: T): void {
  let at = heap.push(item) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as T;
    if (isBefore(above, item)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = item;
}

function pop<T extends Ordered>(heap: T[]): T | null {
  const first = heap[0];
  const item = heap.pop();
  if (first === undefined || item === undefined) return null;
  if (heap.length === 0) return first;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const right = heap[left + 1];
    const child = right !== undefined && isBefore(right, heap[left] as T) ? left + 1 : left;
    const below = heap[child];
    if (below === undefined || isBefore(item, below)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = item;
  return first;
}
