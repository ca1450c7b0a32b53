/**
 * Which epoch a partition has last written a record of, beside the records: when those cannot be read, it still knows whose decision hangs on it.
 * Written in the same turn as the record, and taken back in the turn that voids it.
 */
import { CorruptError } from "../../core-wasm/types.ts";
import type { StorageOp } from "../partition/effects.ts";
import { formatRecords, parseRecords } from "../wire/codec/reports.ts";
import type { Peer, RecordReport } from "../wire/messages.ts";

export const PREPARED_MARK = "prepared";

/** One is enough: an epoch is prepared only when all before it are decided. Null for none. */
export function markPrepared(record: RecordReport | null): StorageOp {
  return { op: "put-meta", name: PREPARED_MARK, value: record ? formatRecords([record]) : "" };
}

/** What a damaged partition claims to hold. A mark that is damaged itself claims nothing. */
export function markedRecords(mark: string | undefined, partition: Peer): readonly RecordReport[] {
  try {
    return parseRecords(mark ?? "").filter(({ parts }) => parts.has(partition));
  } catch (error) {
    if (error instanceof CorruptError) return [];
    throw error;
  }
}
