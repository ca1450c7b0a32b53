/**
 * Aggregates over sliding windows that only go on as events: an event is added once, to the pane of its slide, and a window's result is merged
 * from its panes when it ends.
 */

import type { SlidingWindow } from "../../sdk/index.ts";
import type { Rows } from "../columns/rows.ts";
import { fromSortableWhole, type GroupId, groupIds, groupOfText, sortableWhole } from "../keys.ts";
import { CACHED_GROUPS_MAX } from "../limits.ts";
import { type AggregateSpec, type Group, Grouping, Results } from "./groups.ts";
import { NOTHING_LATE, type ShardInput, type ShardOperator, type ShardOutput } from "./operator.ts";
import { entriesFrom, entriesWith, type ShardStore } from "./store.ts";
import { BEGINS, groupKey, GROUPS } from "./windows.ts";

interface Pane {
  readonly start: number;
  groups: Map<GroupId, Group>;
  /** Every group that is stored is here. */
  complete: boolean;
}

export class PaneAggregate implements ShardOperator {
  readonly #grouping: Grouping;
  readonly #spec: AggregateSpec;
  readonly #size: number;
  readonly #slide: number;
  #panes: Map<number, Pane> | null = null;
  #stamp = 0;

  constructor(spec: AggregateSpec, { size, slide }: SlidingWindow) {
    this.#spec = spec;
    this.#grouping = new Grouping(spec);
    this.#size = size;
    this.#slide = slide;
  }

  apply({ inputs, before, after }: ShardInput, store: ShardStore): ShardOutput {
    this.#stamp += 1;
    const panes = (this.#panes ??= new Map(
      Array.from(entriesFrom(store, BEGINS, "", undefined), ([text]) => {
        const start = Number(fromSortableWhole(text));
        return [start, { start, groups: new Map<GroupId, Group>(), complete: false }] as const;
      }),
    ));
    const late = this.#take(panes, inputs[0] as Rows, before, store);
    const results = new Results(this.#spec.fields);
    for (const start of this.#ended(panes, before, after)) this.#give(panes, start, results, store);
    for (const pane of panes.values()) if (pane.start + this.#size <= after) this.#delete(panes, pane, store);
    this.#evict(panes);
    return {
      rows: results.rows(),
      late: late.length === 0 ? NOTHING_LATE : [{ input: 0, index: late }],
      next: this.#next(panes, after),
    };
  }

  #take(panes: Map<number, Pane>, rows: Rows, before: number, store: ShardStore): number[] {
    const idOf = groupIds(rows, this.#spec.keys);
    const late: number[] = [];
    const touched: Group[] = [];
    const paneOf: Pane[] = [];
    const of: number[] = [];
    const index: number[] = [];
    let pane: Pane | undefined;
    for (let row = 0; row < rows.length; row++) {
      const start = Math.floor((rows.time[row] as number) / this.#slide) * this.#slide;
      // The last window that it is in begins with its pane.
      if (start + this.#size <= before) {
        late.push(row);
        continue;
      }
      if (pane?.start !== start) pane = panes.get(start) ?? this.#begin(panes, start, store);
      const group = this.#groupOf(pane, idOf(row), store);
      if (group.stamp !== this.#stamp) {
        group.stamp = this.#stamp;
        group.index = touched.push(group) - 1;
        paneOf.push(pane);
      }
      of.push(group.index);
      index.push(row);
    }
    this.#grouping.fold(touched, Uint32Array.from(of), rows, Uint32Array.from(index));
    for (const [at, group] of touched.entries()) {
      const key = groupKey((paneOf[at] as Pane).start, this.#grouping.text(group.id));
      store.put(GROUPS, key, this.#grouping.encode(group));
    }
    return late;
  }

  #begin(panes: Map<number, Pane>, start: number, store: ShardStore): Pane {
    const pane = { start, groups: new Map<GroupId, Group>(), complete: true };
    panes.set(start, pane);
    store.put(BEGINS, sortableWhole(start), "1");
    return pane;
  }

  #groupOf(pane: Pane, id: GroupId, store: ShardStore): Group {
    const known = pane.groups.get(id);
    if (known !== undefined) return known;
    const stored = pane.complete ? null : store.get(GROUPS, groupKey(pane.start, this.#grouping.text(id)));
    const group = stored === null ? this.#grouping.fresh(id) : this.#grouping.decode(id, stored);
    pane.groups.set(id, group);
    return group;
  }

  /** Beginnings of the windows that have any event and end with this batch, in order. */
  #ended(panes: Map<number, Pane>, before: number, after: number): number[] {
    const starts = new Set<number>();
    for (const pane of panes.keys()) {
      for (let start = pane; start > pane - this.#size; start -= this.#slide) {
        const end = start + this.#size;
        if (end <= after && end > before) starts.add(start);
      }
    }
    return [...starts].sort((a, b) => a - b);
  }

  #give(panes: Map<number, Pane>, start: number, results: Results, store: ShardStore): void {
    const end = start + this.#size;
    const merged = new Map<GroupId, Group>();
    for (let at = start; at < end; at += this.#slide) {
      const pane = panes.get(at);
      if (pane === undefined) continue;
      this.#complete(pane, store);
      for (const [id, group] of pane.groups) {
        const other = merged.get(id);
        merged.set(id, other === undefined ? group : this.#merge(other, group));
      }
    }
    for (const [id, group] of merged)
      results.add([...this.#grouping.cells(id), start, end, ...this.#grouping.results(group)], end - 1, 1);
  }

  /** Neither of the two changes: both may be in other windows. */
  #merge(left: Group, right: Group): Group {
    const slots = this.#grouping.accumulators.map(({ merge }, at) => merge(left.slots[at], right.slots[at]));
    return { ...left, n: left.n + right.n, time: Math.max(left.time, right.time), slots };
  }

  #complete(pane: Pane, store: ShardStore): void {
    if (pane.complete) return;
    const prefix = groupKey(pane.start, "");
    for (const [key, text] of entriesWith(store, GROUPS, prefix)) {
      const id = groupOfText(key.slice(prefix.length), this.#spec.keys.length);
      if (!pane.groups.has(id)) pane.groups.set(id, this.#grouping.decode(id, text));
    }
    pane.complete = true;
  }

  #delete(panes: Map<number, Pane>, pane: Pane, store: ShardStore): void {
    this.#complete(pane, store);
    panes.delete(pane.start);
    for (const id of pane.groups.keys()) store.drop(GROUPS, groupKey(pane.start, this.#grouping.text(id)));
    store.drop(BEGINS, sortableWhole(pane.start));
  }

  #evict(panes: Map<number, Pane>): void {
    let groups = 0;
    for (const pane of panes.values()) groups += pane.groups.size;
    if (groups <= CACHED_GROUPS_MAX) return;
    for (const pane of panes.values()) {
      pane.groups = new Map();
      pane.complete = false;
    }
  }

  /** The end of the first window that has an event and has not ended. */
  #next(panes: Map<number, Pane>, after: number): number {
    let next = Infinity;
    for (const start of panes.keys()) {
      for (let end = start + this.#slide; end <= start + this.#size; end += this.#slide) {
        if (end > after && end < next) next = end;
      }
    }
    return next;
  }
}
