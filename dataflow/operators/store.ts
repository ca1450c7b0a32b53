/** What operators ask of where their state is kept: sorted entries of texts, of one share of one vertex. */

import { AFTER_PARTS } from "../keys.ts";

export interface ShardStore {
  get(collection: string, key: string): string | null;
  /** Null deletes. */
  put(collection: string, key: string, text: string | null): void;
  /** Deletes what is there for certain. */
  drop(collection: string, key: string): void;
  /** Entries with `from <= key < to`, ascending unless reversed. */
  range(collection: string, range: StoreRange): Array<[key: string, text: string]>;
}

export interface StoreRange {
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
  readonly reverse?: boolean;
}

/** Entries that begin with a text, which ends in `PART`; a page at a time. */
export function* entriesWith(store: ShardStore, collection: string, prefix: string): Generator<[string, string]> {
  yield* entriesFrom(store, collection, prefix, prefix.slice(0, -1) + AFTER_PARTS);
}

/** Entries of a range, a page at a time. What is put or deleted meanwhile may be seen or not. */
export function* entriesFrom(
  store: ShardStore,
  collection: string,
  from: string,
  to: string | undefined,
): Generator<[string, string]> {
  let at = from;
  for (;;) {
    const page = store.range(collection, to === undefined ? { from: at, limit: PAGE } : { from: at, to, limit: PAGE });
    yield* page;
    const last = page.at(-1)?.[0];
    if (last === undefined || page.length < PAGE) return;
    at = `${last}\u0000`;
  }
}
const PAGE = 500;
