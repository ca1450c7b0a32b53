/** Records: what a partition logs for all transactions that became ready together. One packed, checksummed table; applied whole or not at all. */
import type { Kernels, Table, TableSpec } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import { countOf, epochOf, generationOf } from "../epochs/epoch.ts";
import { packId, statusColumn, type StoredResult, unpackAny, unpackResult } from "../results/stored-result.ts";
import type { Write } from "../state/store.ts";
import type { Epoch, Participants } from "../wire/messages.ts";

export const RECORD: TableSpec = { kind: 16, version: 2, columns: 4, fields: 2 };

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
  /** a = status, b and c = fingerprint; fields: request id and hash of the key, body. */
  result: 4,
  /** a = offset and b = length of the delta in the tail; fields: flow, meta as JSON. */
  flow: 5,
  /** a and b = an epoch: everything up to it was known to be committed when the record was written. */
  decided: 6,
  /** a and b = the epoch whose record this is, or a part of it; fields: participants. */
  epoch: 7,
  /** The record was of an epoch that was aborted; nothing else is in it. */
  void: 8,
  /** As `result`, with the key group of its request above the status in a. Either may have the hash of its key behind the request id, from version 2 on. */
  groupedResult: 9,
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
  /** Highest epoch that was known to be committed; 0 when that had been written before. */
  readonly decided: Epoch;
  /** Set in the record of an epoch: what it holds counts only once that is committed. */
  readonly epoch: { readonly epoch: Epoch; readonly parts: Participants } | null;
}

const WRITE_ROW = { put: ROW.put, delete: ROW.delete, clear: ROW.clear } as const;
const TWO_32 = 2 ** 32;

export function encodeRecord(kernels: Kernels, record: RecordContent): Uint8Array {
  invariant(record.seq < TWO_32, "9: record numbers have run out");
  const columns: number[] = [ROW.head, record.seq, (record.at % TWO_32) >>> 0, Math.floor(record.at / TWO_32)];
  const fields: string[] = ["", ""];
  if (record.decided > 0) {
    columns.push(ROW.decided, generationOf(record.decided), countOf(record.decided), 0);
    fields.push("", "");
  }
  if (record.epoch) {
    const { epoch, parts } = record.epoch;
    columns.push(ROW.epoch, generationOf(epoch), countOf(epoch), 0);
    fields.push(encodeParts(parts), "");
  }
  for (const write of record.writes) {
    columns.push(WRITE_ROW[write.op], 0, 0, 0);
    fields.push(write.key, write.text);
  }
  for (const result of record.results) {
    const kind = result.group === undefined ? ROW.result : ROW.groupedResult;
    columns.push(kind, statusColumn(result), result.fingerprintLow, result.fingerprintHigh);
    fields.push(packId(result), result.body);
  }
  const tail = encodeFlows(record.flows, columns, fields);
  return kernels.pack(RECORD, { rows: fields.length / 2, columns, fields, tail });
}

/** Stands in the place of a record whose epoch was aborted. */
export function encodeVoid(kernels: Kernels, seq: number, at: number, decided: Epoch): Uint8Array {
  const columns = [ROW.head, seq, (at % TWO_32) >>> 0, Math.floor(at / TWO_32), ROW.void, 0, 0, 0];
  columns.push(ROW.decided, generationOf(decided), countOf(decided), 0);
  return kernels.pack(RECORD, { rows: 3, columns, fields: ["", "", "", "", "", ""] });
}

/** `partition:incarnation`, with spaces between. */
function encodeParts(parts: Participants): string {
  return [...parts].map(([peer, incarnation]) => `${peer}:${incarnation}`).join(" ");
}

function decodeParts(text: string): Participants {
  return new Map(
    text.split(" ").map((part) => {
      const [peer, incarnation] = part.split(":").map(Number);
      return [peer as number, incarnation as number];
    }),
  );
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

interface Decoded {
  readonly writes: Write[];
  readonly results: StoredResult[];
  readonly flows: FlowDelta[];
  decided: Epoch;
  epoch: RecordContent["epoch"];
}

/** @throws CorruptError for bytes that are not an intact record. */
export function decodeRecord(kernels: Kernels, bytes: Uint8Array): RecordContent {
  const table = unpackAny(kernels, RECORD, bytes);
  invariant(table.rows > 0 && table.column(0, 0) === ROW.head, "1: a record does not begin with its head");
  const decoded: Decoded = { writes: [], results: [], flows: [], decided: 0, epoch: null };
  for (let row = 1; row < table.rows; row++) decodeRow(table, row, decoded);
  return { seq: table.column(0, 1), at: table.column(0, 3) * TWO_32 + table.column(0, 2), ...decoded };
}

function decodeRow(table: Table, row: number, decoded: Decoded): void {
  const first = table.field(row, 0);
  const second = table.field(row, 1);
  switch (table.column(row, 0)) {
    case ROW.put:
      decoded.writes.push({ op: "put", key: first, text: second });
      return;
    case ROW.delete:
      decoded.writes.push({ op: "delete", key: first, text: "" });
      return;
    case ROW.clear:
      decoded.writes.push({ op: "clear", key: first, text: "" });
      return;
    case ROW.result:
    case ROW.groupedResult:
      decoded.results.push(
        unpackResult(first, table.column(row, 1), table.column(row, 2), table.column(row, 3), second),
      );
      return;
    case ROW.flow: {
      const from = table.column(row, 1);
      const delta = table.tail.subarray(from, from + table.column(row, 2));
      decoded.flows.push({ flow: first, meta: second, delta });
      return;
    }
    default:
      decodeEpochRow(table, row, decoded);
  }
}

function decodeEpochRow(table: Table, row: number, decoded: Decoded): void {
  const kind = table.column(row, 0);
  if (kind === ROW.void) return;
  invariant(kind === ROW.decided || kind === ROW.epoch, `8: a record has a row of unknown kind ${kind}`);
  const epoch = epochOf(table.column(row, 1), table.column(row, 2));
  if (kind === ROW.decided) decoded.decided = epoch;
  else decoded.epoch = { epoch, parts: decodeParts(table.field(row, 0)) };
}

/** Cuts bytes into stored parts; at least one. */
export function cut(bytes: Uint8Array, partBytes: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += partBytes) parts.push(bytes.subarray(at, at + partBytes));
  return parts;
}
