/** Rows as text, for calls between partitions. docs/formats.md, "Rows". */

import { type Column, compact, lengthOf, withNulls } from "./column.ts";
import { Rows } from "./rows.ts";

/** Fewer numbers than this are written in decimal: small batches are common, and base64 has a cost of its own. */
const FEW = 48;

type Packed = readonly number[] | string;
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
  return { ...packCells(column), z: packWords(rowsOfNulls(nulls)) };
}

function rowsOfNulls(nulls: Uint8Array): Uint32Array {
  return Uint32Array.from(nulls.keys()).filter((row) => nulls[row] === 1);
}

function packCells(column: Column): PackedColumn {
  if (column.type === "bool")
    return { f: column.values.length < FEW ? Array.from(column.values) : toBase64(column.values) };
  if (column.type === "number") return { n: packNumbers(column.values) };
  if (column.type === "big") return { b: Array.from(column.values, String) };
  const { codes, strings } = compact(column);
  return { t: packWords(codes), s: strings };
}

function unpackColumn(packed: PackedColumn): Column {
  const column = unpackCells(packed);
  if (packed.z === undefined) return column;
  const nulls = new Uint8Array(lengthOf(column));
  for (const row of unpackWords(packed.z)) nulls[row] = 1;
  return withNulls(column, nulls);
}

function unpackCells({ n, b, t, s, f }: PackedColumn): Column {
  if (f !== undefined)
    return { type: "bool", values: typeof f === "string" ? new Uint8Array(fromBase64(f)) : Uint8Array.from(f) };
  if (n !== undefined) return { type: "number", values: unpackNumbers(n) };
  if (b !== undefined) return { type: "big", values: BigInt64Array.from(b, BigInt) };
  return { type: "text", codes: unpackWords(t ?? []), strings: s ?? [] };
}

function packWords(words: Uint32Array): Packed {
  return words.length < FEW ? Array.from(words) : toBase64(words);
}
function unpackWords(packed: Packed): Uint32Array {
  return typeof packed === "string" ? new Uint32Array(fromBase64(packed)) : Uint32Array.from(packed);
}

function packNumbers(values: Float64Array): Packed {
  return values.length < FEW ? Array.from(values) : toBase64(values);
}
function unpackNumbers(packed: Packed): Float64Array {
  return typeof packed === "string" ? new Float64Array(fromBase64(packed)) : Float64Array.from(packed);
}

interface NativeBase64 {
  toBase64?(): string;
}
const native = (Uint8Array as unknown as { fromBase64?(text: string): Uint8Array }).fromBase64;
const CHUNK = 8_192;

function toBase64(array: Float64Array | Uint32Array | Uint8Array): string {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const own = (bytes as NativeBase64).toBase64;
  if (own !== undefined) return own.call(bytes);
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}

function fromBase64(text: string): ArrayBuffer {
  if (native !== undefined) {
    const bytes = native.call(Uint8Array, text);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  }
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes.buffer;
}
