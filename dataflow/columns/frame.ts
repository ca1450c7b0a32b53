/** Reads columns frames: docs/formats.md has the layout. The message that carried one was verified by its checksum. */

import type { EventColumn } from "../../sdk/index.ts";
import type { BigColumn, Column, NumberColumn, TextColumn } from "./column.ts";
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

/** Columns by name, each made when it is first looked at. */
export type LazyColumns = ReadonlyMap<string, () => Column>;

export interface EventFrame {
  readonly rows: number;
  /** The rows from one number to before another. They hold what is theirs and not the frame. */
  part(from: number, to: number): LazyColumns;
}

/** Where a frame has a column. */
interface Place {
  readonly column: EventColumn;
  readonly cells: number;
  readonly present: number;
  readonly strings: number;
  readonly heap: number;
}

/**
 * Events of a stream.
 * @param nameHash low word of the xxh64 of a column's name
 * @throws RangeError when the frame has other columns
 */
export function openFrame(
  frame: Uint8Array,
  columns: readonly EventColumn[],
  nameHash: (name: string) => number,
): EventFrame {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const rows = view.getUint32(8, true);
  if (view.getUint32(12, true) !== columns.length) throw new RangeError("the events have other columns");
  let data = HEAD + DESCRIPTOR * columns.length;
  let texts = data;
  for (const column of columns) texts += cellBytes(column, rows) + presenceBytes(column, rows);
  const places = columns.map((column, index): Place => {
    const at = HEAD + DESCRIPTOR * index;
    const number = TYPES.indexOf(column.type) + 1 + (column.optional === true ? OPTIONAL : 0);
    if (view.getUint32(at, true) !== number || view.getUint32(at + 4, true) !== nameHash(column.name))
      throw new RangeError("the events have other columns");
    const [strings, length] = [view.getUint32(at + 8, true), view.getUint32(at + 12, true)];
    const cells = data;
    const present = cells + cellBytes(column, rows);
    const heap = texts;
    data = present + presenceBytes(column, rows);
    if (column.type === "text") texts += padded(4 * strings + length);
    return { column, cells, present, strings, heap };
  });
  const part = (from: number, to: number): LazyColumns =>
    new Map(places.map((place) => [place.column.name, () => readColumn(frame, place, from, to, rows)]));
  return { rows, part };
}

/** All events of a frame. @throws RangeError when it has other columns */
export function readFrame(
  frame: Uint8Array,
  columns: readonly EventColumn[],
  nameHash: (name: string) => number,
): { readonly rows: number; readonly columns: LazyColumns } {
  const { rows, part } = openFrame(frame, columns, nameHash);
  return { rows, columns: part(0, rows) };
}

function readColumn(frame: Uint8Array, place: Place, from: number, to: number, rows: number): Column {
  const { column, present } = place;
  const cells = readCells(frame, place, from, to, rows);
  return column.optional === true ? withNulls(cells, readNulls(frame, present, from, to)) : cells;
}

function readCells(frame: Uint8Array, place: Place, from: number, to: number, rows: number): Column {
  const { type } = place.column;
  const width = WIDTHS[type];
  const bytes = aligned(frame, place.cells + from * width, (to - from) * width);
  switch (type) {
    case "text": {
      const codes = new Uint32Array(bytes.buffer, bytes.byteOffset, to - from);
      return to - from === rows ? { type, codes, strings: allTexts(frame, place) } : someTexts(frame, place, codes);
    }
    case "i64":
      return readWhole(bytes, to - from);
    case "f64":
      return { type: "number", values: new Float64Array(bytes.buffer, bytes.byteOffset, to - from) };
    case "bool":
      return { type, values: bytes };
  }
}

/** Bytes of a frame where views of typed arrays may begin. */
function aligned(frame: Uint8Array, at: number, length: number): Uint8Array {
  return (frame.byteOffset + at) % 8 === 0 ? frame.subarray(at, at + length) : frame.slice(at, at + length);
}

function cellBytes({ type }: EventColumn, rows: number): number {
  return padded(rows * WIDTHS[type]);
}
function presenceBytes({ optional }: EventColumn, rows: number): number {
  return optional === true ? padded(Math.ceil(rows / 8)) : 0;
}

/** From a bit for each row that has a value. */
function readNulls(frame: Uint8Array, at: number, from: number, to: number): Uint8Array {
  const nulls = new Uint8Array(to - from);
  for (let row = from; row < to; row++) nulls[row - from] = 1 - (((frame[at + (row >> 3)] as number) >> (row & 7)) & 1);
  return nulls;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

function readWhole(bytes: Uint8Array, rows: number): NumberColumn | BigColumn {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, rows * 2);
  const values = new Float64Array(rows);
  for (let row = 0, word = 0; row < rows; row++, word += 2) {
    const high = words[word + 1] as number;
    if (high >= SAFE_HIGH || high < -SAFE_HIGH)
      return { type: "big", values: new BigInt64Array(bytes.buffer, bytes.byteOffset, rows) };
    values[row] = high * TWO_32 + ((words[word] as number) >>> 0);
  }
  return { type: "number", values };
}

/** All strings of a column. */
function allTexts(frame: Uint8Array, { heap, strings: count }: Place): string[] {
  const bytes = aligned(frame, heap, 4 * count);
  const ends = new Uint32Array(bytes.buffer, bytes.byteOffset, count);
  const strings: string[] = new Array<string>(count);
  decodeRun(frame, heap + 4 * count, ends, 0, count, (code, text) => (strings[code] = text));
  return strings;
}

/** Those of some rows, with codes of their own. */
function someTexts(frame: Uint8Array, { heap, strings: count }: Place, codes: Uint32Array): TextColumn {
  const bytes = aligned(frame, heap, 4 * count);
  const ends = new Uint32Array(bytes.buffer, bytes.byteOffset, count);
  const used = codes.slice().sort();
  const renamed = new Map<number, number>();
  const strings: string[] = [];
  const keep = (code: number, text: string): void => void renamed.set(code, strings.push(text) - 1);
  // Strings are in the order of the rows that have them first: most of those of neighbouring rows are neighbours.
  for (let at = 0; at < used.length;) {
    const first = used[at] as number;
    let last = first;
    for (; at < used.length && (used[at] as number) <= last + 1; at++) last = used[at] as number;
    decodeRun(frame, heap + 4 * count, ends, first, last + 1, keep);
  }
  return { type: "text", codes: codes.map((code) => renamed.get(code) as number), strings };
}

/** Decodes the strings with numbers from one to before another. */
function decodeRun(
  frame: Uint8Array,
  heap: number,
  ends: Uint32Array,
  from: number,
  to: number,
  take: (code: number, text: string) => void,
): void {
  if (from === to) return;
  const begin = from === 0 ? 0 : (ends[from - 1] as number);
  const whole = decoder.decode(frame.subarray(heap + begin, heap + (ends[to - 1] as number)));
  // Where all is ASCII a byte is a unit of the text, and one decoding does for all strings.
  const plain = whole.length === (ends[to - 1] as number) - begin;
  for (let code = from, start = begin; code < to; code++) {
    const end = ends[code] as number;
    take(
      code,
      plain ? whole.slice(start - begin, end - begin) : decoder.decode(frame.subarray(heap + start, heap + end)),
    );
    start = end;
  }
}

/** The events with their time. */
export function timedRows(columns: ReadonlyMap<string, Column | (() => Column)>, time: string): Rows {
  const column = columns.get(time);
  const made = typeof column === "function" ? column() : column;
  if (made?.type !== "number" && made?.type !== "big") throw new RangeError(`the events have no time "${time}"`);
  return new Rows(new Map([...columns, [time, made]]), doubles(made));
}
