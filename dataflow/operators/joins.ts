/** Joins whose pairs are given as they come about: within bounds of time, all of them, and with a table. */

import type { JoinRule } from "../../sdk/index.ts";
import type { Rows } from "../columns/rows.ts";
import { type GroupId, groupIds, groupOfText, groupText } from "../keys.ts";
import { CACHED_GROUPS_MAX } from "../limits.ts";
import { JoinKey, type SideNumber } from "./join-key.ts";
import { type LateRows, NOTHING_LATE, type ShardInput, type ShardOperator, type ShardOutput } from "./operator.ts";
import { decodeKept, encodeKept, type Kept, keptReader, Pairs, type PairSpec } from "./pairs.ts";
import type { ShardStore } from "./store.ts";
import { firstTimer, setTimer, takeDue } from "./timers.ts";

export interface JoinSpec extends PairSpec {
  /** Fields of the key, by side. */
  readonly keys: readonly [readonly string[], readonly string[]];
  readonly rule: JoinRule;
}

/** Collection of the table's rows by key. */
const TABLE = "r";

export class PairJoin implements ShardOperator {
  readonly #spec: JoinSpec;
  readonly #pairs: Pairs;
  /** By side: how long a row is kept behind its time; null for ever. */
  readonly #keep: readonly [number | null, number | null];
  #keys = new Map<GroupId, JoinKey>();
  #stamp = 0;

  constructor(spec: JoinSpec) {
    this.#spec = spec;
    this.#pairs = new Pairs(spec);
    const { rule } = spec;
    if (rule.kind === "interval") this.#keep = [rule.after, rule.before];
    else this.#keep = rule.kind === "all" ? [rule.keep, rule.keep] : [null, null];
  }

  apply(input: ShardInput, store: ShardStore): ShardOutput {
    this.#stamp += 1;
    const touched: JoinKey[] = [];
    // New right rows first: they meet what was left before, and new left ones meet them.
    const lateRight = this.#take(input, 1, touched, store);
    const late = [...this.#take(input, 0, touched, store), ...lateRight];
    for (const key of touched) this.#store(key, input, store);
    if (this.#isTimed) for (const { text } of takeDue(store, input.after)) this.#due(text, input.after, store);
    if (this.#keys.size > CACHED_GROUPS_MAX) this.#keys = new Map();
    return {
      rows: this.#pairs.take(),
      late: late.length === 0 ? NOTHING_LATE : late,
      next: this.#isTimed ? firstTimer(store) : Infinity,
    };
  }

  get #isTimed(): boolean {
    return this.#keep[0] !== null || this.#keep[1] !== null;
  }

  #isLate(time: number, side: SideNumber, watermark: number): boolean {
    const keep = this.#keep[side];
    return keep !== null && time + keep < watermark;
  }

  #take({ inputs, before }: ShardInput, side: SideNumber, touched: JoinKey[], store: ShardStore): LateRows[] {
    const rows = inputs[side] as Rows;
    if (rows.length === 0) return [];
    const idOf = groupIds(rows, this.#spec.keys[side]);
    const keptAt = keptReader(rows, Object.keys(side === 0 ? this.#spec.left : this.#spec.right));
    const late: number[] = [];
    for (let row = 0; row < rows.length; row++) {
      if (this.#isLate(rows.time[row] as number, side, before)) {
        late.push(row);
        continue;
      }
      const key = this.#of(idOf(row), store);
      const kept = keptAt(row);
      this.#match(key, kept, side, before);
      key.add(side, kept);
      if (key.stamp === this.#stamp) continue;
      key.stamp = this.#stamp;
      touched.push(key);
    }
    return late.length === 0 ? [] : [{ input: side, index: late }];
  }

  /** A row whose time is over may still be there, with others that came with it: what comes is not to depend on what came together. */
  #match(key: JoinKey, one: Kept, side: SideNumber, watermark: number): void {
    if (side === 0) {
      key.each(1, (other) => {
        if (!this.#isLate(other[0], 1, watermark) && this.#fits(one[0], other[0])) this.#pairs.add(one, other);
      });
    } else {
      key.each(0, (other) => {
        if (!this.#isLate(other[0], 0, watermark) && this.#fits(other[0], one[0])) this.#pairs.add(other, one);
      });
    }
  }

  #fits(left: number, right: number): boolean {
    const { rule } = this.#spec;
    return rule.kind !== "interval" || (right >= left - rule.before && right <= left + rule.after);
  }

  #store(key: JoinKey, { after }: ShardInput, store: ShardStore): void {
    for (const side of [1, 0] as const) {
      const fresh = this.#isTimed ? key.fresh(side) : [];
      const over = fresh.length === 0 ? Infinity : this.#over(fresh, side);
      if (over === Infinity) continue;
      setTimer(store, Number.isFinite(after) ? Math.max(over, Math.floor(after) + 1) : over, key.text);
    }
    key.keep(store);
  }

  /** The watermark at which the last of some rows is of no use any more; Infinity where none ever is. */
  #over(rows: readonly Kept[], side: SideNumber): number {
    const keep = this.#keep[side];
    if (keep === null) return Infinity;
    return Math.floor(rows.reduce((latest, [time]) => Math.max(latest, time), -Infinity) + keep) + 1;
  }

  #of(id: GroupId, store: ShardStore): JoinKey {
    let key = this.#keys.get(id);
    if (key === undefined) {
      key = JoinKey.read(groupText(id, this.#spec.keys[0].length), store);
      this.#keys.set(id, key);
    }
    return key;
  }

  #due(text: string, after: number, store: ShardStore): void {
    const id = groupOfText(text, this.#spec.keys[0].length);
    const key = this.#of(id, store);
    const next = [0, 1].map((side) =>
      key.expire(side as SideNumber, after, (rows) => this.#over(rows, side as SideNumber), store),
    );
    key.keep(store);
    const soonest = Math.min(...next);
    if (soonest < Infinity) setTimer(store, soonest, text);
    else if (key.isEmpty) this.#keys.delete(id);
  }
}

/** Each left row with the right row of its key that is newest by event time. */
export class TableJoin implements ShardOperator {
  readonly #spec: JoinSpec;
  readonly #pairs: Pairs;
  #table = new Map<GroupId, Kept | null>();

  constructor(spec: JoinSpec) {
    this.#spec = spec;
    this.#pairs = new Pairs(spec);
  }

  apply({ inputs }: ShardInput, store: ShardStore): ShardOutput {
    const [left, right] = inputs as readonly [Rows, Rows];
    const rightId = groupIds(right, this.#spec.keys[1]);
    const rightAt = keptReader(right, Object.keys(this.#spec.right));
    for (let row = 0; row < right.length; row++) {
      const kept = rightAt(row);
      const id = rightId(row);
      const known = this.#find(id, store);
      if (known !== null && known[0] > kept[0]) continue;
      this.#table.set(id, kept);
      store.put(TABLE, groupText(id, this.#spec.keys[1].length), encodeKept([kept]));
    }
    const leftId = groupIds(left, this.#spec.keys[0]);
    const leftAt = keptReader(left, Object.keys(this.#spec.left));
    for (let row = 0; row < left.length; row++) {
      const found = this.#find(leftId(row), store);
      if (found === null) continue;
      const kept = leftAt(row);
      // The table's row counts as of the left row's time.
      this.#pairs.add(kept, [kept[0], ...found.slice(1)]);
    }
    if (this.#table.size > CACHED_GROUPS_MAX) this.#table = new Map();
    return { rows: this.#pairs.take(), late: NOTHING_LATE, next: Infinity };
  }

  #find(id: GroupId, store: ShardStore): Kept | null {
    const known = this.#table.get(id);
    if (known !== undefined) return known;
    const text = store.get(TABLE, groupText(id, this.#spec.keys[1].length));
    const [kept = null] = text === null ? [] : decodeKept(text);
    this.#table.set(id, kept);
    return kept;
  }
}
