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
  /** Key group of the request's key: the result moves with it. Undefined in what was stored before groups were written down. */
  readonly group?: number | undefined;
}

/** Status and group in one number, as records and stored results have them: the group, from 1, above the low 16 bits. */
export function statusColumn({ status, group }: Pick<StoredResult, "status" | "group">): number {
  return group === undefined ? status : status + (group + 1) * GROUP_UNIT;
}

export function ofStatusColumn(column: number): Pick<StoredResult, "status" | "group"> {
  const group = Math.floor(column / GROUP_UNIT);
  return { status: column % GROUP_UNIT, ...(group > 0 ? { group: group - 1 } : {}) };
}
const GROUP_UNIT = 0x1_0000;

/** Edge results of one fold, packed into one row. Version 1 had no key groups. */
const RECENT: TableSpec = { kind: 17, version: 2, columns: 3, fields: 2 };
const RECENT_1: TableSpec = { ...RECENT, version: 1 };
const VERSION_BYTE = 6;

export function encodeRecent(kernels: Kernels, results: readonly StoredResult[]): Uint8Array {
  const columns: number[] = [];
  const fields: string[] = [];
  for (const result of results) {
    columns.push(statusColumn(result), result.fingerprintLow, result.fingerprintHigh);
    fields.push(result.requestId, result.body);
  }
  return kernels.pack(RECENT, { rows: results.length, columns, fields });
}

export function decodeRecent(kernels: Kernels, bytes: Uint8Array): StoredResult[] {
  const table = kernels.unpack(bytes[VERSION_BYTE] === 1 ? RECENT_1 : RECENT, bytes);
  return Array.from({ length: table.rows }, (_, row) => ({
    requestId: table.field(row, 0),
    body: table.field(row, 1),
    ...ofStatusColumn(table.column(row, 0)),
    fingerprintLow: table.column(row, 1),
    fingerprintHigh: table.column(row, 2),
  }));
}

/** A client's result as stored in a row of its own. Format 1 had no key group. */
export function encodeStored(result: StoredResult): string {
  return JSON.stringify([2, statusColumn(result), result.fingerprintLow, result.fingerprintHigh, result.body]);
}

export function decodeStored(requestId: string, text: string): StoredResult {
  const [format, column, fingerprintLow, fingerprintHigh, body] = JSON.parse(text) as [
    number,
    number,
    number,
    number,
    string,
  ];
  if (format !== 1 && format !== 2) throw new Error(`a stored result has format ${format}; this version reads up to 2`);
  return { requestId, ...ofStatusColumn(column), fingerprintLow, fingerprintHigh, body };
}
