/** Reads columns frames: docs/formats.md has the layout. The message that carried one was verified by its checksum. */

import type { EventColumn } from "../../sdk/index.ts";
import type { BigColumn, Column, NumberColumn, TextColumn } from "./column.ts";
import { doubles } from "./column.ts";
import { Rows } from "./rows.ts";

const HEAD = 32;
const DESCRIPTOR = 16;
const TYPES = ["i64", "f64", "text"] as const;
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
  for (const { type } of columns) texts += padded(rows * (type === "text" ? 4 : 8));
  for (const [index, { name, type }] of columns.entries()) {
    const at = HEAD + DESCRIPTOR * index;
    if (TYPES[view.getUint32(at, true) - 1] !== type || view.getUint32(at + 4, true) !== nameHash(name))
      throw new RangeError("the events have other columns");
    const start = data;
    if (type === "text") {
      const [strings, length] = [view.getUint32(at + 8, true), view.getUint32(at + 12, true)];
      const heap = texts;
      found.set(name, () => readTexts(bytes, rows, start, strings, heap));
      texts += padded(4 * strings + length);
    } else if (type === "i64") found.set(name, () => readWhole(bytes, rows, start));
    else found.set(name, () => readDoubles(bytes, rows, start));
    data += padded(rows * (type === "text" ? 4 : 8));
  }
  return { rows, columns: found };
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
  if (made === undefined || made.type === "text") throw new RangeError(`the events have no time "${time}"`);
  return new Rows(new Map([...columns, [time, made]]), doubles(made));
}
