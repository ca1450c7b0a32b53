/** Times at which a share has something to do for a key, as entries in their order. */

import { AFTER_PARTS, fromSortableWhole, PART, sortableWhole } from "../keys.ts";
import { entriesFrom, type ShardStore } from "./store.ts";

const TIMERS = "t";

export interface Timer {
  readonly at: number;
  /** Of its key. */
  readonly text: string;
}

/** Of the entry: unlike that of any other timer. */
export function timerKey(at: number, text: string): string {
  return sortableWhole(at) + PART + text;
}

export function setTimer(store: ShardStore, at: number, text: string): void {
  store.put(TIMERS, timerKey(at, text), "1");
}

export function cancelTimer(store: ShardStore, at: number, text: string): void {
  store.put(TIMERS, timerKey(at, text), null);
}

/** Takes those at or before a time, in order. */
export function takeDue(store: ShardStore, after: number): Timer[] {
  if (after === -Infinity) return [];
  const due: Timer[] = [];
  const to = after === Infinity ? undefined : sortableWhole(Math.floor(after)) + AFTER_PARTS;
  for (const [key] of [...entriesFrom(store, TIMERS, "", to)]) {
    due.push({ at: Number(fromSortableWhole(key.slice(0, 16))), text: key.slice(17) });
    store.drop(TIMERS, key);
  }
  return due;
}

/** When the first is due; Infinity for none. */
export function firstTimer(store: ShardStore): number {
  const [first] = store.range(TIMERS, { limit: 1 });
  return first === undefined ? Infinity : Number(fromSortableWhole(first[0].slice(0, 16)));
}
