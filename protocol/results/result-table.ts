/**
 * Results by request id in the order in which they came, as bytes. A partition with 400 requests a second keeps 50,000 results for the retries
 * of its edges: as objects, those of eight partitions in one process were most of what garbage collection walks over, a seventh of all CPU under
 * load.
 */
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import { IdIndex } from "./id-index.ts";
import { type Kept, ResultChunk } from "./result-chunk.ts";
import type { StoredResult } from "./stored-result.ts";

const { resultsPerChunk: PER_CHUNK } = LIMITS;
/** Chunks may have room for so many times what is in them. */
const SPARSE = 8;

export class ResultTable {
  /** By number; the number of an entry tells its chunk, and its row there. A chunk with nothing in it is let go. */
  readonly #chunks = new Map<number, ResultChunk>();
  readonly #index = new IdIndex(this);
  #last: ResultChunk | null = null;
  /** Number of the next entry. */
  #next = 0;
  /** There is no entry below it. */
  #oldest = 0;
  #bodyLength = 0;

  get size(): number {
    return this.#index.size;
  }

  /** Each takes `resultChunkBytes` and some 8 KiB. */
  get chunks(): number {
    return this.#chunks.size;
  }

  /** Of all bodies, in characters. */
  get bodyLength(): number {
    return this.#bodyLength;
  }

  get(requestId: string): StoredResult | undefined {
    const entry = this.#index.find(requestId);
    return entry < 0 ? undefined : this.#chunkOf(entry).result(entry % PER_CHUNK);
  }

  /** Takes the place of one of the same id, and comes last. */
  set(result: StoredResult, seq: number, at: number): void {
    const { requestId } = result;
    this.delete(requestId);
    if (this.#last === null || !this.#last.add(result, seq, at)) {
      const chunk = this.#begin();
      invariant(chunk.add(result, seq, at), "4: an empty chunk has room for any result");
    }
    this.#index.add(requestId, this.#next);
    this.#next += 1;
    this.#bodyLength += result.body.length;
  }

  /** Whether there was one. */
  delete(requestId: string): boolean {
    const entry = this.#index.find(requestId);
    if (entry < 0) return false;
    this.#index.delete(requestId, entry);
    const chunk = this.#chunkOf(entry);
    this.#bodyLength -= chunk.delete(entry % PER_CHUNK);
    if (chunk.isEmpty && chunk !== this.#last) this.#chunks.delete(Math.floor(entry / PER_CHUNK));
    return true;
  }

  /** When the one that came first was recorded; undefined when there is none. */
  oldestAt(): number | undefined {
    return this.#toOldest() ? this.#chunkOf(this.#oldest).at(this.#oldest % PER_CHUNK) : undefined;
  }

  /** Key group of the one that came first; undefined where that is not known, or there is none. */
  oldestGroup(): number | undefined {
    return this.#toOldest() ? this.#chunkOf(this.#oldest).group(this.#oldest % PER_CHUNK) : undefined;
  }

  /** Takes out the one that came first, which must be there; returns its id. */
  deleteOldest(): string {
    invariant(this.#toOldest(), "4: there is an oldest result");
    const requestId = this.#chunkOf(this.#oldest).id(this.#oldest % PER_CHUNK);
    this.delete(requestId);
    return requestId;
  }

  /** Those recorded after `after` up to `through`; with an owner those of this key, by its hash, and those of which it is not known whose they are. */
  between(after: number, through: number, owner?: number): Kept[] {
    return [...this.#chunks.values()].flatMap((chunk) => chunk.between(after, through, owner));
  }

  *results(): Generator<StoredResult> {
    for (const chunk of this.#chunks.values())
      for (const { result } of chunk.between(-Infinity, Infinity)) yield result;
  }

  /** Which record holds it. */
  seqOf(requestId: string): number | undefined {
    const entry = this.#index.find(requestId);
    return entry < 0 ? undefined : this.#chunkOf(entry).seq(entry % PER_CHUNK);
  }

  /** Says of those recorded up to `through` that the record `seq` holds them; returns them. */
  restamp(through: number, seq: number): StoredResult[] {
    const held = this.between(-Infinity, through);
    for (const chunk of this.#chunks.values()) chunk.restamp(through, seq);
    if (this.#chunks.size * PER_CHUNK > SPARSE * (this.size + PER_CHUNK)) this.#closeUp();
    return held.map(({ result }) => result);
  }

  /** For the index alone. */
  hasId(entry: number, requestId: string): boolean {
    return this.#chunkOf(entry).hasId(entry % PER_CHUNK, requestId);
  }

  /** Goes on to the oldest that is there; false when there is none. */
  #toOldest(): boolean {
    while (this.#oldest < this.#next) {
      const chunk = this.#chunks.get(Math.floor(this.#oldest / PER_CHUNK));
      const row = this.#oldest % PER_CHUNK;
      if (chunk === undefined || row >= chunk.rows) this.#oldest += PER_CHUNK - row;
      else if (chunk.isDeleted(row)) this.#oldest += 1;
      else return true;
    }
    // A chunk that has rows left goes on where it is.
    this.#oldest = this.#next;
    return false;
  }

  /** A chunk stays for one result: a few of many, which nobody settles, must not keep what was around them. */
  #closeUp(): void {
    for (const { result, seq, at } of this.between(-Infinity, Infinity)) this.set(result, seq, at);
  }

  #chunkOf(entry: number): ResultChunk {
    return this.#chunks.get(Math.floor(entry / PER_CHUNK)) as ResultChunk;
  }

  #begin(): ResultChunk {
    const number = Math.ceil(this.#next / PER_CHUNK);
    if (this.#last?.isEmpty) this.#chunks.delete(number - 1);
    this.#last = new ResultChunk();
    this.#chunks.set(number, this.#last);
    this.#next = number * PER_CHUNK;
    return this.#last;
  }
}
