/** What internal functions of flows pass to each other: a head of plain JSON, and rows. Within a partition it goes as it is. */
import { type PackedRows, packRows, unpackRows } from "../../dataflow/columns/wire.ts";
import type { Rows } from "../../dataflow/columns/rows.ts";

export interface Payload {
  readonly head: unknown;
  readonly rows: readonly Rows[];
}

export function encodePayload({ head, rows }: Payload): string {
  return JSON.stringify({ head, rows: rows.map((each) => packRows(each)) });
}

export function decodePayload(text: string): Payload {
  const { head, rows } = JSON.parse(text) as { head: unknown; rows: PackedRows[] };
  return { head, rows: rows.map(unpackRows) };
}

/** JSON that is there already: the body of an answer. */
export class RawJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Watermarks and timers as JSON: no number of it is infinite. */
export function toBound(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
