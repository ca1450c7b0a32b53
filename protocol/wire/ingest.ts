/** Ingest envelopes: one batch of events as typed columns, bound for the partition of its stream. */
import type { Table, TableSpec } from "../../core-wasm/types.ts";

/** One row; the tail is the columns frame. */
export const INGEST: TableSpec = { kind: 3, version: 1, columns: 4, fields: 2 };

/** The same of a producer that numbers its batches: two columns and a field more. */
export const PRODUCED: TableSpec = { kind: 6, version: 1, columns: 6, fields: 3 };

export const INGEST_COLUMN = {
  flags: 0,
  fingerprintLow: 1,
  fingerprintHigh: 2,
  rows: 3,
  sequenceLow: 4,
  sequenceHigh: 5,
} as const;
export const INGEST_FIELD = { requestId: 0, stream: 1, producer: 2 } as const;

const KIND_AT = 4;

/** Of which of the two layouts an envelope says that it is. */
export function ingestSpec(frame: Uint8Array): TableSpec {
  return frame[KIND_AT] === PRODUCED.kind ? PRODUCED : INGEST;
}

/** A batch's producer, apart for each caller, and its number there, from 1 on. */
export interface Produced {
  readonly producer: string;
  readonly sequence: number;
}

/** Who numbered the batch of an envelope; null when nobody did. */
export function producedOf(table: Table, spec: TableSpec): Produced | null {
  if (spec !== PRODUCED) return null;
  const low = table.column(0, INGEST_COLUMN.sequenceLow);
  const high = table.column(0, INGEST_COLUMN.sequenceHigh);
  return { producer: table.field(0, INGEST_FIELD.producer), sequence: high * 2 ** 32 + low };
}
