/** Lays the rows of each partition out as packed tables, split by rows and bytes. */
import { TABLE_HEADER, sealTable } from "../table";
import { putHex32, putHex64 } from "../hex";
import { copyShort } from "./copy";
import { ROW_FINGERPRINT, ROW_ID, ROW_LENGTHS, ROW_LINE, ROW_NEXT, ROW_OVERHEAD } from "./rows";

const COLUMNS: u32 = 4;
const FIELDS: u32 = 5;
const COLUMN_BYTES: usize = 16;
const LENGTH_BYTES: usize = 20;
const ID_BYTES: u32 = 32;
const EDGE_ID_BYTES: usize = 24;
/** `flags` of a row whose request id is derived from the client's. */
const FROM_CLIENT: u32 = 1;

/** Bytes that `row` takes in a frame. */
function rowBytes(row: usize): usize {
  const lengths = row + ROW_LENGTHS;
  return ROW_OVERHEAD + load<u32>(lengths) + load<u32>(lengths, 4) + load<u32>(lengths, 8) + load<u32>(lengths, 12);
}

/** Writes the 32 digits of the row's request id: the client's, or the edge's prefix and the line. */
function putRequestId(out: usize, row: usize, edgeId: usize): usize {
  if (edgeId) {
    v128.store(out, v128.load(edgeId));
    store<u64>(out, load<u64>(edgeId, 16), 16);
    putHex32(out + EDGE_ID_BYTES, load<u32>(row, ROW_LINE));
  } else {
    store<u8>(out, 0x63);
    putHex64(out + 1, load<u64>(row, ROW_ID));
    // Its last digit is overwritten by what follows: 31 are used.
    putHex64(out + 17, load<u64>(row, ROW_ID + 8));
  }
  return out + ID_BYTES;
}

/** Copies service, key, function and input, without the NULs between them. */
function putTexts(out: usize, row: usize): usize {
  let from: usize = load<u32>(row);
  for (let i: usize = 0; i < 16; i += 4) {
    const length = load<u32>(row + ROW_LENGTHS + i);
    out = copyShort(out, from, length);
    from += length + 1;
  }
  return out;
}

/** Writes `rows` rows from `row` on as one table of `heapBytes` bytes of text; returns its end. `edgeId` is 0 when ids are the client's. */
function putFrame(table: usize, row: usize, rows: u32, heapBytes: usize, label: u32, edgeId: usize): usize {
  let columns = table + TABLE_HEADER;
  let lengths = columns + <usize>rows * COLUMN_BYTES;
  const heap = lengths + <usize>rows * LENGTH_BYTES;
  let out = heap;
  for (let left = rows; left; left--) {
    store<u32>(columns, load<u32>(row, ROW_LINE));
    store<u32>(columns, edgeId ? 0 : FROM_CLIENT, 4);
    store<u64>(columns, load<u64>(row, ROW_FINGERPRINT), 8);
    columns += COLUMN_BYTES;
    store<u32>(lengths, ID_BYTES);
    v128.store(lengths, v128.load(row + ROW_LENGTHS), 4);
    lengths += LENGTH_BYTES;
    out = putTexts(putRequestId(out, row, edgeId), row);
    row = load<u32>(row, ROW_NEXT);
  }
  if (out != heap + heapBytes) unreachable();
  sealTable(table, out - table, label, COLUMNS | (FIELDS << 16), rows, <u32>heapBytes, 0);
  return out;
}

/**
 * Writes a partition's chain of rows as frames at `out`, each with an entry (partition, rows, address, bytes) in the
 * directory at `entries`; returns the end of the last frame. `framesEnd` is the directory's end afterwards.
 */
export function putFrames(
  out: usize,
  entries: usize,
  partition: u32,
  first: usize,
  label: u32,
  edgeId: usize,
  maxRows: u32,
  maxBytes: usize,
): usize {
  let row = first;
  while (row) {
    const start = row;
    let rows: u32 = 0;
    let bytes = TABLE_HEADER;
    do {
      const more = rowBytes(row);
      if (rows && (rows == maxRows || bytes + more > maxBytes)) break;
      bytes += more;
      rows++;
      row = load<u32>(row, ROW_NEXT);
    } while (row);
    const heapBytes = bytes - TABLE_HEADER - <usize>rows * (COLUMN_BYTES + LENGTH_BYTES);
    const table = (out + 15) & ~15;
    out = putFrame(table, start, rows, heapBytes, label, edgeId);
    store<u32>(entries, partition);
    store<u32>(entries, rows, 4);
    store<u32>(entries, <u32>table, 8);
    store<u32>(entries, <u32>(out - table), 12);
    entries += 16;
  }
  directoryEnd = entries;
  return out;
}

let directoryEnd: usize = 0;

export function framesEnd(): usize {
  return directoryEnd;
}
