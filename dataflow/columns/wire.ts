/** Rows as text, for calls between partitions. docs/formats.md, "Rows". */

import { type Column, compact, lengthOf, withNulls } from "./column.ts";
import { packBytes, type Packed, packNumbers, unpackBytes, unpackNumbers, unpackWords } from "./packed.ts";
import { Rows } from "./rows.ts";
import { TextList } from "./text-list.ts";

interface PackedColumn {
  /** Numbers, whole numbers as decimal texts, or texts. */
  readonly n?: Packed;
  readonly b?: readonly string[];
  readonly t?: Packed;
  readonly s?: readonly string[];
  /** Booleans, as 1 and 0. */
  readonly f?: Packed;
  /** Numbers of the rows without a value; not there where every row has one. */
  readonly z?: Packed;
}
export interface PackedRows {
  readonly time: Packed;
  readonly sign?: readonly number[];
  readonly columns: Readonly<Record<string, PackedColumn>>;
}

/** @param names the columns that are wanted; all when left out */
export function packRows(rows: Rows, names: readonly string[] = rows.names): PackedRows {
  const columns: Record<string, PackedColumn> = {};
  for (const name of names) columns[name] = packColumn(rows.column(name));
  const time = packNumbers(rows.time);
  return rows.sign === null ? { time, columns } : { time, sign: Array.from(rows.sign), columns };
}

export function unpackRows({ time, sign, columns }: PackedRows): Rows {
  const read = new Map<string, () => Column>();
  for (const [name, column] of Object.entries(columns)) read.set(name, () => unpackColumn(column));
  return new Rows(read, unpackNumbers(time), sign === undefined ? null : Int8Array.from(sign));
}

function packColumn(column: Column): PackedColumn {
  const { nulls } = column;
  if (nulls === undefined) return packCells(column);
  return { ...packCells(column), z: packNumbers(rowsOfNulls(nulls)) };
}

function rowsOfNulls(nulls: Uint8Array): Uint32Array {
  return Uint32Array.from(nulls.keys()).filter((row) => nulls[row] === 1);
}

function packCells(column: Column): PackedColumn {
  if (column.type === "bool") return { f: packBytes(column.values) };
  if (column.type === "number") return { n: packNumbers(column.values) };
  if (column.type === "big") return { b: Array.from(column.values, String) };
  const { codes, texts } = compact(column);
  return { t: packNumbers(codes), s: texts.strings };
}

function unpackColumn(packed: PackedColumn): Column {
  const column = unpackCells(packed);
  if (packed.z === undefined) return column;
  const nulls = new Uint8Array(lengthOf(column));
  for (const row of unpackWords(packed.z)) nulls[row] = 1;
  return withNulls(column, nulls);
}

function unpackCells({ n, b, t, s, f }: PackedColumn): Column {
  if (f !== undefined) return { type: "bool", values: unpackBytes(f) };
  if (n !== undefined) return { type: "number", values: unpackNumbers(n) };
  if (b !== undefined) return { type: "big", values: BigInt64Array.from(b, BigInt) };
  return { type: "text", codes: unpackWords(t ?? []), texts: TextList.of(s ?? []) };
}
