/** What is too much for one record, in pieces that fit one each. */
import { LIMITS } from "../limits.ts";
import type { StoredResult } from "../results/stored-result.ts";
import type { Write } from "../state/store.ts";
import { UTF8_PER_UNIT } from "../../sdk/utf8.ts";
import { RECORD_ROW_BYTES } from "./record.ts";

export interface RecordPiece {
  readonly writes: Write[];
  readonly results: StoredResult[];
  /** At most. */
  bytes: number;
}

/** Bytes of a write in a record, at most. */
export function writeBytes({ key, text }: Write): number {
  return RECORD_ROW_BYTES + (key.length + text.length) * UTF8_PER_UNIT;
}

/** Bytes of a result in a record, at most. */
export function resultBytes({ requestId, body }: StoredResult): number {
  return RECORD_ROW_BYTES + (requestId.length + body.length) * UTF8_PER_UNIT;
}

/** Pieces in the order of what is given: writes, then results. @param first results that the first piece has before all that */
export function recordPieces(
  writes: readonly Write[],
  results: readonly StoredResult[],
  first: readonly StoredResult[] = [],
): RecordPiece[] {
  let piece: RecordPiece = {
    writes: [],
    results: [...first],
    bytes: first.reduce((sum, result) => sum + resultBytes(result), 0),
  };
  const pieces = [piece];
  const make = (size: number): RecordPiece => {
    if (piece.bytes > 0 && piece.bytes + size > LIMITS.epochRecordBytes)
      pieces.push((piece = { writes: [], results: [], bytes: 0 }));
    piece.bytes += size;
    return piece;
  };
  for (const write of writes) make(writeBytes(write)).writes.push(write);
  for (const result of results) make(resultBytes(result)).results.push(result);
  return pieces;
}
