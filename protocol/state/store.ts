/** Committed state as the machine sees it: what is not folded yet, over a bounded cache, over storage. */
import { invariant } from "../assert.ts";
import { Oldest } from "../oldest.ts";
import { isLifetimeRow, LIFETIMES } from "./expiry.ts";
import { addTo, entityOf, isEntity, prefixOf, removeFrom } from "./indexes.ts";
import type { StoredState } from "./reader.ts";
import { afterPrefix, compareKeys, inOrder } from "./state-key.ts";

/** A committed change: new text, or null for a deletion. */
export type Change = string | null;

/** One write of a transaction, in the order in which it is to be applied. `clear` removes everything that starts with the key. */
export interface Write {
  readonly op: "put" | "delete" | "clear";
  readonly key: string;
  readonly text: string;
}

/** A pair as storage has it. */
interface Clean {
  readonly change: Change;
  /** Read since it was last the oldest: then it stays once more. To put it last with every read instead costs as much as the read. */
  used: boolean;
}

interface Unfolded {
  change: Change;
  /** Record that holds the newest change; the entry may leave memory once that record is folded. */
  seq: number;
}

/** Rough cost of a cached pair beyond its characters: two string headers, an object and a map slot. */
const ENTRY_OVERHEAD = 120;
const ABSENT = null;
/** Rows of an entity read at a time. */
const UNDER_PAGE = 500;
/** Behind a key it is above that and below every other: U+0000 is in none. */
const NEXT = "\u0001";

export class StateStore {
  readonly #stored: StoredState;
  readonly #cacheBytes: number;
  /** Newest change of every key whose record is not folded. */
  readonly #unfolded = new Map<string, Unfolded>();
  /** Unfolded entries of collections, by the collection's prefix, for ranges. */
  readonly #entries = new Map<string, Set<string>>();
  /** Those prefixes and the cached entries by entity, so that a clear looks at nothing else. */
  readonly #prefixesOf = new Map<string, Set<string>>();
  readonly #cachedOf = new Map<string, Set<string>>();
  /** Prefixes whose stored content is void until a fold deletes it; value is the record that cleared them. */
  readonly #cleared = new Map<string, number>();
  /** Clean pairs, those first that have been there longest since they were last spared. */
  readonly #cache = new Map<string, Clean>();
  readonly #oldest = new Oldest(this.#cache);
  #cachedBytes = 0;
  /** Rows of services' lifetimes that were asked for, and whether they are there: to look among all keys with every write costs as much as writing. */
  readonly #lifetimes = new Map<string, boolean>();

  constructor(stored: StoredState, cacheBytes: number) {
    this.#stored = stored;
    this.#cacheBytes = cacheBytes;
  }

  /** Committed text under a state key; `entity` is the prefix that a clear would name. */
  get(key: string, entity: string): Change {
    const unfolded = this.#unfolded.get(key);
    if (unfolded) return unfolded.change;
    if (this.#cleared.has(entity)) return ABSENT;
    const cached = this.#cache.get(key);
    if (cached !== undefined) {
      cached.used = true;
      return cached.change;
    }
    const stored = this.#stored.get(key, entity) ?? ABSENT;
    this.#remember(key, stored);
    return stored;
  }

  /** Whether the row of a service's lifetimes is there. */
  hasLifetime(row: string): boolean {
    let known = this.#lifetimes.get(row);
    if (known === undefined) this.#lifetimes.set(row, (known = this.get(row, LIFETIMES) !== ABSENT));
    return known;
  }

  /** As `get`, but undefined for what only storage could tell. */
  peek(key: string, entity: string): Change | undefined {
    const unfolded = this.#unfolded.get(key);
    if (unfolded) return unfolded.change;
    return this.#cleared.has(entity) ? ABSENT : this.#cache.get(key)?.change;
  }

  /** Committed entries of a collection between two full keys, ascending unless reversed. */
  range(
    prefix: string,
    entity: string,
    from: string,
    to: string,
    limit: number,
    reverse: boolean,
  ): Array<[string, string]> {
    const overlay = this.#entries.get(prefix);
    const hidden = overlay ? overlay.size : 0;
    const stored = this.#cleared.has(entity) ? [] : this.#stored.range(entity, from, to, limit + hidden, reverse);
    if (!overlay) return stored.slice(0, limit);
    const merged = stored.filter(([key]) => !overlay.has(key));
    for (const key of overlay) {
      const change = this.#unfolded.get(key)?.change;
      if (typeof change === "string" && compareKeys(key, from) >= 0 && compareKeys(key, to) < 0)
        merged.push([key, change]);
    }
    return inOrder(merged, limit, reverse);
  }

  /** Makes writes visible as part of record `seq`. */
  apply(writes: readonly Write[], seq: number): void {
    for (const write of writes) {
      if (write.op === "clear") this.#clear(write.key, seq);
      else this.#put(write.key, write.op === "put" ? write.text : null, seq);
    }
  }

  #put(key: string, change: Change, seq: number): void {
    this.#forget(key);
    this.#unfolded.set(key, { change, seq });
    const prefix = prefixOf(key);
    if (prefix === key) return;
    if (isLifetimeRow(key)) this.#lifetimes.set(key, change !== ABSENT);
    addTo(this.#entries, prefix, key);
    addTo(this.#prefixesOf, entityOf(key), prefix);
  }

  /** Cached pairs under the prefix stay until `markCleared`: `#cleared` hides them. */
  #clear(entity: string, seq: number): void {
    if (entity === LIFETIMES) this.#lifetimes.clear();
    this.#dropUnfolded(entity);
    for (const prefix of this.#prefixesOf.get(entity) ?? []) {
      for (const key of this.#entries.get(prefix) ?? []) this.#dropUnfolded(key);
    }
    this.#cleared.set(entity, seq);
  }

  #dropUnfolded(key: string): void {
    this.#unfolded.delete(key);
    const prefix = prefixOf(key);
    removeFrom(this.#entries, prefix, key);
    if (prefix !== key && !this.#entries.has(prefix)) removeFrom(this.#prefixesOf, entityOf(key), prefix);
  }

  /** Keys in a range that no row has as they are, ascending, and the entities whose rows are void. */
  unfoldedWithin(from: string, to: string): { keys: string[]; cleared: Set<string> } {
    const keys = [...this.#unfolded.keys()].filter((key) => compareKeys(key, from) >= 0 && compareKeys(key, to) < 0);
    return { keys: keys.sort(compareKeys), cleared: new Set(this.#cleared.keys()) };
  }

  /** As `get`, for those who read everything once: what is read pushes nothing out of the cache. */
  read(key: string, entity: string): Change {
    const known = this.peek(key, entity);
    return known === undefined ? (this.#stored.get(key, entity) ?? ABSENT) : known;
  }

  /** Rows as they are stored, whatever is not folded says; ascending. */
  storedWithin(from: string, to: string, limit: number): Array<[string, string]> {
    const page = this.#stored.page(from, limit);
    return page.filter(([key]) => compareKeys(key, to) < 0);
  }

  /** All committed pairs of an entity: its value and its entries, in no order. */
  *under(entity: string): Generator<[key: string, text: string]> {
    const unfolded = [entity];
    for (const prefix of this.#prefixesOf.get(entity) ?? []) unfolded.push(...(this.#entries.get(prefix) ?? []));
    for (const key of unfolded) {
      const change = this.#unfolded.get(key)?.change;
      if (typeof change === "string") yield [key, change];
    }
    if (this.#cleared.has(entity)) return;
    let from = entity;
    const to = afterPrefix(entity);
    for (;;) {
      const stored = this.storedWithin(from, to, UNDER_PAGE);
      for (const pair of stored) if (!this.#unfolded.has(pair[0])) yield pair;
      if (stored.length < UNDER_PAGE) return;
      from = `${(stored.at(-1) as [string, string])[0]}${NEXT}`;
    }
  }

  /** Prefixes to delete from storage, then keys to write, for all records up to `seq`. Nothing is marked folded yet. */
  unfoldedThrough(seq: number): { clears: string[]; keys: string[] } {
    const clears: string[] = [];
    for (const [entity, at] of this.#cleared) if (at <= seq) clears.push(entity);
    const keys: string[] = [];
    for (const [key, entry] of this.#unfolded) if (entry.seq <= seq) keys.push(key);
    return { clears, keys };
  }

  /** The change to write for a key that a fold took up, or undefined when a clear has voided it meanwhile. */
  changeOf(key: string): Change | undefined {
    return this.#unfolded.get(key)?.change;
  }

  /** Storage now holds this key's change as of `changeOf`; a newer record keeps it unfolded. */
  markFolded(key: string, through: number): void {
    const entry = this.#unfolded.get(key);
    if (!entry || entry.seq > through) return;
    this.#dropUnfolded(key);
    this.#remember(key, entry.change);
  }

  /** Storage holds nothing under these prefixes any more; called before the keys of the same fold are written. */
  markCleared(entities: readonly string[], through: number): void {
    for (const entity of entities) {
      if ((this.#cleared.get(entity) ?? Infinity) > through) continue;
      this.#forget(entity);
      for (const key of this.#cachedOf.get(entity) ?? []) this.#forget(key);
      this.#cleared.delete(entity);
    }
  }

  #remember(key: string, change: Change): void {
    this.#forget(key);
    this.#cache.set(key, { change, used: false });
    if (!isEntity(key)) addTo(this.#cachedOf, entityOf(key), key);
    this.#cachedBytes += cost(key, change);
    while (this.#cachedBytes > this.#cacheBytes) this.#forgetOldest();
  }

  /** Ends, since each that is spared has been read since it was last. */
  #forgetOldest(): void {
    for (;;) {
      const oldest = this.#oldest.key;
      invariant(oldest !== undefined, "9: the cache counts bytes that it does not hold");
      const cached = this.#cache.get(oldest) as Clean;
      if (!cached.used) return this.#forget(oldest);
      cached.used = false;
      this.#cache.delete(oldest);
      this.#oldest.deleted(oldest);
      this.#cache.set(oldest, cached);
    }
  }

  #forget(key: string): void {
    const cached = this.#cache.get(key);
    if (cached === undefined) return;
    this.#cache.delete(key);
    this.#oldest.deleted(key);
    if (!isEntity(key)) removeFrom(this.#cachedOf, entityOf(key), key);
    this.#cachedBytes -= cost(key, cached.change);
  }

  /** Every key with a change that is not folded, and every prefix that is cleared and not folded. */
  *unfolded(): Generator<{ readonly key: string; readonly cleared: boolean }> {
    for (const key of this.#cleared.keys()) yield { key, cleared: true };
    for (const key of this.#unfolded.keys()) yield { key, cleared: false };
  }

  get unfoldedKeys(): number {
    return this.#unfolded.size;
  }
  get cachedBytes(): number {
    return this.#cachedBytes;
  }
}

function cost(key: string, change: Change): number {
  return ENTRY_OVERHEAD + key.length + (change?.length ?? 0);
}
