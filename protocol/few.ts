/**
 * A map that mostly has one entry: that lies in the object itself, and only more make a map. A transaction uses one key at most of its partitions,
 * and there are thousands of them at a time: empty maps were a tenth of what they took of memory.
 */
export class Few<K, V> {
  #key: K | undefined = undefined;
  #value: V | undefined = undefined;
  /** The entry here is one. It is the oldest where there is a map beside it. */
  #hasFirst = false;
  #more: Map<K, V> | null = null;

  get size(): number {
    return (this.#hasFirst ? 1 : 0) + (this.#more === null ? 0 : this.#more.size);
  }

  get(key: K): V | undefined {
    if (this.#hasFirst && this.#key === key) return this.#value;
    return this.#more === null ? undefined : this.#more.get(key);
  }

  has(key: K): boolean {
    return (this.#hasFirst && this.#key === key) || (this.#more !== null && this.#more.has(key));
  }

  set(key: K, value: V): this {
    const isFirst = this.#hasFirst ? this.#key === key : this.#more === null || this.#more.size === 0;
    if (isFirst) {
      this.#key = key;
      this.#value = value;
      this.#hasFirst = true;
    } else (this.#more ??= new Map()).set(key, value);
    return this;
  }

  delete(key: K): boolean {
    if (!this.#hasFirst || this.#key !== key) return this.#more !== null && this.#more.delete(key);
    this.#hasFirst = false;
    this.#key = undefined;
    this.#value = undefined;
    return true;
  }

  clear(): void {
    this.#hasFirst = false;
    this.#key = undefined;
    this.#value = undefined;
    this.#more = null;
  }

  /** In the order in which they were added, as they are now. */
  entries(): Array<[K, V]> {
    const more = this.#more === null || this.#more.size === 0 ? null : [...this.#more];
    if (!this.#hasFirst) return more ?? [];
    const first: [K, V] = [this.#key as K, this.#value as V];
    return more === null ? [first] : [first, ...more];
  }

  keys(): K[] {
    return this.entries().map(([key]) => key);
  }

  values(): V[] {
    if (this.#more !== null && this.#more.size > 0) return this.entries().map(([, value]) => value);
    return this.#hasFirst ? [this.#value as V] : [];
  }

  [Symbol.iterator](): Iterator<[K, V]> {
    return this.entries().values();
  }
}
