/** Pairs of events in the same window, given when the watermark has come to its end. */

import type { SlidingWindow, TumblingWindow } from "../../sdk/index.ts";
import { concatRows, NO_ROWS, type Rows } from "../columns/rows.ts";
import { type PackedRows, packRows, unpackRows } from "../columns/wire.ts";
import { fromSortableWhole, type GroupId, groupIds, PART, sortableWhole } from "../keys.ts";
import { CHUNK_ROWS_UNITS, PAIRS_TOGETHER } from "../limits.ts";
import type { JoinSpec } from "./joins.ts";
import { type LateRows, NOTHING_LATE, type ShardInput, type ShardOperator, type ShardOutput } from "./operator.ts";
import { PairProgram, PairsGiven } from "./pairs.ts";
import { entriesFrom, entriesWith, type ShardStore } from "./store.ts";
import { BEGINS } from "./windows.ts";

/** Collections: rows of each side, an entry for each window and batch. */
const SIDES = ["l", "r"] as const;

/** It keeps nothing in memory but which windows are open: what they hold is looked at once, when they close. */
export class WindowJoin implements ShardOperator {
  readonly #spec: JoinSpec;
  readonly #pairs: PairProgram;
  readonly #size: number;
  readonly #slide: number;
  #open: Set<number> | null = null;

  constructor(spec: JoinSpec, window: TumblingWindow | SlidingWindow) {
    this.#spec = spec;
    this.#pairs = new PairProgram(spec);
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
    const given = new PairsGiven();
    for (const start of closed) this.#close(start, open, store, given);
    return {
      rows: given.rows,
      late: late.length === 0 ? NOTHING_LATE : late,
      next: [...open].reduce((least, start) => Math.min(least, start + this.#size), Infinity),
    };
  }

  #take({ inputs, before, now }: ShardInput, side: 0 | 1, open: Set<number>, store: ShardStore): LateRows[] {
    const rows = inputs[side] as Rows;
    const byWindow = new Map<number, number[]>();
    const late: number[] = [];
    for (let row = 0; row < rows.length; row++) {
      const time = rows.time[row] as number;
      const last = Math.floor(time / this.#slide) * this.#slide;
      let taken = false;
      for (let start = last; start > time - this.#size && start + this.#size > before; start -= this.#slide) {
        taken = true;
        const list = byWindow.get(start);
        if (list === undefined) byWindow.set(start, [row]);
        else list.push(row);
      }
      if (!taken) late.push(row);
    }
    const names = Object.keys(side === 0 ? this.#spec.left : this.#spec.right);
    for (const [start, index] of byWindow) {
      if (!open.has(start)) {
        open.add(start);
        store.put(BEGINS, sortableWhole(start), "1");
      }
      const part = index.length === rows.length ? rows : rows.pick(Uint32Array.from(index));
      for (const text of packed(part, names)) store.put(SIDES[side], freeKey(store, SIDES[side], start, now), text);
    }
    return late.length === 0 ? [] : [{ input: side, index: late }];
  }

  #close(start: number, open: Set<number>, store: ShardStore, given: PairsGiven): void {
    const left = drain(start, SIDES[0], store);
    const right = drain(start, SIDES[1], store);
    open.delete(start);
    store.drop(BEGINS, sortableWhole(start));
    const byKey = new Map<GroupId, number[]>();
    const rightId = groupIds(right, this.#spec.keys[1]);
    for (let row = 0; row < right.length; row++) {
      const id = rightId(row);
      const list = byKey.get(id);
      if (list === undefined) byKey.set(id, [row]);
      else list.push(row);
    }
    const lefts: number[] = [];
    const rights: number[] = [];
    const leftId = groupIds(left, this.#spec.keys[0]);
    const give = (): void => {
      const sides = [left.pick(Uint32Array.from(lefts)), right.pick(Uint32Array.from(rights))] as const;
      given.add(this.#pairs.run(sides, new Float64Array(lefts.length).fill(start + this.#size - 1)));
      lefts.length = 0;
      rights.length = 0;
    };
    for (let row = 0; row < left.length; row++) {
      for (const other of byKey.get(leftId(row)) ?? []) {
        if (lefts.length === PAIRS_TOGETHER) give();
        lefts.push(row);
        rights.push(other);
      }
    }
    give();
  }
}

/** As texts of which each is an entry. */
function packed(rows: Rows, names: readonly string[]): string[] {
  const text = JSON.stringify(packRows(rows, names));
  if (text.length <= CHUNK_ROWS_UNITS || rows.length <= 1) return [text];
  const all = Uint32Array.from({ length: rows.length }, (_, row) => row);
  const half = Math.ceil(rows.length / 2);
  return [all.subarray(0, half), all.subarray(half)].flatMap((part) => packed(rows.pick(part), names));
}

/** A key for what one batch brings: two batches may be of one millisecond. */
function freeKey(store: ShardStore, collection: string, start: number, now: number): string {
  const prefix = sortableWhole(start) + PART + sortableWhole(now) + PART;
  for (let number = 0; ; number++) {
    const key = prefix + sortableWhole(number);
    if (store.get(collection, key) === null) return key;
  }
}

/** All rows of a window; they are deleted. */
function drain(start: number, collection: string, store: ShardStore): Rows {
  const parts: Rows[] = [];
  for (const [entry, text] of [...entriesWith(store, collection, sortableWhole(start) + PART)]) {
    parts.push(unpackRows(JSON.parse(text) as PackedRows));
    store.drop(collection, entry);
  }
  return parts.length === 0 ? NO_ROWS : concatRows(parts);
}
