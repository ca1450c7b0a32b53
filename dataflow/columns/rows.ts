/** A batch of events as columns, each with its event time. */

import { floatJson } from "../../sdk/exact.ts";
import type { Fields } from "../../sdk/index.ts";
import { type Cell, cellAt, type Column, columnOf, concatColumns, gather, slice } from "./column.ts";

/** Columns by name; one that is a function is made when it is first looked at. */
export type ColumnSource = ReadonlyMap<string, Column | (() => Column)>;

const EMPTY_COLUMN: Column = { type: "number", values: new Float64Array() };

export class Rows {
  readonly length: number;
  /** Event time, ms since 1970. */
  readonly time: Float64Array;
  /** -1 where a row takes an earlier one back; null when none does. */
  readonly sign: Int8Array | null;
  readonly #columns: Map<string, Column | (() => Column)>;

  constructor(columns: ColumnSource, time: Float64Array, sign: Int8Array | null = null) {
    this.#columns = new Map(columns);
    this.time = time;
    this.sign = sign;
    this.length = time.length;
  }

  get names(): string[] {
    return [...this.#columns.keys()];
  }

  column(name: string): Column {
    const column = this.#columns.get(name);
    if (column === undefined) {
      // No events have no columns either.
      if (this.length === 0) return EMPTY_COLUMN;
      throw new RangeError(`the events have no column "${name}"`);
    }
    if (typeof column !== "function") return column;
    const made = column();
    this.#columns.set(name, made);
    return made;
  }

  /** The rows with these numbers. Columns follow as they are looked at. */
  pick(index: Uint32Array): Rows {
    const columns = new Map<string, () => Column>();
    for (const name of this.#columns.keys()) columns.set(name, () => gather(this.column(name), index));
    const time = new Float64Array(index.length);
    for (let at = 0; at < index.length; at++) time[at] = this.time[index[at] as number] as number;
    const { sign } = this;
    return new Rows(columns, time, sign === null ? null : Int8Array.from(index, (row) => sign[row] as number));
  }

  /** The rows from one number to before another, over the same memory. */
  slice(from: number, to: number): Rows {
    if (from === 0 && to === this.length) return this;
    const columns = new Map<string, () => Column>();
    for (const name of this.#columns.keys()) columns.set(name, () => slice(this.column(name), from, to));
    return new Rows(columns, this.time.subarray(from, to), this.sign?.subarray(from, to) ?? null);
  }

  /** Other columns over the same events. */
  withColumns(columns: ColumnSource): Rows {
    return new Rows(columns, this.time, this.sign);
  }

  /** A row as an object, of these fields. */
  object(row: number, names: readonly string[]): Record<string, Cell> {
    const object: Record<string, Cell> = {};
    for (const name of names) object[name] = cellAt(this.column(name), row);
    return object;
  }
}

export const NO_ROWS = new Rows(new Map(), new Float64Array());

/** All of them, one behind the other; the columns are those of the first. */
export function concatRows(all: readonly Rows[]): Rows {
  const some = all.filter(({ length }) => length > 0);
  const [first] = some;
  if (first === undefined) return all[0] ?? NO_ROWS;
  if (some.length === 1) return first;
  const length = some.reduce((sum, rows) => sum + rows.length, 0);
  const time = new Float64Array(length);
  const signed = some.some(({ sign }) => sign !== null);
  const sign = signed ? new Int8Array(length).fill(1) : null;
  let at = 0;
  for (const rows of some) {
    time.set(rows.time, at);
    if (rows.sign !== null) sign?.set(rows.sign, at);
    at += rows.length;
  }
  const columns = new Map<string, () => Column>();
  for (const name of first.names) columns.set(name, () => concatColumns(some.map((rows) => rows.column(name))));
  return new Rows(columns, time, sign);
}

/** Events from objects. @throws TypeError for a value that its field cannot have */
export function rowsOf(
  fields: Fields,
  objects: ReadonlyArray<Readonly<Record<string, unknown>>>,
  time: Float64Array,
  sign: Int8Array | null = null,
): Rows {
  const columns = new Map<string, Column>();
  for (const [name, field] of Object.entries(fields)) {
    try {
      columns.set(
        name,
        columnOf(
          field,
          objects.map((object) => object[name]),
        ),
      );
    } catch (error) {
      if (error instanceof TypeError) throw new TypeError(`"${name}": ${error.message}`, { cause: error });
      throw error;
    }
  }
  return new Rows(columns, time, sign);
}

/**
 * A cell as JSON for those who read rows and events, by which they know its kind: an int64 beyond 2^53 is a bigint here, so that a number there
 * is a float64.
 */
export function typedJson(cell: Cell): string {
  return typeof cell === "number" ? floatJson(cell) : cellJson(cell);
}

/** JSON as earlier versions of the engine wrote it: float64s as JavaScript does, mostly without an exponent. */
export function earlierJson(json: string): string {
  return json.replaceAll(TEXT_OR_EXPONENT, (token) => (token.startsWith('"') ? token : JSON.stringify(Number(token))));
}
const TEXT_OR_EXPONENT = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?e\+\d+/gu;

/** A cell as JSON; whole numbers are written out exactly, however large. */
export function cellJson(cell: Cell): string {
  return typeof cell === "bigint" ? cell.toString() : JSON.stringify(cell);
}
