/** Rows of the table that peers exchange: written and read from left to right, so that layouts need no column numbers. */
import type { Kernels, Table, TableSpec } from "../../../core-wasm/types.ts";
import { invariant } from "../../assert.ts";
import { UTF8_PER_UNIT } from "../../../sdk/utf8.ts";
import { COORDINATOR, type Place, type TransactionId } from "../messages.ts";
import { malformed } from "./structure.ts";

/**
 * Versions of what peers exchange, and what a row of each is. Version 2 keeps the partition of a transaction's id beside the row's kind. Version 3 has
 * the same rows: who reads it has the functions that call shares of flows together. In version 4 a sole member of an epoch ordered it prepared; who reads
 * version 5 knows that it decides it, too.
 */
const SPECS = {
  1: { kind: 4, version: 1, columns: 16, fields: 5 },
  2: { kind: 4, version: 2, columns: 15, fields: 5 },
  3: { kind: 4, version: 3, columns: 15, fields: 5 },
  4: { kind: 4, version: 4, columns: 15, fields: 5 },
  5: { kind: 4, version: 5, columns: 15, fields: 5 },
} as const satisfies Record<number, TableSpec>;
export type PeerFormat = keyof typeof SPECS;
export const PEER = SPECS[1];
/** The highest that this code reads, and so the highest that it may write. */
export const NEWEST_FORMAT: PeerFormat = 5;
/** From which on shares may be called together. */
export const SHARES_FORMAT: PeerFormat = 3;
/** From which on an epoch may have a sole member, which decides it. */
export const SOLE_FORMAT: PeerFormat = 5;

const isKnown = (format: number): format is PeerFormat => format in SPECS;

/** Of bytes of any version that is known here, else of the first. */
function specOf(bytes: Uint8Array): TableSpec {
  const format = formatOf(bytes);
  return isKnown(format) ? SPECS[format] : SPECS[1];
}

/** The version that a packed table says it is, or 0 for bytes that are too short to say. Nothing is checked. */
export function formatOf(bytes: Uint8Array): number {
  return bytes.length < 8 ? 0 : (bytes[6] as number) | ((bytes[7] as number) << 8);
}

/** Columns of a row in bytes that are a table of a version that is known here. Nothing is checked. */
export function columnsIn(bytes: Uint8Array): number {
  return specOf(bytes).columns;
}

/** @throws CorruptError for bytes that are no table of a version that is known here. */
export function unpackPeer(kernels: Kernels, bytes: Uint8Array): Table {
  return kernels.unpack(specOf(bytes), bytes);
}

/** The highest version that is known here of those that a peer reads. Who knows of none has column 0 there, and reads the first. */
export function formatNamed(column: number): PeerFormat {
  const format = Math.min(Math.max(column, 1), NEWEST_FORMAT);
  return isKnown(format) ? format : 1;
}

/** What a row is. Versions of the code speak to each other by these numbers: never reuse one. */
export const KIND = {
  head: 0,
  call: 1,
  answer: 2,
  finish: 3,
  abort: 4,
  kill: 5,
  inquire: 6,
  ping: 7,
  chase: 8,
  cycle: 9,
  scopeEnd: 10,
  scopeEnded: 11,
  post: 12,
  posted: 13,
  tooOld: 14,
  moveBegin: 15,
  moveChunk: 16,
  moveTaken: 17,
  hello: 32,
  report: 33,
  join: 34,
  want: 35,
  closed: 36,
  prepared: 37,
  refuse: 38,
  moved: 39,
  decided: 40,
  recover: 64,
  era: 65,
  joined: 66,
  close: 67,
  prepare: 68,
  decide: 69,
} as const;

/** Kind and flags share the first column; in version 2 with the partition of an id. */
const FLAG_SHIFT = 8;
const FLAG_MASK = 0xff;
const ROOT_SHIFT = 16;
const KIND_MASK = 0xff;
const TWO_32 = 2 ** 32;
const TWO_21 = 2 ** 21;

export class RowWriter {
  readonly #spec: TableSpec;
  readonly #columns: number[] = [];
  readonly #fields: string[] = [];
  #rows = 0;
  #units = 0;

  constructor(format: PeerFormat) {
    this.#spec = SPECS[format];
  }

  begin(kind: number, flags = 0): this {
    this.#columns.push(kind | (flags << FLAG_SHIFT));
    return this;
  }

  u32(value: number): this {
    this.#columns.push(value);
    return this;
  }

  /** A number of up to 53 bits, in two columns. */
  wide(value: number): this {
    invariant(Number.isSafeInteger(value) && value >= 0, "8: a message has a number that no peer could read");
    this.#columns.push(value >>> 0, Math.floor(value / TWO_32));
    return this;
  }

  id(id: TransactionId): this {
    if (this.#spec.version === 1) this.#columns.push(id.root);
    else this.#besideKind(id.root);
    this.#columns.push(id.incarnation);
    return this.wide(id.attempt);
  }

  #besideKind(root: number): void {
    invariant(root >= 0 && root <= COORDINATOR, "8: a transaction's partition has no number");
    const first = this.#rows * this.#spec.columns;
    this.#columns[first] = (this.#columns[first] as number) + root * 2 ** ROOT_SHIFT;
  }

  place(place: Place): this {
    return this.u32(place.peer).wide(place.activation);
  }

  /** Ends the row: the columns that its kind does not use are 0. */
  end(extra = "", service = "", key = "", name = "", body = ""): void {
    const full = ++this.#rows * this.#spec.columns;
    invariant(this.#columns.length <= full, "8: a message has more columns than a row");
    while (this.#columns.length < full) this.#columns.push(0);
    this.#fields.push(extra, service, key, name, body);
    this.#units += extra.length + service.length + key.length + name.length + body.length;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Size of the table, at most. */
  get bytes(): number {
    return this.#rows * 4 * (this.#spec.columns + this.#spec.fields) + this.#units * UTF8_PER_UNIT;
  }

  pack(kernels: Kernels): Uint8Array {
    return kernels.pack(this.#spec, { rows: this.#rows, columns: this.#columns, fields: this.#fields });
  }
}

export class RowReader {
  readonly #table: Table;
  #row = -1;
  #column = 0;
  #flags = 0;
  /** Of the row's id, where that is beside the kind. */
  #root = 0;
  readonly #compact: boolean;

  constructor(kernels: Kernels, bytes: Uint8Array) {
    this.#table = unpackPeer(kernels, bytes);
    this.#compact = formatOf(bytes) !== 1;
  }

  /** Goes to the next row and returns its kind, or -1 behind the last. */
  next(): number {
    if (++this.#row >= this.#table.rows) return -1;
    const first = this.#table.column(this.#row, 0);
    this.#column = 1;
    this.#flags = this.#compact ? (first >>> FLAG_SHIFT) & FLAG_MASK : first >>> FLAG_SHIFT;
    this.#root = first >>> ROOT_SHIFT;
    return first & KIND_MASK;
  }

  /** @throws CorruptError for flags that this kind does not have. */
  flags(most: number): number {
    return this.#flags <= most ? this.#flags : malformed(`flags ${this.#flags} are not known`);
  }

  flag(): boolean {
    return this.flags(1) === 1;
  }

  u32(): number {
    return this.#table.column(this.#row, this.#column++);
  }

  wide(): number {
    const low = this.u32();
    const high = this.u32();
    return high < TWO_21 ? high * TWO_32 + low : malformed("a number beyond 53 bits");
  }

  id(): TransactionId {
    return { root: this.#compact ? this.#root : this.u32(), incarnation: this.u32(), attempt: this.wide() };
  }

  place(): Place {
    return { peer: this.u32(), activation: this.wide() };
  }

  get extra(): string {
    return this.#table.field(this.#row, 0);
  }
  get service(): string {
    return this.#table.field(this.#row, 1);
  }
  get key(): string {
    return this.#table.field(this.#row, 2);
  }
  get name(): string {
    return this.#table.field(this.#row, 3);
  }
  get body(): string {
    return this.#table.field(this.#row, 4);
  }
}
