/**
 * The entries of one share, in memory. What a batch changes of them is stored as one text, a chunk, and not as a text for each of its keys: a
 * batch may touch thousands. Where memory has been lost the chunks are read again, oldest first.
 *
 * The oldest chunk goes when there is more in chunks than twice what still counts, or too many of them: what of it counts is written again,
 * behind all others. When there is more than memory is to hold, it gets an entry of its own in storage instead: it stands *apart*, and is looked
 * for there. So do new keys meanwhile, and long texts always. An entry in memory goes before one that stands apart.
 */
import { sortableWhole } from "../../../dataflow/keys.ts";
import type { ShardStore, StoreRange } from "../../../dataflow/operators/store.ts";
import { invariant } from "../../assert.ts";
import { LIMITS } from "../../limits.ts";
import { inOrder } from "../../state/state-key.ts";
import { checkEntryKey } from "../entry-key.ts";
import { ChunkWriter, readChunk, ROW_UNITS } from "./chunk.ts";
import { Collection, costOf, type Entry, PENDING } from "./collection.ts";
import { Undo } from "./undo.ts";

/** What is stored of a table beside its chunks. */
export interface TableState {
  /** Numbers of the first chunk and of the next. */
  readonly first: number;
  readonly next: number;
  /** Collections of which some entries may stand apart. */
  readonly apart: readonly string[];
}
/** Collection: number of a chunk -> chunk. */
const CHUNKS = "c";
/** Collections of operators, all of whose entries stood apart in older versions. */
const ALL = ["b", "g", "k", "l", "m", "r", "t"];

interface Chunk {
  readonly number: number;
  readonly entries: Entry[];
  units: number;
}

/** A table as it was before a batch. */
interface Before {
  readonly entries: Undo;
  readonly chunks: readonly Chunk[];
  readonly apart: readonly string[];
  readonly next: number;
  readonly stored: number;
  readonly live: number;
  readonly cost: number;
}

export class ShareTable implements ShardStore {
  #store: ShardStore;
  readonly #collections = new Map<string, Collection>();
  readonly #apart: Set<string>;
  /** Oldest first. */
  readonly #chunks: Chunk[] = [];
  #next: number;
  /** Characters of chunks, about, and of what of them counts. */
  #stored = 0;
  #live = 0;
  /** What the entries take of memory. */
  #cost = 0;
  /** What they may take. */
  #most = Infinity;
  /** Null where the last batch cannot be undone. */
  #before: Before | null = null;

  /** @param state undefined when nothing was stored; null when what was is of an older version */
  constructor(store: ShardStore, state: TableState | null | undefined) {
    this.#store = store;
    this.#apart = new Set(state === null ? ALL : state?.apart);
    this.#next = state?.next ?? 0;
    for (let number = state?.first ?? 0; number < this.#next; number++) this.#read(number);
  }

  #read(number: number): void {
    const text = this.#store.get(CHUNKS, sortableWhole(number));
    invariant(text !== null, "1: a chunk of a share is not there");
    const chunk: Chunk = { number, entries: [], units: 0 };
    this.#chunks.push(chunk);
    for (const row of readChunk(text)) {
      const collection = this.#of(row.collection);
      const known = collection.entries.get(row.key);
      if (known !== undefined) this.#forget(known);
      if (row.text === null) {
        if (known !== undefined) collection.remove(known);
        continue;
      }
      let entry = known;
      if (entry === undefined) entry = collection.add(row.key, row.text, number);
      else {
        entry.text = row.text;
        entry.chunk = number;
      }
      this.#count(entry);
      chunk.entries.push(entry);
    }
    chunk.units = text.length;
    this.#stored += text.length;
  }

  #of(name: string): Collection {
    let collection = this.#collections.get(name);
    if (collection === undefined) this.#collections.set(name, (collection = new Collection(name)));
    return collection;
  }

  #count(entry: Entry): void {
    this.#cost += costOf(entry);
    this.#live += unitsOf(entry);
  }
  #forget(entry: Entry): void {
    this.#cost -= costOf(entry);
    this.#live -= unitsOf(entry);
  }

  /** What it takes of memory, in characters. */
  get cost(): number {
    return this.#cost + (this.#before?.entries.units ?? 0);
  }

  /** A batch begins, which can be undone until the next one does. @param most characters of what it changes that are kept as they were */
  begin(most: number): void {
    this.#before = {
      entries: new Undo(most),
      chunks: [...this.#chunks],
      apart: [...this.#apart],
      next: this.#next,
      stored: this.#stored,
      live: this.#live,
      cost: this.#cost,
    };
  }

  /** Whether what was before the last batch is still known. */
  get knowsBefore(): boolean {
    return this.#before?.entries.isWhole === true;
  }

  /** Lets something look at the entries as they were before the last batch, by the store of a transaction that sees that. */
  before<T>(look: () => T): T {
    invariant(this.#before !== null, "1: a table is looked at as it was, and does not know that");
    return this.#before.entries.during(look);
  }

  /** Sets back what is in memory to where the last batch began, whether it has ended or not; storage is somebody else's. False where that cannot be. */
  undo(): boolean {
    const before = this.#before;
    this.#before = null;
    if (before?.entries.run() !== true) return false;
    for (const collection of this.#collections.values()) collection.pending = [];
    this.#chunks.splice(0, Infinity, ...before.chunks);
    this.#apart.clear();
    for (const name of before.apart) this.#apart.add(name);
    this.#next = before.next;
    this.#stored = before.stored;
    this.#live = before.live;
    this.#cost = before.cost;
    return true;
  }

  /** The store of the transaction that uses it now. @param most what entries in memory may take, in characters */
  use(store: ShardStore, most = Infinity): void {
    this.#store = store;
    this.#most = most;
  }

  get(collection: string, key: string): string | null {
    const text = this.#collections.get(collection)?.entries.get(key)?.text;
    if (typeof text === "string") return text;
    return this.#apart.has(collection) ? this.#store.get(collection, key) : null;
  }

  put(collection: string, key: string, text: string | null): void {
    if (text === null) {
      this.#delete(collection, key);
      return;
    }
    const of = this.#of(collection);
    const entry = of.entries.get(key);
    const isLong = text.length > LIMITS.chunkTextUnits;
    if (entry === undefined) {
      if (isLong || this.#cost >= this.#most) return this.#putApart(collection, key, text);
      checkEntryKey(key);
      const fresh = of.add(key, text, PENDING);
      of.pending.push(fresh);
      this.#before?.entries.added(fresh);
      this.#count(fresh);
      return;
    }
    if (isLong) {
      this.#remove(entry);
      return this.#putApart(collection, key, text);
    }
    this.#before?.entries.changes(entry);
    this.#forget(entry);
    entry.text = text;
    this.#count(entry);
    this.#change(entry);
  }

  drop(collection: string, key: string): void {
    const isHere = this.#delete(collection, key);
    invariant(isHere || this.#apart.has(collection), "1: an entry is dropped that is not there");
  }

  #delete(collection: string, key: string): boolean {
    const entry = this.#collections.get(collection)?.entries.get(key);
    if (entry !== undefined) this.#remove(entry);
    if (this.#apart.has(collection)) this.#store.put(collection, key, null);
    return entry !== undefined;
  }

  #remove(entry: Entry): void {
    this.#before?.entries.changes(entry);
    this.#forget(entry);
    this.#change(entry);
    entry.of.remove(entry);
  }

  #change(entry: Entry): void {
    if (entry.chunk === PENDING) return;
    entry.chunk = PENDING;
    entry.of.pending.push(entry);
  }

  #putApart(collection: string, key: string, text: string): void {
    this.#apart.add(collection);
    this.#store.put(collection, key, text);
  }

  range(collection: string, { from, to, limit, reverse = false }: StoreRange): Array<[key: string, text: string]> {
    const here: Array<[string, string]> = [];
    for (const entry of this.#of(collection).range(from, to, reverse)) {
      if (here.push(entry) >= limit) break;
    }
    if (!this.#apart.has(collection)) return here;
    const bounds = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    const found = new Map(this.#store.range(collection, { ...bounds, limit, reverse }));
    for (const [key, text] of here) found.set(key, text);
    return inOrder(found, limit, reverse);
  }

  /** Stores what has changed. Returns what is stored of the table from now on. */
  keep(): TableState {
    let changed = 0;
    for (const { pending } of this.#collections.values()) for (const entry of pending) changed += unitsOf(entry);
    if (changed > 0) this.#clean(Math.min(changed, LIMITS.chunkUnits) + LIMITS.cleanedUnits);
    this.#write();
    return { first: this.#chunks[0]?.number ?? this.#next, next: this.#next, apart: [...this.#apart] };
  }

  /** Drops the oldest chunks. @param units how much of them may be written again, about */
  #clean(units: number): void {
    let left = units;
    while (left > 0) {
      const oldest = this.#chunks[0];
      const crowded = this.#cost > this.#most;
      if (oldest === undefined || !(crowded || this.#isLoose)) return;
      this.#chunks.shift();
      this.#stored -= oldest.units;
      this.#store.drop(CHUNKS, sortableWhole(oldest.number));
      for (const entry of oldest.entries) {
        if (entry.chunk !== oldest.number || entry.text === null) continue;
        left -= unitsOf(entry);
        this.#before?.entries.changes(entry);
        if (crowded) {
          this.#putApart(entry.of.name, entry.key, entry.text);
          this.#forget(entry);
          entry.of.remove(entry);
        } else this.#change(entry);
      }
    }
  }

  /** What is in chunks is mostly void, or in too many of them. */
  get #isLoose(): boolean {
    const many = LIMITS.looseChunks + this.#stored / LIMITS.cleanedUnits;
    return this.#stored > 2 * this.#live + LIMITS.chunkUnits || this.#chunks.length > many;
  }

  #write(): void {
    const writer = new ChunkWriter();
    let entries: Entry[] = [];
    const take = (): void => {
      const number = this.#next++;
      for (const entry of entries) entry.chunk = number;
      const text = writer.take();
      this.#store.put(CHUNKS, sortableWhole(number), text);
      this.#chunks.push({ number, entries, units: text.length });
      this.#stored += text.length;
      entries = [];
    };
    for (const collection of this.#collections.values()) {
      for (const entry of collection.pending) {
        writer.add(collection.name, entry.key, entry.text);
        entries.push(entry);
        if (writer.units >= LIMITS.chunkUnits) take();
      }
      collection.pending = [];
    }
    if (entries.length > 0) take();
  }
}

function unitsOf({ key, text }: Entry): number {
  return ROW_UNITS + key.length + (text?.length ?? 0);
}
