/** The recorded answer of one request id: what makes a retry get the same answer and nothing run twice (invariant 4). */
import type { Kernels, TableSpec } from "../../core-wasm/types.ts";
import { problemOf, PROBLEMS } from "../../sdk/problems.ts";
import { invariant } from "../assert.ts";

export interface StoredResult {
  readonly requestId: string;
  /** HTTP status of the answer. */
  readonly status: number;
  /** Hash of the request's content: the same id with other content is a conflict. */
  readonly fingerprintLow: number;
  readonly fingerprintHigh: number;
  readonly body: string;
  /** Hash of the key that the request was for, so that its results can be erased with it; absent in what older code stored. */
  readonly owner?: number | undefined;
}

/** What is left of a result whose key was erased: the request stays answered, so that no retry runs it again. */
export const ERASED_STATUS = PROBLEMS["result-erased"].status;
const ERASED_BODY = JSON.stringify(
  problemOf("result-erased", "what this request was answered was erased with its key; it is not run again"),
);

export function erasedResult({ requestId }: StoredResult): StoredResult {
  return { requestId, status: ERASED_STATUS, fingerprintLow: 0, fingerprintHigh: 0, body: ERASED_BODY };
}

/** A result's id in a packed table, and the hash of its key behind it. */
export function packId({ requestId, owner }: StoredResult): string {
  return owner === undefined ? requestId : `${requestId} ${owner.toString(16)}`;
}

export function unpackId(text: string): Pick<StoredResult, "requestId" | "owner"> {
  const space = text.indexOf(" ");
  if (space < 0) return { requestId: text };
  return { requestId: text.slice(0, space), owner: Number.parseInt(text.slice(space + 1), 16) };
}

/** Edge results of one fold, packed into one row. */
const RECENT: TableSpec = { kind: 17, version: 2, columns: 3, fields: 2 };
/** Without owners. */
const RECENT_1: TableSpec = { ...RECENT, version: 1 };
/** Where a packed table has the low byte of its version. */
export const VERSION_AT = 6;

export function encodeRecent(kernels: Kernels, results: readonly StoredResult[]): Uint8Array {
  const columns: number[] = [];
  const fields: string[] = [];
  for (const result of results) {
    columns.push(result.status, result.fingerprintLow, result.fingerprintHigh);
    fields.push(packId(result), result.body);
  }
  return kernels.pack(RECENT, { rows: results.length, columns, fields });
}

export function decodeRecent(kernels: Kernels, bytes: Uint8Array): StoredResult[] {
  const table = kernels.unpack(bytes[VERSION_AT] === 1 ? RECENT_1 : RECENT, bytes);
  return Array.from({ length: table.rows }, (_, row) => ({
    ...unpackId(table.field(row, 0)),
    body: table.field(row, 1),
    status: table.column(row, 0),
    fingerprintLow: table.column(row, 1),
    fingerprintHigh: table.column(row, 2),
  }));
}

/** A client's result as a row of a block: format, status, fingerprint and hash of the key, a line feed, and the body as it is. */
export function encodeStored({ status, fingerprintLow, fingerprintHigh, body, owner }: StoredResult): string {
  const known = `${status} ${fingerprintLow} ${fingerprintHigh}`;
  return owner === undefined ? `2 ${known}\n${body}` : `3 ${known} ${owner}\n${body}`;
}

export function decodeStored(requestId: string, text: string): StoredResult {
  const end = text.indexOf("\n");
  const [format, status, fingerprintLow, fingerprintHigh, owner] = text.slice(0, end).split(" ").map(Number) as [
    number,
    number,
    number,
    number,
    number | undefined,
  ];
  invariant(format === 2 || format === 3, `8: a stored result has format ${format}; this version reads 2 and 3`);
  const known = { requestId, status, fingerprintLow, fingerprintHigh, body: text.slice(end + 1) };
  return owner === undefined ? known : { ...known, owner };
}
