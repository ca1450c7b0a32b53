/** Twin of the packed table: written and read field by field with a DataView. */
import { MAX_TABLE_BYTES } from "../limits.ts";
import { CorruptError } from "../types.ts";
import type { Table, TableInput, TableSpec } from "../types.ts";
import { checkTableInput, tableTooLarge } from "../table-input.ts";
import { xxh64 } from "./xxh64.ts";

const MAGIC = 0x31544754;
const HEADER_BYTES = 32;
const CHECKSUM_AT = 24;

/** Packs a table. @throws RangeError above MAX_TABLE_BYTES */
export function pack(spec: TableSpec, input: TableInput): Uint8Array {
  checkTableInput(spec, input);
  const encoder = new TextEncoder();
  const fields = input.fields.map((field) => encoder.encode(field));
  return packBytes(spec, input.rows, input.columns, fields, input.tail ?? new Uint8Array());
}

/** Packs a table whose fields are UTF-8 already. */
export function packBytes(
  spec: TableSpec,
  rows: number,
  columns: readonly number[] | Uint32Array,
  fields: readonly Uint8Array[],
  tail: Uint8Array,
): Uint8Array {
  const heapBytes = fields.reduce((sum, field) => sum + field.length, 0);
  const length = HEADER_BYTES + 4 * (columns.length + fields.length) + heapBytes + tail.length;
  if (length > MAX_TABLE_BYTES) throw tableTooLarge(length);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, spec.kind, true);
  view.setUint16(6, spec.version, true);
  view.setUint32(8, rows, true);
  view.setUint16(12, spec.columns, true);
  view.setUint16(14, spec.fields, true);
  view.setUint32(16, heapBytes, true);
  view.setUint32(20, tail.length, true);
  let at = HEADER_BYTES;
  for (const column of columns) at = putWord(view, at, column);
  for (const field of fields) at = putWord(view, at, field.length);
  for (const part of [...fields, tail]) {
    bytes.set(part, at);
    at += part.length;
  }
  view.setBigUint64(CHECKSUM_AT, tableChecksum(bytes), true);
  return bytes;
}

/** Verifies and reads a table. @throws CorruptError */
export function unpack(spec: TableSpec, bytes: Uint8Array): Table {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_TABLE_BYTES) throw corruptLength();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== MAGIC) throw new CorruptError("magic", "not a packed table");
  if (view.getUint16(4, true) !== spec.kind) throw new CorruptError("kind", "a table of another kind");
  if (view.getUint16(6, true) !== spec.version) throw new CorruptError("version", "an unknown version of this kind");
  if (view.getUint16(12, true) !== spec.columns || view.getUint16(14, true) !== spec.fields) throw corruptLength();
  const rows = view.getUint32(8, true);
  const heapBytes = view.getUint32(16, true);
  const tailBytes = view.getUint32(20, true);
  const lengthsAt = HEADER_BYTES + 4 * rows * spec.columns;
  const heapAt = lengthsAt + 4 * rows * spec.fields;
  if (heapAt + heapBytes + tailBytes !== bytes.length) throw corruptLength();
  if (view.getBigUint64(CHECKSUM_AT, true) !== tableChecksum(bytes)) {
    throw new CorruptError("checksum", "the checksum does not match");
  }
  const columns: number[] = [];
  for (let at = HEADER_BYTES; at < lengthsAt; at += 4) columns.push(view.getUint32(at, true));
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  const fields: string[] = [];
  let start = heapAt;
  for (let at = lengthsAt; at < heapAt; at += 4) {
    const end = start + view.getUint32(at, true);
    if (end > heapAt + heapBytes) throw corruptLength();
    fields.push(decoder.decode(bytes.subarray(start, end)));
    start = end;
  }
  if (start !== heapAt + heapBytes) throw corruptLength();
  return {
    rows,
    column: (row, column) => cell(columns, rows, spec.columns, row, column),
    field: (row, field) => cell(fields, rows, spec.fields, row, field),
    tail: bytes.slice(heapAt + heapBytes),
  };
}

function tableChecksum(bytes: Uint8Array): bigint {
  return xxh64(bytes.subarray(HEADER_BYTES), xxh64(bytes.subarray(0, CHECKSUM_AT)));
}

function putWord(view: DataView, at: number, value: number): number {
  view.setUint32(at, value, true);
  return at + 4;
}

function cell<T>(cells: readonly T[], rows: number, width: number, row: number, index: number): T {
  if (!(row >= 0 && row < rows && index >= 0 && index < width)) throw new RangeError(`no cell ${index} in row ${row}`);
  return cells[row * width + index] as T;
}

function corruptLength(): CorruptError {
  return new CorruptError("length", "lengths and shape do not add up");
}
