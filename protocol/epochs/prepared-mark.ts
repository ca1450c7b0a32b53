/**
 * Which epoch a record is of, beside the record: when that cannot be read, its partition still knows whose decision hangs on it. It is in the
 * record's own row, so that it costs none, and goes with it when the record is voided or folded.
 */
import { CorruptError } from "../../core-wasm/types.ts";
import { formatRecords, parseRecords } from "../wire/codec/reports.ts";
import type { Peer, RecordReport } from "../wire/messages.ts";

export function preparedMark(record: RecordReport): string {
  return formatRecords([record]);
}

/**
 * What a damaged partition claims to hold. One is enough: an epoch is prepared only when all before it are decided. A mark that is damaged
 * itself claims nothing.
 * @param mark that of the newest record that has one
 */
export function markedRecords(mark: string | undefined, partition: Peer): readonly RecordReport[] {
  try {
    return parseRecords(mark ?? "").filter(({ parts }) => parts.has(partition));
  } catch (error) {
    if (error instanceof CorruptError) return [];
    throw error;
  }
}
