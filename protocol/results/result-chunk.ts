/** Some results that came one after the other: their numbers as columns, their texts as bytes. */
import { detached } from "../detached.ts";
import { LIMITS } from "../limits.ts";
import { ofStatusColumn, statusColumn, type StoredResult } from "./stored-result.ts";

export interface Kept {
  readonly result: StoredResult;
  /** Record that holds it, while that is not folded. */
  readonly seq: number;
  /** When it was recorded; ms. */
  readonly at: number;
}

/** Texts end where these say; a row's begin where those of the row before end. */
const COLUMN = { seq: 0, at: 1, status: 2, low: 3, high: 4, owner: 5, idEnd: 6, bodyEnd: 7 } as const;
const COLUMNS = 8;
/** In the place of a status: the result is gone. */
const DELETED = -1;
const NO_OWNER = -1;
const NOT_ASCII = 0x80;

const decoder = new TextDecoder();

export class ResultChunk {
  /** Rows in use, deleted ones among them. */
  rows = 0;
  #live = 0;
  readonly #numbers = new Float64Array(LIMITS.resultsPerChunk * COLUMNS);
  readonly #texts = new Uint8Array(LIMITS.resultChunkBytes);
  /** Results with a text that is long or not ASCII, by row: as they are, without bytes. */
  #others: Map<number, StoredResult> | null = null;

  get isEmpty(): boolean {
    return this.#live === 0;
  }

  /** Whether there was room. */
  add(result: StoredResult, seq: number, at: number): boolean {
    const row = this.rows;
    if (row === LIMITS.resultsPerChunk) return false;
    const { requestId, body } = result;
    const start = this.#start(row);
    let idEnd = start;
    let end = start;
    if (requestId.length + body.length <= LIMITS.resultChunkBytes / 4) {
      if (start + requestId.length + body.length > LIMITS.resultChunkBytes) return false;
      idEnd = this.#write(requestId, start);
      end = idEnd < 0 ? idEnd : this.#write(body, idEnd);
    }
    if (end <= start) {
      idEnd = end = start;
      (this.#others ??= new Map()).set(row, whole(result));
    }
    const numbers = this.#numbers;
    const first = row * COLUMNS;
    numbers[first + COLUMN.seq] = seq;
    numbers[first + COLUMN.at] = at;
    numbers[first + COLUMN.status] = statusColumn(result);
    numbers[first + COLUMN.low] = result.fingerprintLow;
    numbers[first + COLUMN.high] = result.fingerprintHigh;
    numbers[first + COLUMN.owner] = result.owner ?? NO_OWNER;
    numbers[first + COLUMN.idEnd] = idEnd;
    numbers[first + COLUMN.bodyEnd] = end;
    this.rows += 1;
    this.#live += 1;
    return true;
  }

  hasId(row: number, requestId: string): boolean {
    const other = this.#others?.get(row);
    if (other) return other.requestId === requestId;
    const start = this.#start(row);
    if (this.#number(row, COLUMN.idEnd) - start !== requestId.length) return false;
    for (let at = 0; at < requestId.length; at++)
      if (this.#texts[start + at] !== requestId.charCodeAt(at)) return false;
    return true;
  }

  isDeleted(row: number): boolean {
    return this.#number(row, COLUMN.status) === DELETED;
  }

  seq(row: number): number {
    return this.#number(row, COLUMN.seq);
  }

  at(row: number): number {
    return this.#number(row, COLUMN.at);
  }

  group(row: number): number | undefined {
    return ofStatusColumn(this.#number(row, COLUMN.status)).group;
  }

  id(row: number): string {
    return this.#others?.get(row)?.requestId ?? this.#text(this.#start(row), this.#number(row, COLUMN.idEnd));
  }

  /** @param texts of all rows, where that is decoded already */
  result(row: number, texts?: string): StoredResult {
    const other = this.#others?.get(row);
    if (other) return other;
    const idEnd = this.#number(row, COLUMN.idEnd);
    const owner = this.#number(row, COLUMN.owner);
    const { status, group } = ofStatusColumn(this.#number(row, COLUMN.status));
    return {
      requestId: this.#text(this.#start(row), idEnd, texts),
      status,
      fingerprintLow: this.#number(row, COLUMN.low),
      fingerprintHigh: this.#number(row, COLUMN.high),
      body: this.#text(idEnd, this.#number(row, COLUMN.bodyEnd), texts),
      group,
      owner: owner === NO_OWNER ? undefined : owner,
    };
  }

  /** Returns the length of its body in characters. */
  delete(row: number): number {
    const other = this.#others?.get(row);
    this.#others?.delete(row);
    this.#numbers[row * COLUMNS + COLUMN.status] = DELETED;
    this.#live -= 1;
    return other ? other.body.length : this.#number(row, COLUMN.bodyEnd) - this.#number(row, COLUMN.idEnd);
  }

  /** Those recorded after `after` up to `through`; with an owner those of this key, by its hash, and those of which it is not known whose they are. */
  between(after: number, through: number, owner?: number): Kept[] {
    const kept: Kept[] = [];
    let texts: string | undefined;
    for (let row = 0; row < this.rows; row++) {
      const seq = this.#number(row, COLUMN.seq);
      if (this.isDeleted(row) || seq <= after || seq > through) continue;
      if (owner !== undefined && !this.#mayBeOf(row, owner)) continue;
      texts ??= this.#text(0, this.#start(this.rows));
      kept.push({ result: this.result(row, texts), seq, at: this.at(row) });
    }
    return kept;
  }

  /** Says of those recorded up to `through` that the record `seq` holds them. */
  restamp(through: number, seq: number): void {
    for (let row = 0; row < this.rows; row++)
      if (this.#number(row, COLUMN.seq) <= through) this.#numbers[row * COLUMNS + COLUMN.seq] = seq;
  }

  #mayBeOf(row: number, owner: number): boolean {
    const known = this.#number(row, COLUMN.owner);
    return known === NO_OWNER || known === owner;
  }

  #start(row: number): number {
    return row === 0 ? 0 : this.#number(row - 1, COLUMN.bodyEnd);
  }

  #number(row: number, column: number): number {
    return this.#numbers[row * COLUMNS + column] as number;
  }

  /** Where it ends; -1 if it is not ASCII. */
  #write(text: string, start: number): number {
    const texts = this.#texts;
    let seen = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      seen |= code;
      texts[start + at] = code;
    }
    return seen < NOT_ASCII ? start + text.length : -1;
  }

  #text(start: number, end: number, texts?: string): string {
    return texts === undefined ? decoder.decode(this.#texts.subarray(start, end)) : texts.slice(start, end);
  }
}

/** As it is to stay: what it came with may have more members. */
function whole({ requestId, status, fingerprintLow, fingerprintHigh, body, group, owner }: StoredResult): StoredResult {
  return { requestId: detached(requestId), status, fingerprintLow, fingerprintHigh, body, group, owner };
}
