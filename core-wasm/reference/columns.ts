/** Twin of the columns frame: written and read value by value. */
import { MAX_EVENT_COLUMNS } from "../limits.ts";
import { CorruptError } from "../types.ts";
import type { ColumnType, EventColumn } from "../types.ts";
import { ByteWriter, FRAME_HEADER, checkSeal, readStrings, seal, viewOf, writeStrings } from "./frame.ts";
import { xxh64 } from "./xxh64.ts";

const LABEL = { magic: "TGC1", kind: 1, version: 1 };
const DESCRIPTOR_BYTES = 16;
const TYPES: readonly ColumnType[] = ["i64", "f64", "text"];

export type Cell = bigint | number | string;
export interface DecodedColumn {
  readonly type: ColumnType;
  readonly nameHash: number;
  readonly cells: readonly Cell[];
}

/** The hash by which a frame names its columns. */
export function nameHash(name: string): number {
  return Number(xxh64(new TextEncoder().encode(name)) & 0xffffffffn);
}

/** Packs columns; `cells[c]` has a value per row. */
export function encodeColumns(
  columns: readonly EventColumn[],
  cells: readonly (readonly Cell[])[],
  rows: number,
): Uint8Array {
  const dictionaries = columns.map(({ type }, c) => (type === "text" ? [...new Set(cells[c] as string[])] : []));
  const encoded = dictionaries.map((strings) => strings.map((string) => new TextEncoder().encode(string)));
  const out = new ByteWriter();
  out.raw(new Uint8Array(FRAME_HEADER));
  for (const [c, { name, type }] of columns.entries()) {
    const strings = encoded[c] ?? [];
    out.u32(TYPES.indexOf(type) + 1);
    out.u32(nameHash(name));
    out.u32(strings.length);
    out.u32(strings.reduce((sum, string) => sum + string.length, 0));
  }
  for (const [c, { type }] of columns.entries()) {
    const codes = new Map((dictionaries[c] ?? []).map((string, code) => [string, code]));
    for (const cell of cells[c] ?? []) {
      if (type === "i64") out.i64(cell as bigint);
      else if (type === "f64") out.f64(cell as number);
      else out.u32(codes.get(cell as string) as number);
    }
    out.pad();
  }
  for (const [c, { type }] of columns.entries()) {
    if (type === "text") writeStrings(out, encoded[c] ?? []);
    out.pad();
  }
  const frame = out.finish();
  return seal(frame, LABEL, [rows, columns.length, frame.length, 0]);
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** @throws CorruptError */
export function decodeColumns(frame: Uint8Array): { rows: number; columns: DecodedColumn[] } {
  checkSeal(frame, LABEL);
  const view = viewOf(frame);
  const rows = view.getUint32(8, true);
  const count = view.getUint32(12, true);
  const wrong = new CorruptError("length", "columns do not fill the frame");
  if (view.getUint32(16, true) !== frame.length || view.getUint32(20, true) !== 0) throw wrong;
  if (count > MAX_EVENT_COLUMNS || FRAME_HEADER + count * DESCRIPTOR_BYTES > frame.length) throw wrong;
  const descriptors = Array.from({ length: count }, (_, c) => {
    const at = FRAME_HEADER + c * DESCRIPTOR_BYTES;
    return [0, 4, 8, 12].map((offset) => view.getUint32(at + offset, true)) as [number, number, number, number];
  });
  let at = FRAME_HEADER + count * DESCRIPTOR_BYTES;
  const starts: number[] = [];
  for (const [type, , strings, bytes] of descriptors) {
    if (TYPES[type - 1] === undefined || (type !== 3 && (strings !== 0 || bytes !== 0))) throw wrong;
    starts.push(at);
    at += padded(rows * (type === 3 ? 4 : 8));
  }
  if (at > frame.length) throw wrong;
  const texts: string[][] = [];
  for (const [type, , strings, bytes] of descriptors) {
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
  const columns = descriptors.map(([type, hash], c): DecodedColumn => {
    const start = starts[c] as number;
    const cells = Array.from({ length: rows }, (_, row): Cell => {
      if (type === 1) return view.getBigInt64(start + 8 * row, true);
      if (type === 2) {
        const float = view.getFloat64(start + 8 * row, true);
        if (!Number.isFinite(float)) throw new CorruptError("length", "a float is not finite");
        return float;
      }
      const text = texts[c]?.[view.getUint32(start + 4 * row, true)];
      if (text === undefined) throw new CorruptError("length", "a code names no string");
      return text;
    });
    return { type: TYPES[type - 1] as ColumnType, nameHash: hash, cells };
  });
  return { rows, columns };
}
