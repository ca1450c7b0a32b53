/**
 * Results by request id. Those of clients' ids last for the long retention, in storage once folded. Those of edge ids serve
 * the edge's own retries: they stay in memory by age and size, and an id older than what is kept is refused, never run again.
 */
import { LIMITS } from "../limits.ts";
import { Oldest } from "../oldest.ts";
import type { StoredResults } from "../state/reader.ts";
import { issuedAt } from "../wire/invoke.ts";
import { Forgotten } from "./forgotten.ts";
import { decodeStored, encodeStored, ERASED_STATUS, erasedResult, type StoredResult } from "./stored-result.ts";

interface Kept {
  readonly result: StoredResult;
  /** Record that holds it, while that is not folded. */
  readonly seq: number;
  readonly at: number;
}

const OVERHEAD = 200;

export class Results {
  readonly #stored: StoredResults;
  /** Client results that are not folded. */
  readonly #client = new Map<string, Kept>();
  /** Edge results, oldest first, folded or not. */
  readonly #edge = new Map<string, Kept>();
  readonly #oldest = new Oldest(this.#edge);
  #edgeBytes = 0;
  readonly #forgotten = new Forgotten();
  /** Hears of every result that is added: what is being moved must not lack one. */
  watch: ((result: StoredResult) => void) | null = null;

  /** How long those of clients' ids are kept at least; ms. */
  readonly clientMs: number;

  constructor(stored: StoredResults, clientMs: number = LIMITS.clientResultMs) {
    this.#stored = stored;
    this.clientMs = clientMs;
  }

  /** @throws TidegateError `damaged-data` where its result would be */
  find(requestId: string): StoredResult | undefined {
    const kept = this.#edge.get(requestId) ?? this.#client.get(requestId);
    if (kept) return kept.result;
    if (issuedAt(requestId) !== null) return undefined;
    const text = this.#stored.result(requestId);
    return text === undefined ? undefined : decodeStored(requestId, text);
  }

  /**
   * An unknown edge id so old that its result may have been forgotten. One from the future is refused too: once forgotten, it would
   * make everybody's ids look old.
   */
  isExpired(requestId: string, now: number): boolean {
    const at = issuedAt(requestId);
    if (at === null) return false;
    return at < now - LIMITS.edgeResultMs || at > now + LIMITS.maxClockSkewMs || this.#forgotten.has(requestId);
  }

  add(found: StoredResult, seq: number, at: number): void {
    const requestId = detached(found.requestId);
    const { status, fingerprintLow, fingerprintHigh, body, group, owner } = found;
    // Written out: spreading costs several times as much.
    const result = { requestId, status, fingerprintLow, fingerprintHigh, body, group, owner } as StoredResult;
    this.watch?.(result);
    if (issuedAt(requestId) === null) {
      this.#client.set(requestId, { result, seq, at });
      return;
    }
    this.#drop(requestId);
    this.#edge.set(requestId, { result, seq, at });
    this.#edgeBytes += OVERHEAD + result.body.length;
    this.#trim(at);
  }

  /** A recovery may find a result twice: packed by a fold that was cut short, and in its record. */
  #drop(requestId: string): void {
    const kept = this.#edge.get(requestId);
    if (!kept) return;
    this.#edge.delete(requestId);
    this.#oldest.deleted(requestId);
    this.#edgeBytes -= OVERHEAD + kept.result.body.length;
  }

  /** Which edge ids may have been forgotten, as text: stored by folds, so that a restart knows it too. */
  get forgotten(): string {
    return this.#forgotten.encode();
  }

  restoreForgotten(text: string): void {
    this.#forgotten.restore(text);
  }

  /** There is no room for more of clients' ids. */
  get isFull(): boolean {
    return this.#stored.resultBytes >= LIMITS.maxResultsBytes;
  }

  /** Takes back a folded edge result that was stored to outlive a restart. */
  restore(result: StoredResult, expires: number): void {
    this.add(result, 0, expires - LIMITS.edgeResultMs);
  }

  #trim(now: number): void {
    for (let requestId = this.#oldest.key; requestId !== undefined; requestId = this.#oldest.key) {
      const { at } = this.#edge.get(requestId) as Kept;
      if (this.#edgeBytes <= LIMITS.edgeResultBytes && at >= now - LIMITS.edgeResultMs) return;
      this.#drop(requestId);
      this.#forgotten.add(requestId);
    }
  }

  /** Results of clients that no row holds, as they would be stored. */
  clientResults(): Array<[requestId: string, text: string]> {
    return [...this.#client].map(([id, { result }]) => [id, encodeStored(result)]);
  }

  /** Those that folds have stored, above an id, at most `limit`; expired ones may be among them. */
  storedAfter(after: string, limit: number): Array<[requestId: string, text: string]> {
    // U+0000 is in no id.
    return this.#stored.resultsFrom(`${after}\u0000`, limit);
  }

  get hasClientResults(): boolean {
    return this.#client.size > 0 || this.storedAfter("", 1).length > 0;
  }

  /** As `forgotten`, as if the results of all edge ids that are known were forgotten: where they are not kept they must not run again. */
  get forgottenWithoutEdge(): string {
    const copy = new Forgotten();
    copy.restore(this.#forgotten.encode());
    for (const requestId of this.#edge.keys()) copy.add(requestId);
    return copy.encode();
  }

  /** Erases the results of a key's requests that are in memory: of clients' ids a mark is left, edge ids are forgotten. Returns how many. */
  erase(owner: number): number {
    let erased = 0;
    for (const [id, kept] of this.#client) {
      // What older code stored does not say whose it is.
      if (kept.result.owner !== undefined && kept.result.owner !== owner) continue;
      if (kept.result.status === ERASED_STATUS) continue;
      this.#client.set(id, { ...kept, result: erasedResult(kept.result) });
      erased += 1;
    }
    for (const [id, { result }] of this.#edge) {
      if (result.owner !== undefined && result.owner !== owner) continue;
      this.#drop(id);
      this.#forgotten.add(id);
      erased += 1;
    }
    return erased;
  }

  /** What is to stand in the place of a stored result when a key is erased; null for one of another key, or that is erased already. */
  static erasedText(owner: number, requestId: string, text: string): string | null {
    const result = decodeStored(requestId, text);
    if (result.status === ERASED_STATUS || (result.owner !== undefined && result.owner !== owner)) return null;
    return encodeStored(erasedResult(result));
  }

  /** Client results recorded up to `seq`, to be stored by a fold. */
  clientThrough(seq: number): Array<{ result: StoredResult; at: number }> {
    return [...this.#client.values()].filter((kept) => kept.seq <= seq);
  }

  /** Edge results recorded after `after` up to `through` and still kept: a fold packs them. */
  edgeBetween(after: number, through: number): Array<{ result: StoredResult; at: number }> {
    return [...this.#edge.values()].filter((kept) => kept.seq > after && kept.seq <= through);
  }

  /** All that are in memory: those of clients that are not folded, and those of edge ids. */
  *inMemory(): Generator<StoredResult> {
    for (const { result } of this.#client.values()) yield result;
    for (const { result } of this.#edge.values()) yield result;
  }

  /** Storage now has the client results recorded up to `seq`. */
  markFolded(seq: number): void {
    for (const [requestId, kept] of this.#client) if (kept.seq <= seq) this.#client.delete(requestId);
  }
}

/** A copy of its own: an id is a slice of its frame's text, which it would keep in memory, inputs and all. A slice of a joined text keeps only that. */
function detached(requestId: string): string {
  return `:${requestId}`.slice(1);
}
