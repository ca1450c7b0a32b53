/** The recorded answer of one request id: what makes a retry get the same answer and nothing run twice (invariant 4). */
import type { Kernels, TableSpec } from "../../core-wasm/types.ts";

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

/** A client's result as stored in a row of its own. */
export function encodeStored(result: StoredResult): string {
  return JSON.stringify([1, result.status, result.fingerprintLow, result.fingerprintHigh, result.body]);
}

export function decodeStored(requestId: string, text: string): StoredResult {
  const [format, status, fingerprintLow, fingerprintHigh, body] = JSON.parse(text) as [
    number,
    number,
    number,
    number,
    string,
  ];
  if (format !== 1) throw new Error(`a stored result has format ${format}; this version reads 1`);
  return { requestId, status, fingerprintLow, fingerprintHigh, body };
}
