/** Twin of splitting columns frames: decoded, grouped and encoded again. */
import { checkSplit } from "../split-check.ts";
import { CorruptError, type EventColumn, type SplitFrame } from "../types.ts";
import { decodeColumns, type DecodedTexts, encodeColumns, intern, nameHash } from "./columns.ts";
import { murmur3 } from "./murmur3.ts";

/** See {@link Kernels.splitEvents}. */
export function splitEvents(
  frame: Uint8Array,
  columns: readonly EventColumn[],
  key: number,
  groups: Uint16Array,
): SplitFrame[] {
  checkSplit(columns, key, groups);
  const decoded = decodeColumns(frame);
  const same =
    decoded.columns.length === columns.length &&
    columns.every(({ name, type, optional }, c) => {
      const found = decoded.columns[c];
      return found?.type === type && found.optional === (optional ?? false) && found.nameHash === nameHash(name);
    });
  if (!same) throw new CorruptError("kind", "the columns are others");
  const rowsOf = new Map<number, number[]>();
  for (let row = 0; row < decoded.rows; row++) {
    const value = decoded.columns[key]?.cells[row] ?? "";
    const partition = groups[murmur3(String(value)) & (groups.length - 1)] as number;
    const rows = rowsOf.get(partition) ?? [];
    rowsOf.set(partition, [...rows, row]);
  }
  return [...rowsOf]
    .sort(([a], [b]) => a - b)
    .map(([partition, rows]) => {
      const cells = decoded.columns.map((column) => rows.map((row) => column.cells[row] ?? null));
      // What has two codes in the frame has two in its parts.
      const textsOf = (texts: readonly string[], c: number): DecodedTexts => {
        const codes = intern(rows.map((row) => String(decoded.columns[c]?.codes[row])));
        const strings = codes.strings.map((_, code) => texts[codes.codes.indexOf(code)] as string);
        return { strings, codes: codes.codes, repeats: decoded.repeats };
      };
      return { partition, rows: rows.length, frame: encodeColumns(columns, cells, rows.length, textsOf) };
    });
}
