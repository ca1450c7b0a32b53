/** Rows of the table that peers exchange: written and read from left to right, so that layouts need no column numbers. */
import type { Kernels, Table, TableSpec } from "../../../core-wasm/types.ts";
import { invariant } from "../../assert.ts";
import { UTF8_PER_UNIT } from "../../utf8.ts";
import type { Place, TransactionId } from "../messages.ts";
import { malformed } from "./structure.ts";

export const PEER: TableSpec = { kind: 4, version: 1, columns: 16, fields: 5 };

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
  hello: 32,
  report: 33,
  join: 34,
  want: 35,
  closed: 36,
  prepared: 37,
  refuse: 38,
  recover: 64,
  era: 65,
  joined: 66,
  close: 67,
  prepare: 68,
  decide: 69,
} as const;

/** Kind and flags share the first column. */
const FLAG_SHIFT = 8;
const KIND_MASK = 0xff;
const TWO_32 = 2 ** 32;
const TWO_21 = 2 ** 21;
const ROW_BYTES = 4 * (PEER.columns + PEER.fields);

export class RowWriter {
  readonly #columns: number[] = [];
  readonly #fields: string[] = [];
  #rows = 0;
  #units = 0;

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
    this.#columns.push(id.root, id.incarnation);
    return this.wide(id.attempt);
  }

  place(place: Place): this {
    return this.u32(place.peer).wide(place.activation);
  }

  /** Ends the row: the columns that its kind does not use are 0. */
  end(extra = "", service = "", key = "", name = "", body = ""): void {
    const full = ++this.#rows * PEER.columns;
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
    return this.#rows * ROW_BYTES + this.#units * UTF8_PER_UNIT;
  }

  pack(kernels: Kernels): Uint8Array {
    return kernels.pack(PEER, { rows: this.#rows, columns: this.#columns, fields: this.#fields });
  }
}

export class RowReader {
  readonly #table: Table;
  #row = -1;
  #column = 0;
  #flags = 0;

  constructor(table: Table) {
    this.#table = table;
  }

  /** Goes to the next row and returns its kind, or -1 behind the last. */
  next(): number {
    if (++this.#row >= this.#table.rows) return -1;
    const first = this.#table.column(this.#row, 0);
    this.#column = 1;
    this.#flags = first >>> FLAG_SHIFT;
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
    return { root: this.u32(), incarnation: this.u32(), attempt: this.wide() };
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
