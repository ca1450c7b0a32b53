/** Aggregates without windows: one group a key, which gives its new result with every batch that changes it, and takes back the one before. */

import { NO_ROWS, type Rows } from "../columns/rows.ts";
import { type GroupId, groupIds, groupOfText } from "../keys.ts";
import { CACHED_GROUPS_MAX } from "../limits.ts";
import { type AggregateSpec, type Group, Grouping, Results } from "./groups.ts";
import { NOTHING_LATE, type ShardInput, type ShardOperator, type ShardOutput } from "./operator.ts";
import type { ShardStore } from "./store.ts";
import { firstTimer, setTimer, takeDue } from "./timers.ts";
import { GROUPS } from "./windows.ts";

export class RunningAggregate implements ShardOperator {
  readonly #grouping: Grouping;
  readonly #spec: AggregateSpec;
  #groups = new Map<GroupId, Group>();
  #stamp = 0;

  constructor(spec: AggregateSpec) {
    this.#spec = spec;
    this.#grouping = new Grouping(spec);
  }

  apply({ inputs, before, after }: ShardInput, store: ShardStore): ShardOutput {
    this.#stamp += 1;
    const rows = inputs[0] as Rows;
    const touched: Group[] = [];
    const of = new Uint32Array(rows.length);
    const index = Uint32Array.from(of, (_, row) => row);
    const idOf = groupIds(rows, this.#spec.keys);
    for (let row = 0; row < rows.length; row++) {
      const group = this.#groupOf(idOf(row), before, store);
      if (group.stamp !== this.#stamp) {
        group.stamp = this.#stamp;
        group.index = touched.push(group) - 1;
        group.old = group.n > 0 && this.#spec.emits ? this.#grouping.results(group) : null;
        if (group.n === 0 && this.#spec.ttl !== null) {
          const dies = Math.max(rows.time[row] as number, before) + this.#spec.ttl;
          setTimer(store, Math.floor(dies), this.#grouping.text(group.id));
        }
      }
      of[row] = group.index;
    }
    this.#grouping.fold(touched, of, rows, index);
    const results = new Results(this.#spec.fields);
    for (const group of touched) this.#keep(group, results, store);
    if (this.#spec.ttl !== null) for (const { text } of takeDue(store, after)) this.#due(text, after, store);
    if (this.#groups.size > CACHED_GROUPS_MAX) this.#groups = new Map();
    return {
      rows: this.#spec.emits ? results.rows() : NO_ROWS,
      late: NOTHING_LATE,
      next: this.#spec.ttl === null ? Infinity : firstTimer(store),
    };
  }

  #groupOf(id: GroupId, before: number, store: ShardStore): Group {
    let group = this.#groups.get(id);
    if (group === undefined) {
      const stored = store.get(GROUPS, this.#grouping.text(id));
      group = stored === null ? this.#grouping.fresh(id) : this.#grouping.decode(id, stored);
      this.#groups.set(id, group);
    }
    const { ttl } = this.#spec;
    if (ttl === null || group.stamp === this.#stamp || group.time + ttl > before) return group;
    const fresh = this.#grouping.fresh(id);
    this.#groups.set(id, fresh);
    return fresh;
  }

  #keep(group: Group, results: Results, store: ShardStore): void {
    const text = this.#grouping.text(group.id);
    store.put(GROUPS, text, group.n > 0 ? this.#grouping.encode(group) : null);
    // It begins anew, whether memory is lost meanwhile or not: sums of doubles may be next to 0 by now.
    if (group.n <= 0) this.#groups.delete(group.id);
    if (!this.#spec.emits) return;
    const key = this.#grouping.cells(group.id);
    if (group.old !== null) results.add([...key, ...group.old], group.time, -1);
    if (group.n > 0) results.add([...key, ...this.#grouping.results(group)], group.time, 1);
  }

  #due(text: string, after: number, store: ShardStore): void {
    const id = groupOfText(text, this.#spec.keys.length);
    const group = this.#groupOf(id, -Infinity, store);
    const dies = Math.floor(group.time + (this.#spec.ttl ?? 0));
    if (group.n > 0 && dies > after) setTimer(store, dies, text);
    else {
      store.put(GROUPS, text, null);
      this.#groups.delete(id);
    }
  }
}
