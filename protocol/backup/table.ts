/**
 * The tables that a backup is made of. Each is packed and checksummed by itself, names its backup and its place, and is applied whole or not
 * at all; a backup is one table behind the other, with nothing between (docs/formats.md, "Backup").
 */
import type { Kernels, Table, TableSpec } from "../../core-wasm/types.ts";
import { CorruptError } from "../../core-wasm/types.ts";
import type { Peer } from "../wire/messages.ts";

export const BACKUP: TableSpec = { kind: 32, version: 1, columns: 4, fields: 2 };

/** First column of a row: what the row is. Numbers are stored: never reuse one. */
export const BACKUP_ROW = {
  /** a = partition, b = number of the table among those of its partition; fields: id of the backup. Always the first row. */
  head: 0,
  /** fields: -, {@link BackupInfo} as JSON. The only row of the first table. */
  info: 1,
  /** fields: state key, text. */
  pair: 2,
  /** fields: request id, the result as it is stored. */
  result: 3,
  /** fields: flow, meta; the tail is the state of its operators. */
  checkpoint: 4,
  /** a = number of the block; fields: flow, through; the tail is a block of closed windows. */
  block: 5,
  /** fields: -, {@link PartitionEnd} as JSON. The only row of a partition's last table. */
  end: 6,
  /** fields: -, {@link BackupTrailer} as JSON. The only row of the last table. */
  trailer: 7,
} as const;

/** In the place of a partition: the first table and the last. */
export const WHOLE: Peer = 0xffff;

export interface BackupInfo {
  readonly format: 1;
  /** Milliseconds since 1970, by the edge that made it. */
  readonly at: number;
  readonly partitions: number;
  /** The key-group map, as partitions store it. */
  readonly map: string;
}

export interface PartitionEnd {
  readonly pairs: number;
  readonly results: number;
  /** Of the instance that was backed up: ids of messages name it, so that a restored partition goes on above it. */
  readonly incarnation: number;
  /** Newest epoch that was committed, as a number. */
  readonly decided: number;
  /** Which edge ids are answered: not run again, and without their results. */
  readonly forgotten: string;
}

export interface BackupTrailer {
  /** Tables of all partitions. */
  readonly tables: number;
}

export interface BackupRow {
  readonly kind: number;
  readonly number: number;
  readonly first: string;
  readonly second: string;
}

export interface BackupTable {
  readonly id: string;
  readonly partition: Peer;
  readonly number: number;
  readonly rows: readonly BackupRow[];
  readonly tail: Uint8Array;
}

export function encodeTable(kernels: Kernels, { id, partition, number, rows, tail }: BackupTable): Uint8Array {
  const columns: number[] = [BACKUP_ROW.head, partition, number, 0];
  const fields: string[] = [id, ""];
  for (const row of rows) {
    columns.push(row.kind, row.number, 0, 0);
    fields.push(row.first, row.second);
  }
  return kernels.pack(BACKUP, { rows: rows.length + 1, columns, fields, tail });
}

/** @throws CorruptError for bytes that are not one intact table of a backup */
export function decodeTable(kernels: Kernels, bytes: Uint8Array): BackupTable {
  const table = kernels.unpack(BACKUP, bytes);
  if (table.rows < 2 || table.column(0, 0) !== BACKUP_ROW.head)
    throw new CorruptError("kind", "a table of a backup does not begin with its head");
  const rows = Array.from({ length: table.rows - 1 }, (_, row) => rowOf(table, row + 1));
  const [partition, number] = [table.column(0, 1), table.column(0, 2)];
  return { id: table.field(0, 0), partition, number, rows, tail: table.tail };
}

function rowOf(table: Table, row: number): BackupRow {
  return {
    kind: table.column(row, 0),
    number: table.column(row, 1),
    first: table.field(row, 0),
    second: table.field(row, 1),
  };
}

/** A row that is a table by itself and has JSON in it. */
export function jsonRow(kind: number, value: BackupInfo | PartitionEnd | BackupTrailer): BackupRow {
  return { kind, number: 0, first: "", second: JSON.stringify(value) };
}
