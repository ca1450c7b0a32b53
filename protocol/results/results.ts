/**
 * Results by request id. Those of clients' ids last for the long retention, in storage once folded. Those of messages last until who handed
 * the message over has forgotten it; few live to see a fold. Those of edge ids serve the edge's own retries: they stay in memory by age and
 * size, and an id older than what is kept is refused, never run again.
 */
import { LIMITS } from "../limits.ts";
import type { StoredResults } from "../state/reader.ts";
import { isClientId, isEdgeId, issuedAt } from "../wire/invoke.ts";
import { Forgotten } from "./forgotten.ts";
import { ForgottenIds } from "./forgotten-ids.ts";
import type { Kept } from "./result-chunk.ts";
import { ResultTable } from "./result-table.ts";
import {
  decodeStored,
  encodeStored,
  ERASED_STATUS,
  erasedResult,
  SETTLED_STATUS,
  settledMark,
  type StoredResult,
} from "./stored-result.ts";

type Folded = Pick<Kept, "result" | "at">;
/** A result was added, or is gone, or has gone from memory into storage. */
export interface ResultNews extends Pick<StoredResult, "requestId" | "group"> {
  readonly what: "added" | "gone" | "stored";
}

const OVERHEAD = 200;
const NONE: StoredResult[] = [];

export class Results {
  readonly #stored: StoredResults;
  /** Results of clients' ids and of messages that are not folded. */
  readonly #client = new ResultTable();
  /** Messages whose results are needed no more, while no record says so. */
  #settled: string[] = [];
  /** Edge results, oldest first, folded or not. */
  readonly #edge = new ResultTable();
  readonly #forgotten = new ForgottenIds();
  /**
   * Hears of every result that is added or folded, and of every one that is settled, or forgotten for its age or for want of room: what is being
   * moved must lack none, nor keep for long what nobody asks for.
   */
  watch: ((news: ResultNews) => void) | null = null;

  /** How long those of clients' ids are kept at least; ms. */
  readonly clientMs: number;

  constructor(stored: StoredResults, clientMs: number = LIMITS.clientResultMs) {
    this.#stored = stored;
    this.clientMs = clientMs;
  }

  /** @throws TidegateError `damaged-data` where its result would be */
  find(requestId: string): StoredResult | undefined {
    if (isEdgeId(requestId)) return this.#edge.get(requestId);
    const kept = this.#client.get(requestId);
    if (kept) return kept;
    const text = this.#stored.result(requestId);
    return text === undefined ? undefined : decodeStored(requestId, text);
  }

  /**
   * An unknown edge id so old that its result may have been forgotten. One from the future is refused too: once forgotten, it would
   * make everybody's ids look old.
   * @param group key group of the request, where that is known
   */
  isExpired(requestId: string, now: number, group?: number): boolean {
    const at = issuedAt(requestId);
    if (at === null) return false;
    const isOdd = at < now - LIMITS.edgeResultMs || at > now + LIMITS.maxClockSkewMs;
    return isOdd || this.#forgotten.has(requestId, now, group);
  }

  add(found: StoredResult, seq: number, at: number): void {
    if (found.status === SETTLED_STATUS) return void this.#client.delete(found.requestId);
    this.watch?.({ what: "added", requestId: found.requestId, group: found.group });
    if (!isEdgeId(found.requestId)) return void this.#client.set(found, seq, at);
    this.#edge.set(found, seq, at);
    this.#trim(at);
  }

  /** Which edge ids may have been forgotten, as text: stored by folds, so that a restart knows it too. */
  get forgotten(): string {
    return this.#forgotten.encode();
  }

  restoreForgotten(text: string): void {
    this.#forgotten.restore(text);
  }

  /** The same as far as it may be about these key groups, for where they move. */
  forgottenOf(groups: ReadonlySet<number>): string {
    return JSON.stringify(this.#forgotten.marks(groups));
  }

  /** Something of these key groups comes from another partition. @param forgotten which edge ids that one may have forgotten, once it says so */
  came(groups: ReadonlySet<number>, now: number, forgotten?: string): void {
    this.#forgotten.came(groups, now, forgotten);
  }

  /** There is no room for more of clients' ids. */
  get isFull(): boolean {
    return this.#stored.resultBytes.named >= LIMITS.maxResultsBytes;
  }

  /** There is no room for more of messages. */
  get isFullOfMessages(): boolean {
    return this.#stored.resultBytes.messages >= LIMITS.maxMessageResultsBytes;
  }

  /**
   * Whoever handed these messages over will never do so again: what has become of them is forgotten, by the next record durably. One that a fold
   * has stored stays until it expires.
   */
  settle(requestIds: readonly string[]): void {
    for (const requestId of requestIds) {
      const group = this.watch && this.#client.get(requestId)?.group;
      if (!this.#client.delete(requestId)) continue;
      this.#settled.push(requestId);
      this.watch?.({ what: "gone", requestId, group: group ?? undefined });
    }
  }

  /** Marks of what was settled, for the record in the making. To write one for them alone would cost more than it saves. */
  takeSettled(): StoredResult[] {
    return this.#settled.length === 0 ? NONE : this.#settled.splice(0, LIMITS.maxSettledPerRecord).map(settledMark);
  }

  /** Takes back a folded edge result that was stored to outlive a restart. */
  restore(result: StoredResult, expires: number): void {
    this.add(result, 0, expires - LIMITS.edgeResultMs);
  }

  #trim(now: number): void {
    const edge = this.#edge;
    for (let at = edge.oldestAt(); at !== undefined; at = edge.oldestAt()) {
      const bytes = edge.size * OVERHEAD + edge.bodyLength;
      if (bytes <= LIMITS.edgeResultBytes && at >= now - LIMITS.edgeResultMs) return;
      const group = edge.oldestGroup();
      const requestId = edge.deleteOldest();
      this.#forgotten.add(requestId, at, group);
      this.watch?.({ what: "gone", requestId });
    }
  }

  /** Results of clients that no row holds, as they would be stored. */
  clientResults(): Array<[requestId: string, text: string]> {
    return Array.from(this.#client.results(), (result) => [result.requestId, encodeStored(result)]);
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
    copy.restore(this.#forgotten.marks());
    for (const { requestId } of this.#edge.results()) copy.add(requestId);
    return JSON.stringify(copy.stored);
  }

  /** Erases the results of a key's requests that are in memory: of clients' ids a mark is left, edge ids are forgotten. Returns how many. */
  erase(owner: number): number {
    // What older code stored does not say whose it is.
    const known = this.#client
      .between(-Infinity, Infinity, owner)
      .filter(({ result }) => result.status !== ERASED_STATUS);
    for (const { result, seq, at } of known) this.#client.set(erasedResult(result), seq, at);
    const edge = this.#edge.between(-Infinity, Infinity, owner);
    for (const { result, at } of edge) {
      this.#edge.delete(result.requestId);
      this.#forgotten.add(result.requestId, at, result.group);
    }
    return known.length + edge.length;
  }

  /** What is to stand in the place of a stored result when a key is erased; null for one of another key, or that is erased already. */
  static erasedText(owner: number, requestId: string, text: string): string | null {
    const result = decodeStored(requestId, text);
    if (result.status === ERASED_STATUS || (result.owner !== undefined && result.owner !== owner)) return null;
    return encodeStored(erasedResult(result));
  }

  /** Results of clients' ids, and of messages that have waited for long to be settled, recorded up to `seq`: to be stored by a fold. */
  toFold(seq: number, now: number): { readonly named: Folded[]; readonly messages: Folded[] } {
    const due = this.#client.between(-Infinity, seq);
    const named = due.filter(({ result }) => isClientId(result.requestId));
    const messages = due.filter(({ result }) => !isClientId(result.requestId));
    // Oldest first: those that there is no room for are stored.
    let room = LIMITS.carriedResults;
    const young = new Set<Kept>();
    for (const kept of messages.toReversed()) if (kept.at > now - LIMITS.carryMs && room-- > 0) young.add(kept);
    return { named, messages: messages.filter((kept) => !young.has(kept)) };
  }

  /** Results that a fold leaves to a later one, as they are put into the record `seq` before those that they were in are dropped. */
  carry(through: number, seq: number): StoredResult[] {
    return this.#client.restamp(through, seq);
  }

  /** Edge results recorded after `after` up to `through` and still kept: a fold packs them. */
  edgeBetween(after: number, through: number): StoredResult[] {
    return this.#edge.between(after, through).map(({ result }) => result);
  }

  /** All that are in memory: those of clients that are not folded, and those of edge ids. */
  *inMemory(): Generator<StoredResult> {
    yield* this.#client.results();
    yield* this.#edge.results();
  }

  /** Storage now has these, which were recorded up to `seq`. */
  markFolded(folded: readonly Folded[], seq: number): void {
    for (const { result } of folded) {
      const { requestId, group } = result;
      const held = this.#client.seqOf(requestId);
      if (held === undefined || held > seq) continue;
      this.#client.delete(requestId);
      this.watch?.({ what: "stored", requestId, group });
    }
  }
}
