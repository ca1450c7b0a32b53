/**
 * Aggregates over tumbling and sliding windows. A group's entry holds its absolute state, so that a view reads it as it is. A window gives its
 * results when the watermark has come to its end, and again for every batch that changes it within its lateness.
 */

import type { SlidingWindow, TumblingWindow } from "../../sdk/index.ts";
import type { Rows } from "../columns/rows.ts";
import { fromSortableWhole, type GroupId, groupIds, groupOfText, PART, sortableWhole } from "../keys.ts";
import { CACHED_GROUPS_MAX } from "../limits.ts";
import { type AggregateSpec, type Group, Grouping, Results } from "./groups.ts";
import { NOTHING_LATE, type ShardInput, type ShardOperator, type ShardOutput } from "./operator.ts";
import { entriesFrom, entriesWith, type ShardStore } from "./store.ts";

/** Collections: groups by window and key, and the beginnings of windows that have any. */
export const GROUPS = "g";
export const BEGINS = "b";

interface OpenWindow {
  readonly start: number;
  readonly end: number;
  groups: Map<GroupId, Group>;
  /** Every group that is stored is here. */
  complete: boolean;
}

/** Rows and groups that a batch brings together, as they are found. */
interface Assigned {
  readonly groups: Group[];
  readonly windowOf: OpenWindow[];
  readonly of: number[];
  readonly index: number[];
}

export function groupKey(start: number, text: string): string {
  return sortableWhole(start) + PART + text;
}

export class WindowAggregate implements ShardOperator {
  readonly #grouping: Grouping;
  readonly #spec: AggregateSpec;
  readonly #size: number;
  readonly #slide: number;
  /** By start; null until they were looked for. */
  #open: Map<number, OpenWindow> | null = null;
  #stamp = 0;

  constructor(spec: AggregateSpec, window: TumblingWindow | SlidingWindow) {
    this.#spec = spec;
    this.#grouping = new Grouping(spec);
    this.#size = window.size;
    this.#slide = window.kind === "sliding" ? window.slide : window.size;
  }

  apply({ inputs, before, after }: ShardInput, store: ShardStore): ShardOutput {
    this.#stamp += 1;
    const open = (this.#open ??= this.#found(store, before));
    const rows = inputs[0] as Rows;
    const results = new Results(this.#spec.fields);
    const { assigned, late } = this.#assign(open, rows, before, store);
    const { groups, windowOf } = assigned;
    this.#grouping.fold(groups, Uint32Array.from(assigned.of), rows, Uint32Array.from(assigned.index));
    for (const [at, group] of groups.entries()) {
      const window = windowOf[at] as OpenWindow;
      store.put(GROUPS, groupKey(window.start, this.#grouping.text(group.id)), this.#grouping.encode(group));
      if (window.end <= before && this.#spec.emits) this.#give(results, window, group);
    }
    this.#close(open, before, after, results, store);
    this.#evict(open);
    return {
      rows: results.rows(),
      late: late.length === 0 ? NOTHING_LATE : [{ input: 0, index: late }],
      next: this.#next(open, after),
    };
  }

  /** Windows that can still change, of those that are stored. */
  #found(store: ShardStore, before: number): Map<number, OpenWindow> {
    const open = new Map<number, OpenWindow>();
    const least = before - this.#spec.lateness - this.#size;
    const from = Number.isFinite(least) ? sortableWhole(Math.floor(least)) : "";
    for (const [text] of entriesFrom(store, BEGINS, from, undefined)) {
      const start = Number(fromSortableWhole(text));
      if (this.#expires(start) > before) open.set(start, this.#window(start, false));
    }
    return open;
  }

  #window(start: number, complete: boolean): OpenWindow {
    return { start, end: start + this.#size, groups: new Map(), complete };
  }

  #expires(start: number): number {
    return start + this.#size + this.#spec.lateness;
  }

  #assign(
    open: Map<number, OpenWindow>,
    rows: Rows,
    before: number,
    store: ShardStore,
  ): { assigned: Assigned; late: number[] } {
    const assigned: Assigned = { groups: [], windowOf: [], of: [], index: [] };
    const late: number[] = [];
    const idOf = groupIds(rows, this.#spec.keys);
    const [size, slide] = [this.#size, this.#slide];
    let window: OpenWindow | undefined;
    for (let row = 0; row < rows.length; row++) {
      const time = rows.time[row] as number;
      const last = Math.floor(time / slide) * slide;
      let taken = false;
      for (let start = last; start > time - size; start -= slide) {
        if (this.#expires(start) <= before) break;
        taken = true;
        if (window?.start !== start) window = open.get(start) ?? this.#begin(open, start, store);
        this.#place(assigned, window, idOf(row), row, before, store);
      }
      if (!taken) late.push(row);
    }
    return { assigned, late };
  }

  #begin(open: Map<number, OpenWindow>, start: number, store: ShardStore): OpenWindow {
    const window = this.#window(start, true);
    open.set(start, window);
    store.put(BEGINS, sortableWhole(start), "1");
    return window;
  }

  #place(assigned: Assigned, window: OpenWindow, id: GroupId, row: number, before: number, store: ShardStore): void {
    let group = window.groups.get(id);
    if (group === undefined) {
      const stored = window.complete ? null : store.get(GROUPS, groupKey(window.start, this.#grouping.text(id)));
      group = stored === null ? this.#grouping.fresh(id) : this.#grouping.decode(id, stored);
      window.groups.set(id, group);
    }
    if (group.stamp !== this.#stamp) {
      group.stamp = this.#stamp;
      group.index = assigned.groups.push(group) - 1;
      assigned.windowOf.push(window);
      group.old = window.end <= before && group.n > 0 && this.#spec.emits ? this.#grouping.results(group) : null;
    }
    assigned.of.push(group.index);
    assigned.index.push(row);
  }

  #give(results: Results, { start, end }: OpenWindow, group: Group): void {
    const key = this.#grouping.cells(group.id);
    if (group.old !== null) results.add([...key, start, end, ...group.old], end - 1, -1);
    results.add([...key, start, end, ...this.#grouping.results(group)], end - 1, 1);
  }

  /** Windows whose end the watermark has passed give their results; those that take nothing more are left alone, or deleted. */
  #close(open: Map<number, OpenWindow>, before: number, after: number, results: Results, store: ShardStore): void {
    const { emits, viewed } = this.#spec;
    const ended = [...open.values()].filter(({ end }) => end <= after).sort((a, b) => a.start - b.start);
    for (const window of ended) {
      const expired = this.#expires(window.start) <= after;
      if (emits && window.end > before) {
        this.#complete(window, store);
        for (const group of window.groups.values()) {
          group.old = null;
          this.#give(results, window, group);
        }
      }
      if (!expired) continue;
      open.delete(window.start);
      if (!viewed) this.#delete(window, store);
    }
  }

  #complete(window: OpenWindow, store: ShardStore): void {
    if (window.complete) return;
    const prefix = groupKey(window.start, "");
    for (const [key, text] of entriesWith(store, GROUPS, prefix)) {
      const id = groupOfText(key.slice(prefix.length), this.#spec.keys.length);
      if (!window.groups.has(id)) window.groups.set(id, this.#grouping.decode(id, text));
    }
    window.complete = true;
  }

  #delete(window: OpenWindow, store: ShardStore): void {
    this.#complete(window, store);
    for (const { id } of window.groups.values()) store.drop(GROUPS, groupKey(window.start, this.#grouping.text(id)));
    store.drop(BEGINS, sortableWhole(window.start));
  }

  /** What is in memory stays bounded: everything of it is stored. */
  #evict(open: Map<number, OpenWindow>): void {
    let groups = 0;
    for (const window of open.values()) groups += window.groups.size;
    if (groups <= CACHED_GROUPS_MAX) return;
    for (const window of open.values()) {
      window.groups = new Map();
      window.complete = false;
    }
  }

  /** A view alone needs no call where events bring the time: what it shows is final when the watermark says so. */
  #next(open: Map<number, OpenWindow>, after: number): number {
    const { emits, viewed, woken } = this.#spec;
    let next = Infinity;
    for (const { start, end } of open.values()) {
      const at = emits && end > after ? end : viewed && !woken ? Infinity : this.#expires(start);
      if (at < next) next = at;
    }
    return next;
  }
}
