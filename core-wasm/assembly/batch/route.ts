/** Routes one slice of an NDJSON batch: one pass over its lines, then frames per partition. */
import { SLACK_BYTES } from "../../limits";
import { faultAddress, faultCode } from "../json/fault";
import { atEnd, beginText, skipSpace } from "../json/text";
import { scratch } from "../memory";
import { murmur3 } from "../murmur3";
import { lineEnd } from "./copy";
import { framesEnd, putFrames } from "./frames";
import { scanLine } from "./members";
import { ROW_BYTES, ROW_LENGTHS, ROW_NEXT, ROW_OVERHEAD, ROW_PARTITION, faultyMember, makeRow } from "./rows";

/** The shortest line that makes a row is 39 bytes: {"service":"a","key":"b","function":"c"}. */
const SHORTEST_ROW: usize = 39;
const FAULT_BYTES: usize = 16;
/** A frame's alignment, header and directory entry. */
const FRAME_OVERHEAD: usize = 16 + 32;

/*
 * The options, written by the façade before the call (48 bytes):
 *  0 u32 groups (u16 each)   4 u32 their mask   8 u32 edge id (24 bytes)   12 u32 client scope (16 bytes), or 0
 * 16 u32 kind | version << 16   20 u32 rows per frame   24 u32 bytes per frame   28 u32 partitions
 * and, written by the kernel:
 * 32 u32 frames   36 u32 frame directory   40 u32 faults   44 u32 fault list (line, offset, code, member each)
 */
let options: usize = 0;
let rowsTable: usize = 0;
let rowsEnd: usize = 0;
let textEnd: usize = 0;
let faultList: usize = 0;
let faultsEnd: usize = 0;
/** Per partition: first and last row of its chain. */
let chains: usize = 0;

function addFault(line: u32, slice: usize, member: i32): void {
  store<u32>(faultsEnd, line);
  store<u32>(faultsEnd, <u32>(faultAddress() - slice), 4);
  store<u32>(faultsEnd, faultCode(), 8);
  store<i32>(faultsEnd, member, 12);
  faultsEnd += FAULT_BYTES;
}

/** Hashes the row's key to its partition and appends it to that chain. */
function chain(row: usize): void {
  const key = <usize>load<u32>(row) + load<u32>(row, ROW_LENGTHS) + 1;
  const group = murmur3(key, load<u32>(row, ROW_LENGTHS + 4)) & load<u32>(options, 4);
  const partition: u32 = load<u16>(<usize>load<u32>(options) + ((<usize>group) << 1));
  const ends = chains + ((<usize>partition) << 3);
  const last: usize = load<u32>(ends, 4);
  if (last) store<u32>(last, <u32>row, ROW_NEXT);
  else store<u32>(ends, <u32>row);
  store<u32>(ends, <u32>row, 4);
  store<u32>(row, 0, ROW_NEXT);
  store<u32>(row, partition, ROW_PARTITION);
}

function routeLines(slice: usize, end: usize, firstLine: u32): void {
  const scope: usize = load<u32>(options, 12);
  let line = firstLine;
  for (let p = slice; p < end; line++) {
    const start = skipSpace(p);
    if (atEnd(start)) {
      p = start + 1;
      continue;
    }
    const row = rowsEnd;
    let text: usize = 0;
    let member = -1;
    const scanned = scanLine(start);
    if (scanned) {
      text = makeRow(row, textEnd, start, line, scope);
      member = faultyMember();
    }
    if (text) {
      textEnd = text;
      rowsEnd += ROW_BYTES;
      chain(row);
    } else addFault(line, slice, member);
    p = (scanned ? scanned : lineEnd(start, end)) + 1;
  }
}

/** Routes the `length` bytes at `slice`, whole lines of which the first is number `firstLine` and `lines` there are. Results are left in `settings`. */
export function routeSlice(settings: usize, slice: usize, length: usize, firstLine: u32, lines: u32): void {
  options = settings;
  const end = slice + length;
  store<u8>(end, 0);
  beginText(end, true);
  const partitions = load<u32>(options, 28);
  chains = scratch((<usize>partitions) << 3);
  memory.fill(chains, 0, (<usize>partitions) << 3);
  const mostRows = min<usize>(lines, length / SHORTEST_ROW + 1);
  rowsTable = scratch((mostRows + 1) * ROW_BYTES);
  rowsEnd = rowsTable;
  const texts = scratch(length + SLACK_BYTES);
  textEnd = texts;
  faultList = scratch(<usize>lines * FAULT_BYTES);
  faultsEnd = faultList;
  routeLines(slice, end, firstLine);
  const rows = (rowsEnd - rowsTable) / ROW_BYTES;
  if (rows > mostRows || textEnd - texts > length) unreachable();
  const directory = scratch(rows * 16);
  let out = scratch(rows * (ROW_OVERHEAD + FRAME_OVERHEAD) + (textEnd - texts));
  let entries = directory;
  const edgeId: usize = load<u32>(options, 12) ? 0 : load<u32>(options, 8);
  for (let partition: u32 = 0; partition < partitions; partition++) {
    const first: usize = load<u32>(chains + ((<usize>partition) << 3));
    if (first == 0) continue;
    out = putFrames(
      out,
      entries,
      partition,
      first,
      load<u32>(options, 16),
      edgeId,
      load<u32>(options, 20),
      load<u32>(options, 24),
    );
    entries = framesEnd();
  }
  store<u32>(options, <u32>((entries - directory) >>> 4), 32);
  store<u32>(options, <u32>directory, 36);
  store<u32>(options, <u32>((faultsEnd - faultList) / FAULT_BYTES), 40);
  store<u32>(options, <u32>faultList, 44);
}
