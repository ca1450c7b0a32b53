/** Pairs of events in the same window, given when the watermark has come to its end. */

import type { SlidingWindow, TumblingWindow } from "../../sdk/index.ts";
import { concatRows, NO_ROWS, type Rows } from "../columns/rows.ts";
import { fromSortableWhole, groupIds, groupText, PART, sortableWhole } from "../keys.ts";
import type { JoinSpec } from "./joins.ts";
import { type LateRows, NOTHING_LATE, type ShardInput, type ShardOperator, type ShardOutput } from "./operator.ts";
import { decodeKept, encodeKept, type Kept, keptRows, Pairs } from "./pairs.ts";
import { entriesFrom, entriesWith, type ShardStore } from "./store.ts";
import { BEGINS } from "./windows.ts";

const SIDES = ["l", "r"] as const;

/** It keeps nothing in memory but which windows are open: what they hold is looked at once, when they close. */
export class WindowJoin implements ShardOperator {
  readonly #spec: JoinSpec;
  readonly #pairs: Pairs;
  readonly #size: number;
  readonly #slide: number;
  #open: Set<number> | null = null;

  constructor(spec: JoinSpec, window: TumblingWindow | SlidingWindow) {
    this.#spec = spec;
    this.#pairs = new Pairs(spec);
    this.#size = window.size;
    this.#slide = window.kind === "sliding" ? window.slide : window.size;
  }

  apply(input: ShardInput, store: ShardStore): ShardOutput {
    this.#open ??= new Set(
      Array.from(entriesFrom(store, BEGINS, "", undefined), ([text]) => Number(fromSortableWhole(text))),
    );
    const open = this.#open;
    const late = ([0, 1] as const).flatMap((side) => this.#take(input, side, open, store));
    const closed = [...open].filter((start) => start + this.#size <= input.after).sort((a, b) => a - b);
    const rows = closed.map((start) => this.#close(start, open, store));
    return {
      rows: rows.length === 0 ? NO_ROWS : concatRows(rows),
      late: late.length === 0 ? NOTHING_LATE : late,
      next: [...open].reduce((least, start) => Math.min(least, start + this.#size), Infinity),
    };
  }

  #take({ inputs, before, now }: ShardInput, side: 0 | 1, open: Set<number>, store: ShardStore): LateRows[] {
    const rows = inputs[side] as Rows;
    const idOf = groupIds(rows, this.#spec.keys[side]);
    const entries = new Map<string, Kept[]>();
    const late: number[] = [];
    for (const [row, kept] of keptRows(rows, Object.keys(side === 0 ? this.#spec.left : this.#spec.right)).entries()) {
      const last = Math.floor(kept.time / this.#slide) * this.#slide;
      let taken = false;
      for (let start = last; start > kept.time - this.#size && start + this.#size > before; start -= this.#slide) {
        taken = true;
        if (!open.has(start)) {
          open.add(start);
          store.put(BEGINS, sortableWhole(start), "1");
        }
        const text = groupText(idOf(row), this.#spec.keys[0].length);
        const entry = sortableWhole(start) + PART + text + PART + sortableWhole(now);
        const list = entries.get(entry);
        if (list === undefined) entries.set(entry, [kept]);
        else list.push(kept);
      }
      if (!taken) late.push(row);
    }
    for (const [entry, kept] of entries) this.#put(store, SIDES[side], entry, kept);
    return late.length === 0 ? [] : [{ input: side, index: late }];
  }

  /** Two batches may be of one millisecond. */
  #put(store: ShardStore, collection: string, entry: string, kept: readonly Kept[]): void {
    const before = store.get(collection, entry);
    store.put(collection, entry, encodeKept(before === null ? kept : [...decodeKept(before), ...kept]));
  }

  #close(start: number, open: Set<number>, store: ShardStore): Rows {
    const [left, right] = [this.#drain(start, SIDES[0], store), this.#drain(start, SIDES[1], store)];
    for (const [text, lefts] of left) {
      const rights = right.get(text) ?? [];
      for (const one of lefts) for (const other of rights) this.#pairs.add(one, other);
    }
    open.delete(start);
    store.put(BEGINS, sortableWhole(start), null);
    return this.#pairs.take(start + this.#size - 1);
  }

  /** Rows of a window by key; they are deleted. */
  #drain(start: number, collection: string, store: ShardStore): Map<string, Kept[]> {
    const prefix = sortableWhole(start) + PART;
    const found = new Map<string, Kept[]>();
    for (const [entry, text] of [...entriesWith(store, collection, prefix)]) {
      const key = entry.slice(prefix.length, entry.lastIndexOf(PART));
      found.set(key, [...(found.get(key) ?? []), ...decodeKept(text)]);
      store.put(collection, entry, null);
    }
    return found;
  }
}
