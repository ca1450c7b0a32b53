/** Reads columns frames: docs/formats.md has the layout. The message that carried one was verified by its checksum. */

import type { EventColumn } from "../../sdk/index.ts";
import type { BigColumn, Column, NumberColumn, TextColumn } from "./column.ts";
import { doubles, withNulls } from "./column.ts";
import { EVENT_TIME_MAX } from "../limits.ts";
import { Rows } from "./rows.ts";
import { TextHeap, type TextKernels, TextList } from "./text-list.ts";

const HEAD = 32;
const DESCRIPTOR = 16;
const TYPES = ["i64", "f64", "text", "bool"] as const;
/** Bytes of a cell. */
const WIDTHS = { i64: 8, f64: 8, text: 4, bool: 1 } as const;
/** Added to the type of a column that may be without a value. */
const OPTIONAL = 256;
const TWO_32 = 4_294_967_296;
/** High words of whole numbers within 2^53 are from its negative to below it. */
const SAFE_HIGH = 2 ** 21;

/** Columns by name, each made when it is first looked at. */
export type LazyColumns = ReadonlyMap<string, () => Column>;

export interface EventFrame {
  readonly rows: number;
  /** Columns of the stream that it does not have: who sent it knew of nobody who reads them. */
  readonly lacks: ReadonlySet<string>;
  /** The rows from one number to before another. They hold what is theirs and not the frame. */
  part(from: number, to: number): LazyColumns;
}

/** What reading frames needs of the core. */
export interface FrameTools {
  /** Low word of the xxh64 of a column's name. */
  nameHash(name: string): number;
  /** For what is done to their texts. */
  readonly kernels: TextKernels;
}

/** Where a frame has a column. */
interface Place {
  readonly column: EventColumn;
  readonly cells: number;
  /** Those that say in which rows it has a value. */
  readonly bits: number;
  readonly strings: number;
  readonly heap: number;
  readonly heapBytes: number;
}

/**
 * Events of a stream, with all of its columns or some, in the order of declaration.
 * @throws RangeError when the frame has other columns
 */
export function openFrame(
  frame: Uint8Array,
  columns: readonly EventColumn[],
  { nameHash, kernels }: FrameTools,
): EventFrame {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const rows = view.getUint32(8, true);
  const count = view.getUint32(12, true);
  const lacks = new Set<string>();
  const present = columns.filter(({ name }, index) => {
    const next = index - lacks.size;
    const has = next < count && view.getUint32(HEAD + DESCRIPTOR * next + 4, true) === nameHash(name);
    if (!has) lacks.add(name);
    return has;
  });
  if (present.length !== count) throw new RangeError("the events have other columns");
  let data = HEAD + DESCRIPTOR * count;
  let texts = data;
  for (const column of present) texts += cellBytes(column, rows) + presenceBytes(column, rows);
  const places = present.map((column, index): Place => {
    const at = HEAD + DESCRIPTOR * index;
    const number = TYPES.indexOf(column.type) + 1 + (column.optional === true ? OPTIONAL : 0);
    if (view.getUint32(at, true) !== number) throw new RangeError("the events have other columns");
    const [strings, length] = [view.getUint32(at + 8, true), view.getUint32(at + 12, true)];
    const cells = data;
    const bits = cells + cellBytes(column, rows);
    const heap = texts;
    data = bits + presenceBytes(column, rows);
    if (column.type === "text") texts += padded(4 * strings + length);
    return { column, cells, bits, strings, heap, heapBytes: length };
  });
  const part = (from: number, to: number): LazyColumns =>
    new Map(places.map((place) => [place.column.name, () => readColumn(frame, place, { from, to, rows, kernels })]));
  return { rows, lacks, part };
}

/** All events of a frame. @throws RangeError when it has other columns */
export function readFrame(
  frame: Uint8Array,
  columns: readonly EventColumn[],
  tools: FrameTools,
): { readonly rows: number; readonly columns: LazyColumns } {
  const { rows, part } = openFrame(frame, columns, tools);
  return { rows, columns: part(0, rows) };
}

interface Part {
  readonly from: number;
  readonly to: number;
  /** Of the whole frame. */
  readonly rows: number;
  readonly kernels: TextKernels;
}

function readColumn(frame: Uint8Array, place: Place, part: Part): Column {
  const { column, bits } = place;
  const cells = readCells(frame, place, part);
  return column.optional === true ? withNulls(cells, readNulls(frame, bits, part.from, part.to)) : cells;
}

function readCells(frame: Uint8Array, place: Place, { from, to, rows, kernels }: Part): Column {
  const { type } = place.column;
  const width = WIDTHS[type];
  const bytes = aligned(frame, place.cells + from * width, (to - from) * width);
  switch (type) {
    case "text": {
      const codes = new Uint32Array(bytes.buffer, bytes.byteOffset, to - from);
      return to - from === rows
        ? { type, codes, texts: allTexts(frame, place, kernels) }
        : someTexts(frame, place, codes, kernels);
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
    // -2^53 itself, without a low word, is none that a number column may have.
    if (high >= SAFE_HIGH || high < -SAFE_HIGH || (high === -SAFE_HIGH && words[word] === 0))
      return { type: "big", values: new BigInt64Array(bytes.buffer, bytes.byteOffset, rows) };
    values[row] = high * TWO_32 + ((words[word] as number) >>> 0);
  }
  return { type: "number", values };
}

/** All texts of a column, as they are in the frame. */
function allTexts(frame: Uint8Array, { heap, strings: count, heapBytes }: Place, kernels: TextKernels): TextList {
  const ends = endsOf(frame, heap, count);
  const starts = new Uint32Array(count);
  starts.set(ends.subarray(0, Math.max(0, count - 1)), Math.min(1, count));
  const bytes = frame.subarray(heap + 4 * count, heap + 4 * count + heapBytes);
  return TextList.ofBytes({ heap: new TextHeap(bytes, kernels), starts, ends });
}

function endsOf(frame: Uint8Array, heap: number, count: number): Uint32Array {
  const bytes = aligned(frame, heap, 4 * count);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, count);
}

/** Those of some rows, with codes and bytes of their own. */
function someTexts(frame: Uint8Array, place: Place, codes: Uint32Array, kernels: TextKernels): TextColumn {
  const { heap, strings: count } = place;
  const ends = endsOf(frame, heap, count);
  const from = heap + 4 * count;
  const renamed = new Uint32Array(codes.length);
  const names = new Map<number, number>();
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row] as number;
    let name = names.get(code);
    if (name === undefined) names.set(code, (name = names.size));
    renamed[row] = name;
  }
  const own = { starts: new Uint32Array(names.size), ends: new Uint32Array(names.size) };
  let length = 0;
  for (const [code, name] of names) {
    own.starts[name] = length;
    length += (ends[code] as number) - startOf(ends, code);
    own.ends[name] = length;
  }
  const bytes = new Uint8Array(length);
  for (const [code, name] of names)
    bytes.set(frame.subarray(from + startOf(ends, code), from + (ends[code] as number)), own.starts[name]);
  return { type: "text", codes: renamed, texts: TextList.ofBytes({ heap: new TextHeap(bytes, kernels), ...own }) };
}

function startOf(ends: Uint32Array, code: number): number {
  return code === 0 ? 0 : (ends[code - 1] as number);
}

/** The events with their time, which is at most as far from 1970 as a `Date` may be: beyond 2^53 a window would be no longer than its steps. */
export function timedRows(columns: ReadonlyMap<string, Column | (() => Column)>, time: string): Rows {
  const column = columns.get(time);
  const made = typeof column === "function" ? column() : column;
  if (made?.type !== "number" && made?.type !== "big") throw new RangeError(`the events have no time "${time}"`);
  return new Rows(new Map([...columns, [time, made]]), within(doubles(made)));
}

/** The times that events count for. */
export function within(times: Float64Array): Float64Array {
  for (const time of times) {
    if (time > EVENT_TIME_MAX || time < -EVENT_TIME_MAX)
      return times.map((each) => Math.max(-EVENT_TIME_MAX, Math.min(EVENT_TIME_MAX, each)));
  }
  return times;
}
