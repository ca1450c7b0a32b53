/** What one undecided epoch changes, over committed state. */
import { addTo, entityOf, prefixOf } from "./indexes.ts";
import { compareKeys } from "./state-key.ts";
import type { Change, Write } from "./store.ts";

export class Overlay {
  readonly #changes = new Map<string, Change>();
  /** Changed entries of collections, by the collection's prefix. */
  readonly #entries = new Map<string, Set<string>>();
  /** Entities cleared before the changes that are here now. */
  readonly #cleared = new Set<string>();
  /** Entities with any change. */
  readonly entities = new Set<string>();

  add(writes: readonly Write[]): void {
    for (const write of writes) {
      if (write.op === "clear") this.#clear(write.key);
      else this.#put(write.key, write.op === "put" ? write.text : null);
    }
  }

  #put(key: string, change: Change): void {
    this.#changes.set(key, change);
    const prefix = prefixOf(key);
    if (prefix === key) {
      this.entities.add(key);
      return;
    }
    this.entities.add(entityOf(key));
    addTo(this.#entries, prefix, key);
  }

  #clear(entity: string): void {
    this.entities.add(entity);
    this.#cleared.add(entity);
    this.#changes.delete(entity);
    for (const [prefix, keys] of this.#entries) {
      if (!prefix.startsWith(entity)) continue;
      for (const key of keys) this.#changes.delete(key);
      this.#entries.delete(prefix);
    }
  }

  /** Undefined when this epoch says nothing of the key. */
  get(key: string, entity: string): Change | undefined {
    const change = this.#changes.get(key);
    if (change !== undefined) return change;
    return this.#cleared.has(entity) ? null : undefined;
  }

  isCleared(entity: string): boolean {
    return this.#cleared.has(entity);
  }

  /** Changed entries of a collection between two full keys, and null for the deleted ones. */
  *entriesIn(prefix: string, from: string, to: string): Generator<[key: string, change: Change]> {
    for (const key of this.#entries.get(prefix) ?? []) {
      if (compareKeys(key, from) >= 0 && compareKeys(key, to) < 0) yield [key, this.#changes.get(key) ?? null];
    }
  }

  entriesOf(prefix: string): number {
    return this.#entries.get(prefix)?.size ?? 0;
  }
}
