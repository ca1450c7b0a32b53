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

/** A client's result as a row of a block: format, status with key group, fingerprint, a line feed, and the body as it is. Format 2 had no group. */
export function encodeStored(result: StoredResult): string {
  return `3 ${statusColumn(result)} ${result.fingerprintLow} ${result.fingerprintHigh}\n${result.body}`;
}

export function decodeStored(requestId: string, text: string): StoredResult {
  const end = text.indexOf("\n");
  const [format, column, fingerprintLow, fingerprintHigh] = text.slice(0, end).split(" ").map(Number) as [
    number,
    number,
    number,
    number,
  ];
  invariant(format === 2 || format === 3, `8: a stored result has format ${format}; this version reads up to 3`);
  return { requestId, ...ofStatusColumn(column), fingerprintLow, fingerprintHigh, body: text.slice(end + 1) };
}
