/** Sorted collections under a key: declared by a service, stored entry by entry. */

import type { DeepReadonly } from "./deep-readonly.ts";

declare const entryTypes: unique symbol;

/** Strings sort by their UTF-8 bytes, numbers by value; finite numbers only. One collection has one of the two. */
export type CollectionKey = string | number;

/** A declared collection; its types live in the compiler only. */
export interface CollectionSpec<V = unknown, K extends CollectionKey = CollectionKey> {
  readonly kind: "collection";
  readonly [entryTypes]?: { readonly key: K; readonly value: V };
}

/** Collections by name. */
export type CollectionSpecs = Readonly<Record<string, CollectionSpec>>;

/** Declares a collection: `collections: { lines: collection<Line>() }`. */
export function collection<V, K extends CollectionKey = string>(): CollectionSpec<V, K> {
  return COLLECTION as CollectionSpec<V, K>;
}
const COLLECTION: CollectionSpec = Object.freeze({ kind: "collection" });

/** Bounds of a range: `from` is in it, `to` is not; `reverse` starts at the high end; `limit` counts entries. */
export interface Range<K extends CollectionKey> {
  readonly from?: K;
  readonly to?: K;
  readonly limit?: number;
  readonly reverse?: boolean;
}

/** A collection as a query sees it. All methods are synchronous. */
export interface ReadonlyCollection<V, K extends CollectionKey> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  /** In order of the keys. Throws a `RangeError` for more than 10,000 entries: give a limit then, and go on from the last key. */
  range(range?: Range<K>): Array<[K, V]>;
}

/** A collection as a writing function sees it. An entry is stored by `set`: changing a value that `get` returned stores nothing. */
export interface Collection<V, K extends CollectionKey> extends ReadonlyCollection<V, K> {
  set(key: K, value: V): void;
  /** Whether there was an entry. */
  delete(key: K): boolean;
}

export type CollectionsOf<Cols extends CollectionSpecs> = {
  readonly [N in keyof Cols]: Cols[N] extends CollectionSpec<infer V, infer K> ? Collection<V, K> : never;
};
export type ReadonlyCollectionsOf<Cols extends CollectionSpecs> = {
  readonly [N in keyof Cols]: Cols[N] extends CollectionSpec<infer V, infer K>
    ? ReadonlyCollection<DeepReadonly<V>, K>
    : never;
};
