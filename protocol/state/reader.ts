/** What a partition's machine may ask of its storage: synchronous reads of what was persisted. Writes are effects. */
export interface StateReader {
  /** The stored text, or undefined. */
  get(stateKey: string): string | undefined;
  /** Stored pairs with `from <= key < to` by code point, at most `limit`, ascending or descending. */
  range(from: string, to: string, limit: number, reverse: boolean): Array<[key: string, text: string]>;
  /** The recorded result of a client's request id, as stored by a fold. */
  result(requestId: string): string | undefined;
  /** Those of these ids that have a result, with its text. */
  storedResults(requestIds: readonly string[]): Array<[requestId: string, text: string]>;
  /** Recorded results of clients' request ids above `after`, in the order of their ids, with the time at which they expire. */
  resultsAfter(after: string, limit: number): Array<[requestId: string, text: string, expires: number]>;
  /** The blocks of closed windows of a flow, in order; see the operation `put-view-block`. */
  viewBlocks(flow: string): Array<{ readonly block: number; readonly through: bigint }>;
  /** One of them, its parts joined. */
  viewBlock(flow: string, block: number): Uint8Array;
  /** A read of storage, so that an instance that has been replaced fails rather than answer from memory alone. */
  touch(): void;
}
