/** What a partition's machine may ask of its storage: synchronous reads of what was persisted. Writes are effects. */
export interface StateReader {
  /** The bytes of a block of state or results, or undefined. */
  block(id: number): Uint8Array | undefined;
  /** The blocks of closed windows of a flow, in order; see the operation `put-view-block`. */
  viewBlocks(flow: string): Array<{ readonly block: number; readonly through: bigint }>;
  /** One of them, its parts joined. */
  viewBlock(flow: string, block: number): Uint8Array;
  /** A read of storage, so that an instance that has been replaced fails rather than answer from memory alone. */
  touch(): void;
  /** Size of what is stored, without what is free. */
  readonly databaseBytes: number;
}

/** What folds have stored. Reads throw a TidegateError `damaged-data` where they need a damaged block. */
export interface StoredState {
  /** The text under a key, or undefined; `entity` is what a clear of it would name. */
  get(key: string, entity: string): string | undefined;
  /** Pairs of one entity with `from <= key < to` by code point, at most `limit`, ascending or descending. */
  range(entity: string, from: string, to: string, limit: number, reverse: boolean): Array<[key: string, text: string]>;
  /** Pairs of all entities from a key on, in the order of keys, at most `limit`. */
  page(from: string, limit: number): Array<[key: string, text: string]>;
}

/** Results of clients' request ids and of messages, as folds have stored them. */
export interface StoredResults {
  result(requestId: string): string | undefined;
  /** Those from an id on, in the order of ids, at most `limit`. */
  resultsFrom(requestId: string, limit: number): Array<[requestId: string, text: string]>;
  /** Bytes of those of clients' ids, and of those of messages. */
  readonly resultBytes: { readonly named: number; readonly messages: number };
}
