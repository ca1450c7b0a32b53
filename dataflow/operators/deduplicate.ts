/** One event a key: the first, or always the last by event time. */

import { decodeValue, encodeValue } from "../../sdk/values.ts";
import type { Fields } from "../../sdk/index.ts";
import { type Cell, cellAt } from "../columns/column.ts";
import { NO_ROWS, type Rows } from "../columns/rows.ts";
import { type GroupId, groupIds, groupText } from "../keys.ts";
import { CACHED_GROUPS_MAX } from "../limits.ts";
import { Results } from "./groups.ts";
import { NOTHING_LATE, type ShardInput, type ShardOperator, type ShardOutput } from "./operator.ts";
import type { ShardStore } from "./store.ts";
import { firstTimer, setTimer, takeDue } from "./timers.ts";
import { GROUPS } from "./windows.ts";

export interface DeduplicateSpec {
  readonly keys: readonly string[];
  readonly fields: Fields;
  readonly keep: "first" | "last";
  readonly ttl: number | null;
  readonly emits: boolean;
}

interface Kept {
  /** Event time: of the event that is kept, or for `first` of the newest that was seen. */
  readonly time: number;
  readonly cells: readonly Cell[];
  /** The batch that it was last kept in, by this instance. */
  readonly stamp: number;
}

export class Deduplicate implements ShardOperator {
  readonly #spec: DeduplicateSpec;
  readonly #names: readonly string[];
  #kept = new Map<GroupId, Kept | null>();
  #stamp = 0;

  constructor(spec: DeduplicateSpec) {
    this.#spec = spec;
    this.#names = Object.keys(spec.fields);
  }

  apply(input: ShardInput, store: ShardStore): ShardOutput {
    this.#stamp += 1;
    const rows = input.inputs[0] as Rows;
    const out = this.#spec.keep === "first" ? this.#first(rows, input, store) : this.#last(rows, input, store);
    if (this.#spec.ttl !== null) for (const { text } of takeDue(store, input.after)) this.#due(text, input, store);
    if (this.#kept.size > CACHED_GROUPS_MAX) this.#kept = new Map();
    return { rows: out, late: NOTHING_LATE, next: this.#spec.ttl === null ? Infinity : firstTimer(store) };
  }

  #find(id: GroupId, before: number, store: ShardStore): Kept | null {
    let kept = this.#kept.get(id);
    if (kept === undefined) {
      const text = store.get(GROUPS, this.#text(id));
      kept = text === null ? null : keptOf(text);
      this.#kept.set(id, kept);
    }
    const { ttl } = this.#spec;
    if (kept === null || ttl === null || kept.time + ttl > before) return kept;
    // What came with this batch is seen in it, however far behind it is.
    return kept.stamp === this.#stamp ? kept : null;
  }

  #text(id: GroupId): string {
    return groupText(id, this.#spec.keys.length);
  }

  #keep(id: GroupId, kept: Kept, isNew: boolean, before: number, store: ShardStore): void {
    const text = this.#text(id);
    this.#kept.set(id, kept);
    store.put(GROUPS, text, encodeValue([kept.time, ...kept.cells]));
    const { ttl } = this.#spec;
    if (isNew && ttl !== null) setTimer(store, Math.floor(Math.max(kept.time, before) + ttl), text);
  }

  #first(rows: Rows, { before }: ShardInput, store: ShardStore): Rows {
    const idOf = groupIds(rows, this.#spec.keys);
    const passed: number[] = [];
    for (let row = 0; row < rows.length; row++) {
      const id = idOf(row);
      const time = rows.time[row] as number;
      const kept = this.#find(id, before, store);
      if (kept === null) passed.push(row);
      // A key that goes on being seen is not forgotten.
      if (kept === null || (this.#spec.ttl !== null && time > kept.time))
        this.#keep(id, { time, cells: [], stamp: this.#stamp }, kept === null, before, store);
    }
    return rows.pick(Uint32Array.from(passed));
  }

  #last(rows: Rows, { before }: ShardInput, store: ShardStore): Rows {
    const idOf = groupIds(rows, this.#spec.keys);
    const newest = new Map<GroupId, { old: Kept | null; row: number; time: number }>();
    for (let row = 0; row < rows.length; row++) {
      const id = idOf(row);
      const time = rows.time[row] as number;
      const known = newest.get(id);
      if (known !== undefined) {
        if (time >= known.time) Object.assign(known, { row, time });
        continue;
      }
      const old = this.#find(id, before, store);
      if (old === null || time >= old.time) newest.set(id, { old, row, time });
    }
    const columns = this.#names.map((name) => rows.column(name));
    const results = new Results(this.#spec.fields);
    for (const [id, { old, row, time }] of newest) {
      const cells = columns.map((column) => cellAt(column, row));
      this.#keep(id, { time, cells, stamp: this.#stamp }, old === null, before, store);
      if (old !== null) results.add(old.cells, time, -1);
      results.add(cells, time, 1);
    }
    return this.#spec.emits ? results.rows() : NO_ROWS;
  }

  #due(text: string, { after }: ShardInput, store: ShardStore): void {
    const stored = store.get(GROUPS, text);
    if (stored === null) return;
    const dies = Math.floor(keptOf(stored).time + (this.#spec.ttl ?? 0));
    if (dies > after) setTimer(store, dies, text);
    else {
      store.put(GROUPS, text, null);
      this.#kept = new Map();
    }
  }
}

function keptOf(text: string): Kept {
  const [time, ...cells] = decodeValue(text) as [number, ...Cell[]];
  return { time, cells, stamp: 0 };
}
