/** Which messages a batch holds, without decoding them: for faults that aim at kinds, and for coverage. */
import type { Kernels, Table } from "../../core-wasm/types.ts";
import { SETTLED } from "../../protocol/wire/codec/partition.ts";
import { KIND, unpackPeer } from "../../protocol/wire/codec/rows.ts";

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

function nameOfRow(table: Table, row: number): string | undefined {
  const kind = table.column(row, 0) & 0xff;
  return kind === KIND.post && table.column(row, 1) === SETTLED ? "settled" : NAMES.get(kind);
}

/** @returns kinds in the order of the messages; those that follow each other only once */
export function kindsReader(kernels: Kernels): (bytes: Uint8Array) => readonly string[] {
  return (bytes) => {
    const table = unpackPeer(kernels, bytes);
    const kinds: string[] = [];
    for (let row = 1; row < table.rows; row++) {
      const name = nameOfRow(table, row);
      if (name !== undefined && name !== kinds.at(-1)) kinds.push(name);
    }
    return kinds;
  };
}
