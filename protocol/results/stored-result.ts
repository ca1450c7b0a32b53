/** The recorded answer of one request id: what makes a retry get the same answer and nothing run twice (invariant 4). */
import type { Kernels, Table, TableSpec } from "../../core-wasm/types.ts";
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
  /** Key group of the request's key: the result moves with it. Undefined in what was stored before groups were written down. */
  readonly group?: number | undefined;
  /** Hash of the key that the request was for, so that its results can be erased with it; absent in what older code stored. */
  readonly owner?: number | undefined;
}

/** What is left of a result whose key was erased: the request stays answered, so that no retry runs it again. It goes where the key group goes. */
export const ERASED_STATUS = PROBLEMS["result-erased"].status;
const ERASED_BODY = JSON.stringify(
  problemOf("result-erased", "what this request was answered was erased with its key; it is not run again"),
);

export function erasedResult({ requestId, group }: StoredResult): StoredResult {
  return { requestId, status: ERASED_STATUS, fingerprintLow: 0, fingerprintHigh: 0, body: ERASED_BODY, group };
}

/** Of a mark in the log: nobody can ask for this result any more, since who handed the message over has forgotten it durably. */
export const SETTLED_STATUS = 0;

export function settledMark(requestId: string): StoredResult {
  return { requestId, status: SETTLED_STATUS, fingerprintLow: 0, fingerprintHigh: 0, body: "" };
}

/** Status and group in one number, as records and stored results have them: the group, from 1, above the low 16 bits. */
export function statusColumn({ status, group }: Pick<StoredResult, "status" | "group">): number {
  return group === undefined ? status : status + (group + 1) * GROUP_UNIT;
}

export function ofStatusColumn(column: number): Pick<StoredResult, "status" | "group"> {
  const group = Math.floor(column / GROUP_UNIT);
  return { status: column % GROUP_UNIT, group: group > 0 ? group - 1 : undefined };
}
const GROUP_UNIT = 0x1_0000;

/** A result's id in a packed table, and the hash of its key behind it. */
export function packId({ requestId, owner }: Pick<StoredResult, "requestId" | "owner">): string {
  return owner === undefined ? requestId : `${requestId} ${owner.toString(16)}`;
}

export function unpackId(text: string): Pick<StoredResult, "requestId" | "owner"> {
  const space = text.indexOf(" ");
  if (space < 0) return { requestId: text, owner: undefined };
  return { requestId: text.slice(0, space), owner: Number.parseInt(text.slice(space + 1), 16) };
}

/** A result as a packed table has it. */
export function unpackResult(
  id: string,
  column: number,
  fingerprintLow: number,
  fingerprintHigh: number,
  body: string,
): StoredResult {
  const { requestId, owner } = unpackId(id);
  const { status, group } = ofStatusColumn(column);
  return { requestId, status, fingerprintLow, fingerprintHigh, body, group, owner };
}

/** Edge results of one fold, packed into one row. */
const RECENT: TableSpec = { kind: 17, version: 3, columns: 3, fields: 2 };
/** Where a packed table has the low byte of its version. */
const VERSION_AT = 6;

/**
 * A table of this version, or of an older one, which is the same but for what is not in it: version 1 has neither key groups nor hashes of keys,
 * version 2 of results has one of the two. @throws CorruptError
 */
export function unpackAny(kernels: Kernels, newest: TableSpec, bytes: Uint8Array): Table {
  const version = bytes[VERSION_AT] ?? 0;
  return kernels.unpack(version > 0 && version < newest.version ? { ...newest, version } : newest, bytes);
}

export function encodeRecent(kernels: Kernels, results: readonly StoredResult[]): Uint8Array {
  const columns: number[] = [];
  const fields: string[] = [];
  for (const result of results) {
    columns.push(statusColumn(result), result.fingerprintLow, result.fingerprintHigh);
    fields.push(packId(result), result.body);
  }
  return kernels.pack(RECENT, { rows: results.length, columns, fields });
}

export function decodeRecent(kernels: Kernels, bytes: Uint8Array): StoredResult[] {
  const table = unpackAny(kernels, RECENT, bytes);
  const results: StoredResult[] = [];
  for (let row = 0; row < table.rows; row++) {
    const [column, low, high] = [table.column(row, 0), table.column(row, 1), table.column(row, 2)];
    results.push(unpackResult(table.field(row, 0), column, low, high, table.field(row, 1)));
  }
  return results;
}

/**
 * A client's result as a row of a block: format, status with key group, fingerprint and, where it is known, the hash of the key, a line feed, and
 * the body as it is. Format 2 has neither group nor hash, 3 one of the two.
 */
export function encodeStored(result: StoredResult): string {
  const known = `4 ${statusColumn(result)} ${result.fingerprintLow} ${result.fingerprintHigh}`;
  return `${result.owner === undefined ? known : `${known} ${result.owner}`}\n${result.body}`;
}

export function decodeStored(requestId: string, text: string): StoredResult {
  const end = text.indexOf("\n");
  const [format, column, fingerprintLow, fingerprintHigh, owner] = text.slice(0, end).split(" ").map(Number) as [
    number,
    number,
    number,
    number,
    number | undefined,
  ];
  invariant(format >= 2 && format <= 4, `8: a stored result has format ${format}; this version reads 2 to 4`);
  const known = { requestId, ...ofStatusColumn(column), fingerprintLow, fingerprintHigh, body: text.slice(end + 1) };
  return owner === undefined ? known : { ...known, owner };
}
