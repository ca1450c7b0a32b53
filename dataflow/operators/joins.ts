/** Joins whose pairs are given as they come about: within bounds of time, all of them, and with a table. */

import type { JoinRule } from "../../sdk/index.ts";
import type { Rows } from "../columns/rows.ts";
import { type GroupId, groupIds, groupOfText, groupText, PART, sortableWhole } from "../keys.ts";
import { CACHED_GROUPS_MAX } from "../limits.ts";
import { type LateRows, NOTHING_LATE, type ShardInput, type ShardOperator, type ShardOutput } from "./operator.ts";
import { decodeKept, encodeKept, type Kept, keptRows, Pairs, type PairSpec } from "./pairs.ts";
import type { ShardStore } from "./store.ts";
import { firstTimer, setTimer, takeDue } from "./timers.ts";

export interface JoinSpec extends PairSpec {
  /** Fields of the key, by side. */
  readonly keys: readonly [readonly string[], readonly string[]];
  readonly rule: JoinRule;
}

/** Collections: rows of the two sides, an entry for each key and batch; by key, which entries there are; the table's rows by key. */
const SIDES = ["l", "r"] as const;
const EXTENT = "m";
const TABLE = "r";

/** What one batch wrote of a key. */
interface Chunk {
  readonly number: number;
  readonly rows: readonly Kept[];
}
/** By side. */
type Stored = readonly [Chunk[], Chunk[]];
/** By side: the first chunk that may be there, and the next to be written. Entries are found by their keys: a range would be looked for among all. */
type Extent = readonly [number, number, number, number];

export class PairJoin implements ShardOperator {
  readonly #spec: JoinSpec;
  readonly #pairs: Pairs;
  /** By side: how long a row is kept behind its time; null for ever. */
  readonly #keep: readonly [number | null, number | null];
  #keys = new Map<GroupId, Stored>();

  constructor(spec: JoinSpec) {
    this.#spec = spec;
    this.#pairs = new Pairs(spec);
    const { rule } = spec;
    if (rule.kind === "interval") this.#keep = [rule.after, rule.before];
    else this.#keep = rule.kind === "all" ? [rule.keep, rule.keep] : [null, null];
  }

  apply(input: ShardInput, store: ShardStore): ShardOutput {
    const late = [0, 1].flatMap((side) => this.#late(input, side as 0 | 1));
    const left = this.#byKey(input, 0);
    const right = this.#byKey(input, 1);
    // New right rows first, so that new left ones meet them; then new right ones meet what was left before.
    for (const [id, kept] of right) this.#match(this.#of(id, store)[0], kept, 1, input.before);
    for (const [id, kept] of right) this.#add(id, kept, 1, input, store);
    for (const [id, kept] of left) {
      this.#match(this.#of(id, store)[1], kept, 0, input.before);
      this.#add(id, kept, 0, input, store);
    }
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

  #isLate(time: number, side: 0 | 1, watermark: number): boolean {
    const keep = this.#keep[side];
    return keep !== null && time + keep < watermark;
  }

  #late({ inputs, before }: ShardInput, side: 0 | 1): LateRows[] {
    const rows = inputs[side] as Rows;
    const index: number[] = [];
    for (let row = 0; row < rows.length; row++)
      if (this.#isLate(rows.time[row] as number, side, before)) index.push(row);
    return index.length === 0 ? [] : [{ input: side, index }];
  }

  #byKey({ inputs, before }: ShardInput, side: 0 | 1): Map<GroupId, Kept[]> {
    const rows = inputs[side] as Rows;
    const idOf = groupIds(rows, this.#spec.keys[side]);
    const kept = keptRows(rows, Object.keys(side === 0 ? this.#spec.left : this.#spec.right));
    const found = new Map<GroupId, Kept[]>();
    for (const [row, one] of kept.entries()) {
      if (this.#isLate(one.time, side, before)) continue;
      const id = idOf(row);
      const list = found.get(id);
      if (list === undefined) found.set(id, [one]);
      else list.push(one);
    }
    return found;
  }

  /** A row whose time is over may still be there, with others of its chunk: what comes is not to depend on what came together. */
  #match(stored: readonly Chunk[], fresh: readonly Kept[], side: 0 | 1, watermark: number): void {
    const otherSide = side === 0 ? 1 : 0;
    for (const one of fresh) {
      for (const { rows } of stored) {
        for (const other of rows) {
          if (this.#isLate(other.time, otherSide, watermark)) continue;
          const [left, right] = side === 0 ? [one, other] : [other, one];
          if (this.#fits(left.time, right.time)) this.#pairs.add(left, right);
        }
      }
    }
  }

  #fits(left: number, right: number): boolean {
    const { rule } = this.#spec;
    return rule.kind !== "interval" || (right >= left - rule.before && right <= left + rule.after);
  }

  #add(id: GroupId, rows: readonly Kept[], side: 0 | 1, { after }: ShardInput, store: ShardStore): void {
    const stored = this.#of(id, store);
    const text = groupText(id, this.#spec.keys[0].length);
    const number = nextOf(stored[side]);
    store.put(SIDES[side], chunkKey(text, number), encodeKept(rows));
    stored[side].push({ number, rows });
    this.#keepExtent(text, stored, store);
    const dies = this.#dies(rows, side);
    if (dies !== null) setTimer(store, Math.max(dies, Number.isFinite(after) ? Math.floor(after) + 1 : dies), text);
  }

  /** The watermark at which the last of some rows is of no use any more. */
  #dies(rows: readonly Kept[], side: 0 | 1): number | null {
    const keep = this.#keep[side];
    if (keep === null) return null;
    return Math.floor(rows.reduce((latest, { time }) => Math.max(latest, time), -Infinity) + keep) + 1;
  }

  #of(id: GroupId, store: ShardStore): Stored {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const text = groupText(id, this.#spec.keys[0].length);
    const extent = JSON.parse(store.get(EXTENT, text) ?? "[0,0,0,0]") as Extent;
    const stored: Stored = [readChunks(store, text, extent, 0), readChunks(store, text, extent, 1)];
    this.#keys.set(id, stored);
    return stored;
  }

  #keepExtent(text: string, [left, right]: Stored, store: ShardStore): void {
    if (left.length === 0 && right.length === 0) return store.put(EXTENT, text, null);
    const extent: Extent = [left[0]?.number ?? 0, nextOf(left), right[0]?.number ?? 0, nextOf(right)];
    store.put(EXTENT, text, JSON.stringify(extent));
  }

  #due(text: string, after: number, store: ShardStore): void {
    const id = groupOfText(text, this.#spec.keys[0].length);
    const stored = this.#of(id, store);
    let next = Infinity;
    for (const side of [0, 1] as const) {
      const chunks = stored[side];
      for (const chunk of [...chunks]) {
        const dies = this.#dies(chunk.rows, side);
        if (dies === null) continue;
        if (dies > after) next = Math.min(next, dies);
        else {
          chunks.splice(chunks.indexOf(chunk), 1);
          store.put(SIDES[side], chunkKey(text, chunk.number), null);
        }
      }
    }
    this.#keepExtent(text, stored, store);
    if (next < Infinity) setTimer(store, next, text);
    else if (stored[0].length === 0 && stored[1].length === 0) this.#keys.delete(id);
  }
}

function chunkKey(text: string, number: number): string {
  return text + PART + sortableWhole(number);
}

function nextOf(chunks: readonly Chunk[]): number {
  return (chunks.at(-1)?.number ?? -1) + 1;
}

function readChunks(store: ShardStore, text: string, extent: Extent, side: 0 | 1): Chunk[] {
  const chunks: Chunk[] = [];
  for (let number = extent[2 * side] as number; number < (extent[2 * side + 1] as number); number++) {
    const stored = store.get(SIDES[side], chunkKey(text, number));
    if (stored !== null) chunks.push({ number, rows: decodeKept(stored) });
  }
  return chunks;
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
    for (const [row, kept] of keptRows(right, Object.keys(this.#spec.right)).entries()) {
      const id = rightId(row);
      const known = this.#find(id, store);
      if (known !== null && known.time > kept.time) continue;
      this.#table.set(id, kept);
      store.put(TABLE, groupText(id, this.#spec.keys[1].length), encodeKept([kept]));
    }
    const leftId = groupIds(left, this.#spec.keys[0]);
    const times: number[] = [];
    for (const [row, kept] of keptRows(left, Object.keys(this.#spec.left)).entries()) {
      const found = this.#find(leftId(row), store);
      if (found === null) continue;
      times.push(kept.time);
      // The table's row counts as of the left row's time.
      this.#pairs.add(kept, { time: kept.time, cells: found.cells });
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
