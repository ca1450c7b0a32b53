/** One collection of a share's entries in memory. */
import { Ordered } from "./ordered.ts";

export interface Entry {
  readonly of: Collection;
  readonly key: string;
  /** Null when it is deleted. */
  text: string | null;
  /** The chunk that says what it is; `PENDING` while none does. */
  chunk: number;
}
export const PENDING = -1;

/** Of an entry in memory, beside its characters: the object, its place in the map and in its chunk. */
const OVERHEAD = 100;

export class Collection {
  readonly name: string;
  readonly entries = new Map<string, Entry>();
  /** Entries that the next chunk is to have. */
  pending: Entry[] = [];
  #ordered: Ordered | null = null;

  constructor(name: string) {
    this.name = name;
  }

  add(key: string, text: string, chunk: number): Entry {
    const entry: Entry = { of: this, key, text, chunk };
    this.entries.set(key, entry);
    this.#ordered?.added(key);
    return entry;
  }

  remove(entry: Entry): void {
    entry.text = null;
    this.entries.delete(entry.key);
    this.#ordered?.removed();
  }

  /** As if it had never been added. */
  forget(entry: Entry): void {
    if (this.entries.get(entry.key) === entry) this.remove(entry);
  }

  /** As it was, be it there or not. */
  restore(entry: Entry, text: string, chunk: number): void {
    entry.text = text;
    entry.chunk = chunk;
    if (this.entries.get(entry.key) === entry) return;
    this.entries.set(entry.key, entry);
    this.#ordered?.added(entry.key);
  }

  /** Entries with `from <= key < to`, ascending unless reversed. */
  *range(from: string | undefined, to: string | undefined, reverse: boolean): Generator<[key: string, text: string]> {
    this.#ordered ??= new Ordered(this.entries.keys(), (key) => this.entries.has(key));
    for (const key of this.#ordered.range(from, to, reverse)) {
      const text = this.entries.get(key)?.text;
      if (typeof text === "string") yield [key, text];
    }
  }
}

/** What an entry takes of memory, in characters. */
export function costOf({ key, text }: Entry): number {
  return OVERHEAD + key.length + (text?.length ?? 0);
}
