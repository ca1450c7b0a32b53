/** Columns: the values of one field of many events, without an object for each. */

import { INT64_MAX, INT64_MIN } from "../../sdk/limits.ts";
import { TextList } from "./text-list.ts";

/** A value of a field, or null for none. Whole numbers beyond 2^53 are bigint, all others number. */
export type Cell = bigint | number | string | boolean | null;

interface Common {
  /** 1 in rows without a value, whose place holds 0, false or any text; not there where every row has one. */
  readonly nulls?: Uint8Array;
}

/** Doubles, or whole numbers that are all within 2^53. */
export interface NumberColumn extends Common {
  readonly type: "number";
  readonly values: Float64Array;
}
/** Whole numbers of which some may be beyond 2^53. */
export interface BigColumn extends Common {
  readonly type: "big";
  readonly values: BigInt64Array;
}
/** Texts by number; the same text may have several. */
export interface TextColumn extends Common {
  readonly type: "text";
  readonly codes: Uint32Array;
  readonly texts: TextList;
}
/** 1 where it is true. */
export interface BoolColumn extends Common {
  readonly type: "bool";
  readonly values: Uint8Array;
}
export type Column = NumberColumn | BigColumn | TextColumn | BoolColumn;

/** What a column is for. */
export interface CellField {
  readonly kind: CellKind;
  readonly optional?: boolean;
}
export type CellKind = "int64" | "float64" | "text" | "timestamp" | "boolean";

export function lengthOf(column: Column): number {
  return column.type === "text" ? column.codes.length : column.values.length;
}

/** The column with rows of no value, where there are any. */
export function withNulls<C extends Column>(column: C, nulls: Uint8Array | undefined): C {
  return nulls?.includes(1) === true ? { ...column, nulls } : column;
}

export function cellAt(column: Column, row: number): Cell {
  if (column.nulls !== undefined && column.nulls[row] === 1) return null;
  switch (column.type) {
    case "number":
      return column.values[row] as number;
    case "big":
      return plain(column.values[row] as bigint);
    case "text":
      return column.texts.strings[column.codes[row] as number] as string;
    case "bool":
      return column.values[row] === 1;
  }
}

/** A whole number as cells have it. */
export function plain(value: bigint): bigint | number {
  return value >= MIN_SAFE && value <= MAX_SAFE ? Number(value) : value;
}
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const MIN_SAFE = BigInt(Number.MIN_SAFE_INTEGER);

/** Stops at the int64 bounds. */
export function saturated(value: bigint): bigint {
  if (value > INT64_MAX) return INT64_MAX;
  return value < INT64_MIN ? INT64_MIN : value;
}

/** A column of cells; undefined is as good as null. @throws TypeError for one that the field cannot have */
export function columnOf({ kind, optional }: CellField, cells: ArrayLike<unknown>): Column {
  if (optional !== true) return fullColumn(kind, cells);
  const nulls = new Uint8Array(cells.length);
  const blank = BLANKS[kind];
  const full = Array.from(cells, (cell, row) => {
    if (cell !== null && cell !== undefined) return cell;
    nulls[row] = 1;
    return blank;
  });
  return withNulls(fullColumn(kind, full), nulls);
}
const BLANKS: Readonly<Record<CellKind, Cell>> = { int64: 0, float64: 0, timestamp: 0, text: "", boolean: false };

function fullColumn(kind: CellKind, cells: ArrayLike<unknown>): Column {
  if (kind === "text") return textColumn(cells);
  if (kind === "boolean") return boolColumn(cells);
  const values = new Float64Array(cells.length);
  for (let row = 0; row < cells.length; row++) {
    const cell = cells[row];
    if (typeof cell === "bigint" && kind !== "float64") {
      if (cell < MIN_SAFE || cell > MAX_SAFE) return bigColumn(kind, cells);
      values[row] = Number(cell);
    } else if (typeof cell === "number" && isOf(kind, cell)) values[row] = cell;
    else if (cell === EDGE && kind !== "float64") return bigColumn(kind, cells);
    else throw wrong(kind, cell);
  }
  return { type: "number", values };
}

/** -2^53: a bigint among cells, and a number in state and messages of earlier versions. */
const EDGE = -(2 ** 53);

function isOf(kind: CellKind, cell: number): boolean {
  return kind === "float64" ? Number.isFinite(cell) : Number.isSafeInteger(cell);
}

function bigColumn(kind: CellKind, cells: ArrayLike<unknown>): BigColumn {
  const values = new BigInt64Array(cells.length);
  for (let row = 0; row < cells.length; row++) {
    const cell = cells[row];
    if (typeof cell === "number" && (Number.isSafeInteger(cell) || cell === EDGE)) values[row] = BigInt(cell);
    else if (typeof cell === "bigint" && cell >= INT64_MIN && cell <= INT64_MAX) values[row] = cell;
    else throw wrong(kind, cell);
  }
  return { type: "big", values };
}

function textColumn(cells: ArrayLike<unknown>): TextColumn {
  const codes = new Uint32Array(cells.length);
  const known = new Map<string, number>();
  for (let row = 0; row < cells.length; row++) {
    const cell = cells[row];
    if (typeof cell !== "string" || !cell.isWellFormed()) throw wrong("text", cell);
    let code = known.get(cell);
    if (code === undefined) known.set(cell, (code = known.size));
    codes[row] = code;
  }
  return { type: "text", codes, texts: TextList.of([...known.keys()]) };
}

function boolColumn(cells: ArrayLike<unknown>): BoolColumn {
  const values = new Uint8Array(cells.length);
  for (let row = 0; row < cells.length; row++) {
    const cell = cells[row];
    if (typeof cell !== "boolean") throw wrong("boolean", cell);
    values[row] = cell ? 1 : 0;
  }
  return { type: "bool", values };
}

function wrong(kind: CellKind, cell: unknown): TypeError {
  return new TypeError(`a field of kind ${kind} cannot be ${typeof cell} ${String(cell).slice(0, 100)}`);
}

/** A column that has one value in every row. */
export function constantColumn(value: bigint | number | string | boolean, length: number): Column {
  if (typeof value === "boolean") return { type: "bool", values: new Uint8Array(length).fill(value ? 1 : 0) };
  if (typeof value === "string") return { type: "text", codes: new Uint32Array(length), texts: TextList.of([value]) };
  if (typeof value === "number") return { type: "number", values: new Float64Array(length).fill(value) };
  const cell = plain(value);
  return typeof cell === "number"
    ? { type: "number", values: new Float64Array(length).fill(cell) }
    : { type: "big", values: new BigInt64Array(length).fill(cell) };
}

/** A column without any value. */
export function nullColumn(kind: CellKind, length: number): Column {
  return {
    ...constantColumn(BLANKS[kind] as number | string | boolean, length),
    nulls: new Uint8Array(length).fill(1),
  };
}

/** Its rows with these numbers, in this order. */
export function gather(column: Column, index: Uint32Array): Column {
  const { nulls } = column;
  return withNulls(gatherCells(column, index), nulls && gatherBytes(nulls, index));
}

/** The cells from one row to before another, over the same memory. */
export function slice(column: Column, from: number, to: number): Column {
  const cells =
    column.type === "text"
      ? { ...column, codes: column.codes.subarray(from, to) }
      : ({ ...column, values: column.values.subarray(from, to) } as Column);
  const { nulls } = column;
  return nulls === undefined ? cells : withoutNulls(cells, nulls.subarray(from, to));
}

function withoutNulls(column: Column, nulls: Uint8Array): Column {
  const { nulls: _all, ...cells } = column;
  return withNulls(cells as Column, nulls);
}

function gatherBytes(from: Uint8Array, index: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(index.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = from[index[at] as number] as number;
  return bytes;
}

function gatherCells(column: Column, index: Uint32Array): Column {
  const { length } = index;
  if (column.type === "bool") return { type: "bool", values: gatherBytes(column.values, index) };
  if (column.type === "big") {
    const values = new BigInt64Array(length);
    for (let at = 0; at < length; at++) values[at] = column.values[index[at] as number] as bigint;
    return { type: "big", values };
  }
  if (column.type === "number") {
    const values = new Float64Array(length);
    const from = column.values;
    for (let at = 0; at < length; at++) values[at] = from[index[at] as number] as number;
    return { type: "number", values };
  }
  const codes = new Uint32Array(length);
  const from = column.codes;
  for (let at = 0; at < length; at++) codes[at] = from[index[at] as number] as number;
  return { type: "text", codes, texts: column.texts };
}

/** The same text column with no text that no row has: what is sent has to be small. */
export function compact(column: TextColumn): TextColumn {
  const { codes, texts } = column;
  if (texts.length <= codes.length >> 2 && texts.length < 64) return column;
  const renamed = new Int32Array(texts.length).fill(-1);
  const kept = new Uint32Array(Math.min(texts.length, codes.length));
  let count = 0;
  const next = new Uint32Array(codes.length);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row] as number;
    let name = renamed[code] as number;
    if (name < 0) {
      renamed[code] = name = count++;
      kept[name] = code;
    }
    next[row] = name;
  }
  return { ...column, codes: next, texts: texts.pick(kept.subarray(0, count)) };
}

/** One behind the other; all of one kind. */
export function concatColumns(columns: readonly Column[]): Column {
  const [first] = columns;
  if (first === undefined) throw new RangeError("no columns to join");
  if (columns.length === 1) return first;
  const length = columns.reduce((sum, column) => sum + lengthOf(column), 0);
  const some = columns.some(({ nulls }) => nulls !== undefined);
  const joined = concatCells(first, columns, length);
  return some
    ? withNulls(
        joined,
        concatBytes(columns, ({ nulls }) => nulls, length),
      )
    : joined;
}

/** @param bytesOf those of one column; zeros where it has none */
function concatBytes<C extends Column>(
  columns: readonly C[],
  bytesOf: (column: C) => Uint8Array | undefined,
  length: number,
): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const column of columns) {
    bytes.set(bytesOf(column) ?? [], at);
    at += lengthOf(column);
  }
  return bytes;
}

function concatCells(first: Column, columns: readonly Column[], length: number): Column {
  if (first.type === "bool") {
    const values = concatBytes(columns as readonly BoolColumn[], (column) => column.values, length);
    return { type: "bool", values };
  }
  if (first.type === "text") return concatTexts(columns as readonly TextColumn[], length);
  let at = 0;
  if (columns.some(({ type }) => type === "big")) {
    const values = new BigInt64Array(length);
    for (const column of columns) {
      values.set(bigValues(column as NumberColumn | BigColumn), at);
      at += lengthOf(column);
    }
    return { type: "big", values };
  }
  const values = new Float64Array(length);
  for (const column of columns as readonly NumberColumn[]) {
    values.set(column.values, at);
    at += column.values.length;
  }
  return { type: "number", values };
}

function concatTexts(columns: readonly TextColumn[], length: number): TextColumn {
  const codes = new Uint32Array(length);
  let base = 0;
  let at = 0;
  for (const column of columns) {
    for (let row = 0; row < column.codes.length; row++) codes[at++] = (column.codes[row] as number) + base;
    base += column.texts.length;
  }
  return { type: "text", codes, texts: TextList.join(columns.map(({ texts }) => texts)) };
}

/** Whole numbers of a column, exact. */
export function bigValues(column: NumberColumn | BigColumn): BigInt64Array {
  return column.type === "big" ? column.values : BigInt64Array.from(column.values, BigInt);
}

/** As doubles, rounded where they are beyond 2^53. */
export function doubles(column: NumberColumn | BigColumn): Float64Array {
  return column.type === "number" ? column.values : Float64Array.from(column.values, Number);
}
