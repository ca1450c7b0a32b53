/** Reads columns frames: docs/formats.md has the layout. The message that carried one was verified by its checksum. */

import type { EventColumn } from "../../sdk/index.ts";
import type { BigColumn, BoolColumn, Column, NumberColumn, TextColumn } from "./column.ts";
import { doubles, withNulls } from "./column.ts";
import { Rows } from "./rows.ts";

const HEAD = 32;
const DESCRIPTOR = 16;
const TYPES = ["i64", "f64", "text", "bool"] as const;
/** Bytes of a cell. */
const WIDTHS = { i64: 8, f64: 8, text: 4, bool: 1 } as const;
/** Added to the type of a column that may be without a value. */
const OPTIONAL = 256;
const TWO_32 = 4_294_967_296;
/** High words of whole numbers within 2^53. */
const SAFE_HIGH = 2 ** 21;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Events of a stream.
 * @param nameHash low word of the xxh64 of a column's name
 * @param time the column that is event time
 * @throws RangeError when the frame has other columns
 */
export function readFrame(
  frame: Uint8Array,
  columns: readonly EventColumn[],
  nameHash: (name: string) => number,
): { readonly rows: number; readonly columns: ReadonlyMap<string, () => Column> } {
  // Views of typed arrays need an aligned start.
  const bytes = frame.byteOffset % 8 === 0 ? frame : frame.slice();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const rows = view.getUint32(8, true);
  if (view.getUint32(12, true) !== columns.length) throw new RangeError("the events have other columns");
  const found = new Map<string, () => Column>();
  let data = HEAD + DESCRIPTOR * columns.length;
  let texts = data;
  for (const column of columns) texts += cellBytes(column, rows) + presenceBytes(column, rows);
  for (const [index, column] of columns.entries()) {
    const { name, type, optional } = column;
    const at = HEAD + DESCRIPTOR * index;
    const number = TYPES.indexOf(type) + 1 + (optional === true ? OPTIONAL : 0);
    if (view.getUint32(at, true) !== number || view.getUint32(at + 4, true) !== nameHash(name))
      throw new RangeError("the events have other columns");
    const [strings, length] = [view.getUint32(at + 8, true), view.getUint32(at + 12, true)];
    const read = readerOf(type, bytes, rows, { cells: data, strings, heap: texts });
    data += cellBytes(column, rows);
    const present = data;
    found.set(name, optional === true ? () => withNulls(read(), readNulls(bytes, rows, present)) : read);
    data += presenceBytes(column, rows);
    if (type === "text") texts += padded(4 * strings + length);
  }
  return { rows, columns: found };
}

function cellBytes({ type }: EventColumn, rows: number): number {
  return padded(rows * WIDTHS[type]);
}
function presenceBytes({ optional }: EventColumn, rows: number): number {
  return optional === true ? padded(Math.ceil(rows / 8)) : 0;
}

function readerOf(
  type: EventColumn["type"],
  bytes: Uint8Array,
  rows: number,
  { cells, strings, heap }: { readonly cells: number; readonly strings: number; readonly heap: number },
): () => Column {
  switch (type) {
    case "text":
      return () => readTexts(bytes, rows, cells, strings, heap);
    case "i64":
      return () => readWhole(bytes, rows, cells);
    case "f64":
      return () => readDoubles(bytes, rows, cells);
    case "bool":
      return (): BoolColumn => ({ type: "bool", values: bytes.subarray(cells, cells + rows) });
  }
}

/** From a bit for each row that has a value. */
function readNulls(bytes: Uint8Array, rows: number, at: number): Uint8Array {
  const nulls = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) nulls[row] = 1 - (((bytes[at + (row >> 3)] as number) >> (row & 7)) & 1);
  return nulls;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

function readDoubles(bytes: Uint8Array, rows: number, at: number): NumberColumn {
  return { type: "number", values: new Float64Array(bytes.buffer, bytes.byteOffset + at, rows) };
}

function readWhole(bytes: Uint8Array, rows: number, at: number): NumberColumn | BigColumn {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, rows * 2);
  const values = new Float64Array(rows);
  for (let row = 0, word = 0; row < rows; row++, word += 2) {
    const high = words[word + 1] as number;
    if (high >= SAFE_HIGH || high < -SAFE_HIGH)
      return { type: "big", values: new BigInt64Array(bytes.buffer, bytes.byteOffset + at, rows) };
    values[row] = high * TWO_32 + ((words[word] as number) >>> 0);
  }
  return { type: "number", values };
}

function readTexts(bytes: Uint8Array, rows: number, at: number, count: number, heap: number): TextColumn {
  const ends = new Uint32Array(bytes.buffer, bytes.byteOffset + heap, count);
  const from = heap + 4 * count;
  const length = count === 0 ? 0 : (ends[count - 1] as number);
  const whole = decoder.decode(bytes.subarray(from, from + length));
  const strings: string[] = new Array<string>(count);
  // Where all is ASCII a byte is a unit of the text, and one decoding does for all strings.
  if (whole.length === length) {
    for (let code = 0, start = 0; code < count; code++) {
      const end = ends[code] as number;
      strings[code] = whole.slice(start, end);
      start = end;
    }
  } else {
    for (let code = 0, start = 0; code < count; code++) {
      const end = ends[code] as number;
      strings[code] = decoder.decode(bytes.subarray(from + start, from + end));
      start = end;
    }
  }
  return { type: "text", codes: new Uint32Array(bytes.buffer, bytes.byteOffset + at, rows), strings };
}

/** The events with their time. */
export function timedRows(columns: ReadonlyMap<string, Column | (() => Column)>, time: string): Rows {
  const column = columns.get(time);
  const made = typeof column === "function" ? column() : column;
  if (made?.type !== "number" && made?.type !== "big") throw new RangeError(`the events have no time "${time}"`);
  return new Rows(new Map([...columns, [time, made]]), doubles(made));
}
