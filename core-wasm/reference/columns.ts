/** Twin of the columns frame: written and read value by value. */
import { MAX_CELL_BYTES, MAX_EVENT_COLUMNS, MAX_TABLE_BYTES } from "../limits.ts";
import { CorruptError } from "../types.ts";
import type { ColumnType, EventColumn } from "../types.ts";
import { ByteWriter, FRAME_HEADER, checkSeal, readStrings, seal, viewOf, writeStrings } from "./frame.ts";
import { xxh64 } from "./xxh64.ts";

const LABEL = { magic: "TGC1", kind: 1, version: 1 };
/** Of frames with optional or bool columns. */
const LABEL2 = { ...LABEL, version: 2 };
/** Of frames in whose dictionaries a text may be several times. */
const LABEL3 = { ...LABEL, version: 3 };
/** Texts that are looked up before it is decided whether to go on with that, and how many of them must differ for not to. */
const SAMPLED = 1024;
const SAMPLED_DISTINCT = 1008;
const DESCRIPTOR_BYTES = 16;
const TYPES: readonly ColumnType[] = ["i64", "f64", "text", "bool"];
/** Bytes of a cell, by type. */
const WIDTHS = [8, 8, 4, 1];
/** Rows of which the frame's cells, and those of all columns that are read, are no longer than they may be. Of texts that the frame is not to have there are no cells. */
export function mostRows(columns: readonly EventColumn[], isKept: readonly boolean[]): number {
  const bits = columns.map(({ type, optional }, c) => {
    const cell = type === "text" && isKept[c] !== true ? 0 : (WIDTHS[TYPES.indexOf(type)] as number);
    return 8 * cell + (optional === true ? 1 : 0);
  });
  const all = bits.reduce((sum, each) => sum + each, 0);
  const kept = bits.reduce((sum, each, c) => sum + (isKept[c] === true ? each : 0), 0);
  return Math.min(
    Math.floor((8 * MAX_TABLE_BYTES) / Math.max(kept, 1)),
    Math.floor((8 * MAX_CELL_BYTES) / Math.max(all, 1)),
  );
}

type Four = [number, number, number, number];
const OPTIONAL = 256;
const VERSION_AT = 6;

/** null: no value. */
export type Cell = bigint | number | string | boolean | null;
export interface DecodedColumn {
  readonly type: ColumnType;
  readonly optional: boolean;
  readonly nameHash: number;
  readonly cells: readonly Cell[];
  /** Of texts. */
  readonly codes: readonly number[];
}

/** The texts of a column, and the code of each row. */
export interface DecodedTexts {
  readonly strings: readonly string[];
  readonly codes: readonly number[];
  /** A text may be there several times. */
  readonly repeats: boolean;
}

/** Each text once, in the order of their first rows. */
export function intern(texts: readonly string[]): DecodedTexts {
  const known = new Map<string, number>();
  const codes = texts.map((text) => {
    const code = known.get(text) ?? known.size;
    known.set(text, code);
    return code;
  });
  return { strings: [...known.keys()], codes, repeats: false };
}

/** The same, unless nearly all of the first texts differ: then those behind them are added as they come. */
export function internOrAdd(texts: readonly string[]): DecodedTexts {
  const first = intern(texts.slice(0, SAMPLED));
  if (texts.length < SAMPLED || first.strings.length < SAMPLED_DISTINCT) return intern(texts);
  const rest = texts.slice(SAMPLED);
  return {
    strings: [...first.strings, ...rest],
    codes: [...first.codes, ...rest.map((_, at) => first.strings.length + at)],
    repeats: true,
  };
}

/** The hash by which a frame names its columns. */
export function nameHash(name: string): number {
  return Number(xxh64(new TextEncoder().encode(name)) & 0xffffffffn);
}

/**
 * Packs columns; `cells[c]` has a value per row.
 * @param textsOf makes the dictionary of a column's texts, with that column's number
 */
export function encodeColumns(
  columns: readonly EventColumn[],
  cells: readonly (readonly Cell[])[],
  rows: number,
  textsOf: (texts: readonly string[], column: number) => DecodedTexts = intern,
): Uint8Array {
  const dictionaries = columns.map(({ type }, c) =>
    type === "text"
      ? textsOf(
          (cells[c] ?? []).map((cell) => (cell ?? "") as string),
          c,
        )
      : intern([]),
  );
  const encoded = dictionaries.map(({ strings }) => strings.map((string) => new TextEncoder().encode(string)));
  const out = new ByteWriter();
  out.raw(new Uint8Array(FRAME_HEADER));
  for (const [c, { name, type, optional }] of columns.entries()) {
    const strings = encoded[c] ?? [];
    out.u32(TYPES.indexOf(type) + 1 + (optional === true ? OPTIONAL : 0));
    out.u32(nameHash(name));
    out.u32(strings.length);
    out.u32(strings.reduce((sum, string) => sum + string.length, 0));
  }
  for (const [c, { type, optional }] of columns.entries()) {
    const codes = dictionaries[c]?.codes ?? [];
    for (const [row, cell] of (cells[c] ?? []).entries()) {
      if (type === "i64") out.i64((cell ?? 0n) as bigint);
      else if (type === "f64") out.f64((cell ?? 0) as number);
      else if (type === "bool") out.raw(Uint8Array.of(cell === true ? 1 : 0));
      else out.u32(codes[row] as number);
    }
    out.pad();
    if (optional !== true) continue;
    const bits = new Uint8Array(Math.ceil(rows / 8));
    for (const [row, cell] of (cells[c] ?? []).entries()) {
      if (cell !== null) bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
    }
    out.raw(bits);
    out.pad();
  }
  for (const [c, { type }] of columns.entries()) {
    if (type === "text") writeStrings(out, encoded[c] ?? []);
    out.pad();
  }
  const frame = out.finish();
  const newer = columns.some(({ type, optional }) => optional === true || type === "bool");
  const repeats = dictionaries.some((each) => each.repeats);
  return seal(frame, repeats ? LABEL3 : newer ? LABEL2 : LABEL, [rows, columns.length, frame.length, 0]);
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** @throws CorruptError */
export function decodeColumns(frame: Uint8Array): { rows: number; repeats: boolean; columns: DecodedColumn[] } {
  const label = [LABEL2, LABEL3].find(({ version }) => version === frame[VERSION_AT]) ?? LABEL;
  checkSeal(frame, label);
  const view = viewOf(frame);
  const rows = view.getUint32(8, true);
  const count = view.getUint32(12, true);
  const wrong = new CorruptError("length", "columns do not fill the frame");
  if (view.getUint32(16, true) !== frame.length || view.getUint32(20, true) !== 0) throw wrong;
  if (count > MAX_EVENT_COLUMNS || FRAME_HEADER + count * DESCRIPTOR_BYTES > frame.length) throw wrong;
  const descriptors = Array.from({ length: count }, (_, c) => {
    const at = FRAME_HEADER + c * DESCRIPTOR_BYTES;
    const [type, hash, strings, bytes] = [0, 4, 8, 12].map((offset) => view.getUint32(at + offset, true)) as Four;
    return { type: type & ~OPTIONAL, optional: (type & OPTIONAL) !== 0, hash, strings, bytes };
  });
  let at = FRAME_HEADER + count * DESCRIPTOR_BYTES;
  const starts: number[] = [];
  const bits: number[] = [];
  for (const { type, optional, strings, bytes } of descriptors) {
    if (TYPES[type - 1] === undefined || (type !== 3 && (strings !== 0 || bytes !== 0))) throw wrong;
    starts.push(at);
    at += padded(rows * (WIDTHS[type - 1] as number));
    bits.push(optional ? at : 0);
    if (optional) at += padded(Math.ceil(rows / 8));
  }
  if (at > frame.length) throw wrong;
  const texts: string[][] = [];
  for (const { type, strings, bytes } of descriptors) {
    const size = padded(4 * strings + bytes);
    if (at + size > frame.length) throw wrong;
    texts.push(
      type === 3
        ? readStrings(frame, at, strings, bytes).map((text) =>
            new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text),
          )
        : [],
    );
    at += type === 3 ? size : 0;
  }
  if (at !== frame.length) throw wrong;
  const columns = descriptors.map(({ type, optional, hash }, c): DecodedColumn => {
    const start = starts[c] as number;
    const cells = Array.from({ length: rows }, (_, row): Cell => {
      const cell = readCell(view, type, start, row, texts[c] ?? []);
      if (!optional || ((view.getUint8((bits[c] as number) + (row >> 3)) >> (row & 7)) & 1) === 1) return cell;
      if (![0n, 0, "", false].includes(cell as string) || Object.is(cell, -0)) {
        throw new CorruptError("length", "a cell without a value is not empty");
      }
      return null;
    });
    const codes = type === 3 ? cells.map((_, row) => view.getUint32(start + 4 * row, true)) : [];
    return { type: TYPES[type - 1] as ColumnType, optional, nameHash: hash, cells, codes };
  });
  return { rows, repeats: label === LABEL3, columns };
}

/** The cell of a row in the column that starts at `start`. @throws CorruptError */
function readCell(view: DataView, type: number, start: number, row: number, texts: readonly string[]): Cell {
  if (type === 1) return view.getBigInt64(start + 8 * row, true);
  if (type === 2) {
    const float = view.getFloat64(start + 8 * row, true);
    if (!Number.isFinite(float)) throw new CorruptError("length", "a float is not finite");
    return float;
  }
  if (type === 4) {
    const byte = view.getUint8(start + row);
    if (byte > 1) throw new CorruptError("length", "a bool is neither 0 nor 1");
    return byte === 1;
  }
  const text = texts[view.getUint32(start + 4 * row, true)];
  if (text === undefined) throw new CorruptError("length", "a code names no string");
  return text;
}
