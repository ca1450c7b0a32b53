/** Rows as text, for calls between partitions. docs/formats.md, "Rows". */

import { type Column, compact } from "./column.ts";
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
  if (column.type === "number") return { n: packNumbers(column.values) };
  if (column.type === "big") return { b: Array.from(column.values, String) };
  const { codes, strings } = compact(column);
  return { t: codes.length < FEW ? Array.from(codes) : toBase64(codes), s: strings };
}

function unpackColumn({ n, b, t, s }: PackedColumn): Column {
  if (n !== undefined) return { type: "number", values: unpackNumbers(n) };
  if (b !== undefined) return { type: "big", values: BigInt64Array.from(b, BigInt) };
  const codes = typeof t === "string" ? new Uint32Array(fromBase64(t)) : Uint32Array.from(t ?? []);
  return { type: "text", codes, strings: s ?? [] };
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

function toBase64(array: Float64Array | Uint32Array): string {
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
