/** The recorded answer of one request id: what makes a retry get the same answer and nothing run twice (invariant 4). */
import type { Kernels, TableSpec } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";

export interface StoredResult {
  readonly requestId: string;
  /** HTTP status of the answer. */
  readonly status: number;
  /** Hash of the request's content: the same id with other content is a conflict. */
  readonly fingerprintLow: number;
  readonly fingerprintHigh: number;
  readonly body: string;
}

/** Edge results of one fold, packed into one row. */
const RECENT: TableSpec = { kind: 17, version: 1, columns: 3, fields: 2 };

export function encodeRecent(kernels: Kernels, results: readonly StoredResult[]): Uint8Array {
  const columns: number[] = [];
  const fields: string[] = [];
  for (const result of results) {
    columns.push(result.status, result.fingerprintLow, result.fingerprintHigh);
    fields.push(result.requestId, result.body);
  }
  return kernels.pack(RECENT, { rows: results.length, columns, fields });
}

export function decodeRecent(kernels: Kernels, bytes: Uint8Array): StoredResult[] {
  const table = kernels.unpack(RECENT, bytes);
  return Array.from({ length: table.rows }, (_, row) => ({
    requestId: table.field(row, 0),
    body: table.field(row, 1),
    status: table.column(row, 0),
    fingerprintLow: table.column(row, 1),
    fingerprintHigh: table.column(row, 2),
  }));
}

/** A client's result as a row of a block: format, status and fingerprint, a line feed, and the body as it is. */
export function encodeStored({ status, fingerprintLow, fingerprintHigh, body }: StoredResult): string {
  return `2 ${status} ${fingerprintLow} ${fingerprintHigh}\n${body}`;
}

export function decodeStored(requestId: string, text: string): StoredResult {
  const end = text.indexOf("\n");
  const [format, status, fingerprintLow, fingerprintHigh] = text.slice(0, end).split(" ").map(Number) as [
    number,
    number,
    number,
    number,
  ];
  invariant(format === 2, `8: a stored result has format ${format}; this version reads 2`);
  return { requestId, status, fingerprintLow, fingerprintHigh, body: text.slice(end + 1) };
}
