/** Ingest envelopes: one batch of events as typed columns, bound for the partition of its stream. */
import type { TableSpec } from "../../core-wasm/types.ts";

/** One row; the tail is the columns frame. */
export const INGEST: TableSpec = { kind: 3, version: 1, columns: 4, fields: 2 };

export const INGEST_COLUMN = { flags: 0, fingerprintLow: 1, fingerprintHigh: 2, rows: 3 } as const;
export const INGEST_FIELD = { requestId: 0, stream: 1 } as const;
