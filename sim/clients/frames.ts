/** Requests and answers as the edge and a partition exchange them. */
import type { Kernels } from "../../core-wasm/types.ts";
import { ANSWER, ANSWER_COLUMN, ANSWER_FIELD, ANSWER_FLAG } from "../../protocol/wire/answer.ts";
import { INVOKE } from "../../protocol/wire/invoke.ts";
import type { Place } from "./steps.ts";

export interface Row {
  readonly id: string;
  readonly at: Place;
  readonly name: string;
  /** JSON text. */
  readonly input: string;
  readonly flags: number;
  /** Two 32-bit halves; the edge hashes the request, here any number that goes with the request does. */
  readonly fingerprint: number;
}

export interface Answer {
  /** Counted from 1, as the rows of the frame. */
  readonly line: number;
  readonly status: number;
  readonly retryable: boolean;
  readonly body: string;
  /** The key is kept elsewhere: nothing was done. */
  readonly staleMap: boolean;
}

export function encodeRows(kernels: Kernels, rows: readonly Row[]): Uint8Array {
  const columns: number[] = [];
  const fields: string[] = [];
  for (const [index, { id, at, name, input, flags, fingerprint }] of rows.entries()) {
    columns.push(index + 1, flags, fingerprint >>> 0, 7);
    fields.push(id, at[0], at[1], name, input);
  }
  return kernels.pack(INVOKE, { rows: rows.length, columns, fields });
}

export function decodeAnswers(kernels: Kernels, bytes: Uint8Array): Answer[] {
  const table = kernels.unpack(ANSWER, bytes);
  return Array.from({ length: table.rows }, (_, row) => ({
    line: table.column(row, ANSWER_COLUMN.line),
    status: table.column(row, ANSWER_COLUMN.status),
    retryable: (table.column(row, ANSWER_COLUMN.flags) & ANSWER_FLAG.retryable) !== 0,
    body: table.field(row, ANSWER_FIELD.body),
    staleMap: (table.column(row, ANSWER_COLUMN.flags) & ANSWER_FLAG.staleMap) !== 0,
  }));
}
