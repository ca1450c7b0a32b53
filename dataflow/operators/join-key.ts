/**
 * What a join keeps of one key: rows of its two sides. Few of them are in the key's own entry, which says beside them which chunks there are;
 * when they grow long they become a chunk, an entry of its own. So most keys, which few events have, are one entry, and of those that many have
 * no batch writes again what is there already.
 */
import { decodeValue } from "../../sdk/values.ts";
import { PART, sortableWhole } from "../keys.ts";
import { CHUNK_ROWS_UNITS, OWN_ROWS_UNITS } from "../limits.ts";
import { decodeKept, encodeKept, type Kept } from "./pairs.ts";
import type { ShardStore } from "./store.ts";

/** Collections: by key, its own entry; rows of the two sides, by key and number of the chunk. */
const EXTENT = "m";
const SIDES = ["l", "r"] as const;
export type SideNumber = 0 | 1;

/** By side: the first chunk that may be there, and the next to be written; behind them, where there are some, the rows of this entry. */
type Extent = readonly [
  leftFirst: number,
  leftNext: number,
  rightFirst: number,
  rightNext: number,
  left?: Kept[],
  right?: Kept[],
];

interface Chunk {
  readonly number: number;
  readonly rows: readonly Kept[];
}
interface Encoded {
  readonly rows: readonly Kept[];
  readonly text: string;
}
interface Side {
  readonly chunks: Chunk[];
  /** In the key's own entry. */
  own: Kept[];
  /** Of these, so many have come since it was stored. */
  fresh: number;
}

export class JoinKey {
  /** As it is stored. */
  readonly text: string;
  /** The batch that touched it last. */
  stamp = 0;
  /** Null where there is nothing of that side. */
  readonly #sides: [Side | null, Side | null] = [null, null];

  private constructor(text: string) {
    this.text = text;
  }

  static read(text: string, store: ShardStore): JoinKey {
    const key = new JoinKey(text);
    const stored = store.get(EXTENT, text);
    if (stored === null) return key;
    const extent = decodeValue(stored) as Extent;
    for (const side of [0, 1] as const) {
      const chunks: Chunk[] = [];
      for (let number = extent[2 * side] as number; number < (extent[2 * side + 1] as number); number++) {
        const rows = store.get(SIDES[side], chunkKey(text, number));
        if (rows !== null) chunks.push({ number, rows: decodeKept(rows) });
      }
      const own = (side === 0 ? extent[4] : extent[5]) ?? [];
      if (chunks.length > 0 || own.length > 0) key.#sides[side] = { chunks, own, fresh: 0 };
    }
    return key;
  }

  get isEmpty(): boolean {
    return this.#sides.every((side) => side === null || (side.own.length === 0 && side.chunks.length === 0));
  }

  each(number: SideNumber, see: (row: Kept) => void): void {
    const side = this.#sides[number];
    if (side === null) return;
    for (const { rows } of side.chunks) for (const row of rows) see(row);
    for (const row of side.own) see(row);
  }

  add(number: SideNumber, row: Kept): void {
    const side = this.#sides[number];
    if (side === null) this.#sides[number] = { chunks: [], own: [row], fresh: 1 };
    else {
      side.own.push(row);
      side.fresh += 1;
    }
  }

  /** Rows that have come since it was stored. */
  fresh(number: SideNumber): readonly Kept[] {
    const side = this.#sides[number];
    return side === null || side.fresh === 0 ? NONE : side.own.slice(-side.fresh);
  }

  /** Drops what is over as a whole, and returns when the next of what is left is. @param over when some rows are; Infinity for never */
  expire(number: SideNumber, after: number, over: (rows: readonly Kept[]) => number, store: ShardStore): number {
    const side = this.#sides[number];
    if (side === null) return Infinity;
    let next = Infinity;
    if (side.own.length > 0) {
      const at = over(side.own);
      if (at > after) next = at;
      else side.own = [];
    }
    for (const chunk of [...side.chunks]) {
      const at = over(chunk.rows);
      if (at > after) next = Math.min(next, at);
      else {
        side.chunks.splice(side.chunks.indexOf(chunk), 1);
        store.put(SIDES[number], chunkKey(this.text, chunk.number), null);
      }
    }
    return next;
  }

  /** Stores what has changed. */
  keep(store: ShardStore): void {
    if (this.isEmpty) return store.put(EXTENT, this.text, null);
    const left = this.#keepSide(0, store);
    const right = this.#keepSide(1, store);
    const extent = `${extentOf(this.#sides[0])},${extentOf(this.#sides[1])}`;
    store.put(
      EXTENT,
      this.text,
      left === "" && right === "" ? `[${extent}]` : `[${extent},${left || "[]"},${right || "[]"}]`,
    );
  }

  /** Returns the rows that stay in its own entry; empty for none. */
  #keepSide(number: SideNumber, store: ShardStore): string {
    const side = this.#sides[number];
    if (side === null || side.own.length === 0) return "";
    side.fresh = 0;
    const text = encodeKept(side.own);
    if (text.length <= OWN_ROWS_UNITS) return text;
    this.#keepChunks(number, side, { rows: side.own, text }, store);
    side.own = [];
    return "";
  }

  #keepChunks(number: SideNumber, side: Side, { rows, text }: Encoded, store: ShardStore): void {
    if (text.length > CHUNK_ROWS_UNITS && rows.length > 1) {
      const half = Math.ceil(rows.length / 2);
      for (const part of [rows.slice(0, half), rows.slice(half)])
        this.#keepChunks(number, side, { rows: part, text: encodeKept(part) }, store);
      return;
    }
    const chunk = { number: nextOf(side), rows };
    store.put(SIDES[number], chunkKey(this.text, chunk.number), text);
    side.chunks.push(chunk);
  }
}

const NONE: readonly Kept[] = [];

function chunkKey(text: string, number: number): string {
  return text + PART + sortableWhole(number);
}

function nextOf({ chunks }: Side): number {
  return (chunks.at(-1)?.number ?? -1) + 1;
}

function extentOf(side: Side | null): string {
  return side === null ? "0,0" : `${side.chunks[0]?.number ?? 0},${nextOf(side)}`;
}
