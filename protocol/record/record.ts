/** Records: what a partition logs for all transactions that became ready together. One packed, checksummed table; applied whole or not at all. */
import type { Kernels, Table, TableSpec } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import type { StoredResult } from "../results/stored-result.ts";
import type { Write } from "../state/store.ts";

export const RECORD: TableSpec = { kind: 16, version: 1, columns: 4, fields: 2 };

/** Bytes of a row beside its texts: columns, and where its texts end. */
export const RECORD_ROW_BYTES = 4 * (RECORD.columns + RECORD.fields);

/** First column of a row: what the row is. Numbers are stored: never reuse one. */
const ROW = {
  /** a = seq, b = low and c = high 32 bits of the time of writing in ms; always the first row. */
  head: 0,
  /** fields: state key, text. */
  put: 1,
  delete: 2,
  clear: 3,
  /** a = status, b and c = fingerprint; fields: request id, body. */
  result: 4,
  /** a = offset and b = length of the delta in the tail; fields: flow, meta as JSON. */
  flow: 5,
} as const;

export interface FlowDelta {
  readonly flow: string;
  /** Watermark, offsets and counters after this record, as JSON text. */
  readonly meta: string;
  readonly delta: Uint8Array;
}

export interface RecordContent {
  readonly seq: number;
  /** Milliseconds since 1970, by the partition's clock. */
  readonly at: number;
  readonly writes: readonly Write[];
  readonly results: readonly StoredResult[];
  readonly flows: readonly FlowDelta[];
}

const WRITE_ROW = { put: ROW.put, delete: ROW.delete, clear: ROW.clear } as const;
const TWO_32 = 2 ** 32;

export function encodeRecord(kernels: Kernels, record: RecordContent): Uint8Array {
  invariant(record.seq < TWO_32, "9: record numbers have run out");
  const columns: number[] = [ROW.head, record.seq, (record.at % TWO_32) >>> 0, Math.floor(record.at / TWO_32)];
  const fields: string[] = ["", ""];
  for (const write of record.writes) {
    columns.push(WRITE_ROW[write.op], 0, 0, 0);
    fields.push(write.key, write.text);
  }
  for (const result of record.results) {
    columns.push(ROW.result, result.status, result.fingerprintLow, result.fingerprintHigh);
    fields.push(result.requestId, result.body);
  }
  const tail = encodeFlows(record.flows, columns, fields);
  return kernels.pack(RECORD, { rows: fields.length / 2, columns, fields, tail });
}

function encodeFlows(flows: readonly FlowDelta[], columns: number[], fields: string[]): Uint8Array | undefined {
  if (flows.length === 0) return undefined;
  const tail = new Uint8Array(flows.reduce((sum, flow) => sum + flow.delta.length, 0));
  let offset = 0;
  for (const { flow, meta, delta } of flows) {
    columns.push(ROW.flow, offset, delta.length, 0);
    fields.push(flow, meta);
    tail.set(delta, offset);
    offset += delta.length;
  }
  return tail;
}

/** @throws CorruptError for bytes that are not an intact record. */
export function decodeRecord(kernels: Kernels, bytes: Uint8Array): RecordContent {
  const table = kernels.unpack(RECORD, bytes);
  invariant(table.rows > 0 && table.column(0, 0) === ROW.head, "1: a record does not begin with its head");
  const writes: Write[] = [];
  const results: StoredResult[] = [];
  const flows: FlowDelta[] = [];
  for (let row = 1; row < table.rows; row++) decodeRow(table, row, writes, results, flows);
  return { seq: table.column(0, 1), at: table.column(0, 3) * TWO_32 + table.column(0, 2), writes, results, flows };
}

function decodeRow(table: Table, row: number, writes: Write[], results: StoredResult[], flows: FlowDelta[]): void {
  const first = table.field(row, 0);
  const second = table.field(row, 1);
  switch (table.column(row, 0)) {
    case ROW.put:
      writes.push({ op: "put", key: first, text: second });
      return;
    case ROW.delete:
      writes.push({ op: "delete", key: first, text: "" });
      return;
    case ROW.clear:
      writes.push({ op: "clear", key: first, text: "" });
      return;
    case ROW.result:
      results.push({
        requestId: first,
        body: second,
        status: table.column(row, 1),
        fingerprintLow: table.column(row, 2),
        fingerprintHigh: table.column(row, 3),
      });
      return;
    case ROW.flow: {
      const from = table.column(row, 1);
      flows.push({ flow: first, meta: second, delta: table.tail.subarray(from, from + table.column(row, 2)) });
      return;
    }
    default:
      invariant(false, `8: a record has a row of unknown kind ${table.column(row, 0)}`);
  }
}

/** Cuts bytes into stored parts; at least one. */
export function cut(bytes: Uint8Array, partBytes: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += partBytes) parts.push(bytes.subarray(at, at + partBytes));
  return parts;
}
