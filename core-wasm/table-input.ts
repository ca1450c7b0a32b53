/** What the façade and its twin refuse to pack, in the same words. */
import { MAX_TABLE_BYTES } from "./limits.ts";
import type { TableInput, TableSpec } from "./types.ts";

const MAX_U16 = 0xffff;

/** Checks a spec and its input against each other. @throws RangeError */
export function checkTableInput(spec: TableSpec, input: TableInput): void {
  for (const part of [spec.kind, spec.version, spec.columns, spec.fields]) {
    if (!(part >= 0 && part <= MAX_U16 && Number.isInteger(part))) {
      throw new RangeError(`a table spec's numbers are 16-bit, not ${part}`);
    }
  }
  const { rows, columns, fields } = input;
  if (!(rows >= 0 && Number.isInteger(rows))) throw new RangeError(`rows must be a count, not ${rows}`);
  if (columns.length !== rows * spec.columns || fields.length !== rows * spec.fields) {
    throw new RangeError(
      `${rows} rows need ${rows * spec.columns} columns and ${rows * spec.fields} fields, not ${columns.length} and ${fields.length}`,
    );
  }
  if (!(columns instanceof Uint32Array)) {
    // By index: this is asked of every number of every message, and an iterator would make an object for each.
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] as number;
      if (column >>> 0 !== column)
        throw new RangeError(`a column's value is an unsigned 32-bit integer, not ${column}`);
    }
  }
}

/** The error for a table beyond MAX_TABLE_BYTES. */
export function tableTooLarge(bytes: number): RangeError {
  return new RangeError(`table too large: ${bytes} bytes, at most ${MAX_TABLE_BYTES}`);
}
