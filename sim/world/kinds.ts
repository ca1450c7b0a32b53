/** Which messages a batch holds, without decoding them: for faults that aim at kinds, and for coverage. */
import { TABLE_HEADER_BYTES } from "../../core-wasm/facade/table.ts";
import { SETTLED } from "../../protocol/wire/codec/partition.ts";
import { columnsIn, KIND } from "../../protocol/wire/codec/rows.ts";

/** Where a packed table has the number of its rows (docs/formats.md, "Packed table"). */
const ROWS_AT = 8;

/** As messages name their kinds. */
const NAMES = new Map<number, string>(
  Object.entries(KIND).map(([name, number]) => [
    number,
    name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
  ]),
);

/** The name that messages have of a row's kind. */
export function nameOfKind(kind: number): string {
  return NAMES.get(kind) ?? `kind ${kind}`;
}

/**
 * Read where they stand: to unpack a batch costs as much as to handle some of its messages, and nobody has damaged it.
 * @returns kinds in the order of the messages; those that follow each other only once
 */
export function kindsOf(bytes: Uint8Array): readonly string[] {
  const kinds: string[] = [];
  const rows = new DataView(bytes.buffer, bytes.byteOffset).getUint32(ROWS_AT, true);
  const rowBytes = 4 * columnsIn(bytes);
  let last: string | undefined;
  // The first row is the batch's own.
  for (let row = 1; row < rows; row++) {
    const at = TABLE_HEADER_BYTES + row * rowBytes;
    const kind = bytes[at] as number;
    // One number for two kinds, which the next column tells apart.
    const name = kind === KIND.post && bytes[at + 4] === SETTLED ? "settled" : NAMES.get(kind);
    if (name === undefined || name === last) continue;
    kinds.push(name);
    last = name;
  }
  return kinds;
}
