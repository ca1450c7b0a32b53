/**
 * Window groups as bytes: deltas, snapshots and closed windows. docs/formats.md has the layout with its diagram.
 *
 * ```
 * header: magic "TGG1", kind 2, rows = groups, shape = measures | key type << 16, size = key bytes, more = keys, checksum
 * 32 closed through i64 | 40 window length i64 | 48 measure types u8[8] | 56 groups | ends u32 * keys | key bytes
 * group: key i64 (of text keys: the number of the key below) | start i64 | count i64 | sum, min, max per measure
 * ```
 * Groups are ordered by (start, key), keys by their bytes, and each frame has just the keys that its groups use: the same
 * groups always give the same bytes.
 */
import { F64, I64, TEXT } from "./columns";
import { Dictionary, textAt, textLength } from "./dictionary";
import {
  Flow,
  MAX_MEASURES,
  MEASURE_BYTES,
  Plan,
  RECORD_HEAD,
  columnType,
  measureColumn,
  measureIsFloat,
  recordAt,
} from "./flow";
import { OK, WRONG_KIND, WRONG_LENGTH, checkFrame, endsFill, sealFrame } from "./frame";
import { scratch } from "./memory";
import { ITEM, orderOf, sortByValue, sortTexts } from "./order";

const MAGIC: u32 = 0x31474754; // "TGG1"
const LABEL: u32 = 2 | (1 << 16);
const HEAD: usize = 56;
const GROUP_HEAD: usize = 24;

let packed: usize = 0;

/** Length of the frame packed last. */
export function packedLength(): u32 {
  return <u32>packed;
}

// The keys of the frame being packed: a sparse set (Briggs and Torczon 1993), which needs no clearing.
let sparse: usize = 0;
let dense: usize = 0;
let keys: u32 = 0;
let keyBytes: usize = 0;

function rememberKey(d: Dictionary, id: u32): void {
  const at = sparse + ((<usize>id) << 2);
  const place = load<u32>(at);
  if (place < keys && load<u32>(dense + ((<usize>place) << 2)) == id) return;
  store<u32>(at, keys);
  store<u32>(dense + ((<usize>keys) << 2), id);
  keys++;
  keyBytes += textLength(d, id);
}

/** Sorts the keys of `count` groups; `sparse` then has each one's rank. Returns the sorted keys as items. */
function rankKeys(flow: Flow, indexes: usize, count: u32): usize {
  const d = flow.dictionary;
  sparse = scratch((<usize>d.count) << 2);
  dense = scratch((<usize>count) << 2);
  keys = 0;
  keyBytes = 0;
  for (let i: u32 = 0; i < count; i++) {
    rememberKey(d, <u32>load<i64>(recordAt(flow, load<u32>(indexes + ((<usize>i) << 2)))));
  }
  const sorted = sortTexts(d, dense, keys);
  for (let rank: u32 = 0; rank < keys; rank++) {
    const id = load<u32>(sorted + <usize>rank * ITEM, 8);
    store<u32>(sparse + ((<usize>id) << 2), rank);
  }
  return sorted;
}

/** The key as a frame has it: itself, or its rank among the frame's keys. */
function packedKey(flow: Flow, record: usize): i64 {
  const key = load<i64>(record);
  return flow.textKeys ? <i64>load<u32>(sparse + ((<usize>key) << 2)) : key;
}

/** Items for `count` groups, ordered by (start, key); an item's index is the group's. */
function orderGroups(flow: Flow, indexes: usize, count: u32): usize {
  const items = scratch(<usize>count * ITEM);
  const spare = scratch(<usize>count * ITEM);
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(indexes + ((<usize>i) << 2));
    const item = items + <usize>i * ITEM;
    store<u64>(item, orderOf(packedKey(flow, recordAt(flow, index))));
    store<u32>(item, index, 8);
  }
  const byKey = sortByValue(items, spare, count);
  for (let i: u32 = 0; i < count; i++) {
    const item = byKey + <usize>i * ITEM;
    store<u64>(item, orderOf(load<i64>(recordAt(flow, load<u32>(item, 8)), 8)));
  }
  return sortByValue(byKey, byKey == items ? spare : items, count);
}

function putHead(frame: usize, flow: Flow, closedThrough: i64): void {
  const plan = flow.plan;
  store<i64>(frame, closedThrough, 32);
  store<i64>(frame, plan.size, 40);
  store<u64>(frame, 0, 48);
  for (let i: u32 = 0; i < plan.measures; i++) {
    store<u8>(frame + 48 + i, <u8>(measureIsFloat(plan, i) ? F64 : I64));
  }
}

/** Copies a group's measures; a NaN, which the sum of two infinities is, gets one spelling. */
function putMeasures(flow: Flow, from: usize, to: usize): void {
  memory.copy(to, from, <usize>flow.plan.measures * MEASURE_BYTES);
  for (let i: u32 = 0; i < flow.plan.measures; i++) {
    if (!measureIsFloat(flow.plan, i)) continue;
    const end = to + <usize>(i + 1) * MEASURE_BYTES;
    for (let at = end - MEASURE_BYTES; at < end; at += 8) {
      if (isNaN(load<f64>(at))) store<u64>(at, 0x7ff8000000000000);
    }
  }
}

function putKeys(d: Dictionary, sorted: usize, at: usize): usize {
  let text = at + ((<usize>keys) << 2);
  const heap = text;
  for (let rank: u32 = 0; rank < keys; rank++) {
    const id = load<u32>(sorted + <usize>rank * ITEM, 8);
    const length = textLength(d, id);
    memory.copy(text, textAt(d, id), length);
    text += length;
    store<u32>(at, <u32>(text - heap));
    at += 4;
  }
  return text;
}

/** Packs `count` groups, whose indexes (u32 each) are at `indexes`, into scratch; returns the frame's address. Its length is `packedLength`. */
export function packGroups(flow: Flow, indexes: usize, count: u32, closedThrough: i64): usize {
  keys = 0;
  keyBytes = 0;
  const sorted = flow.textKeys ? rankKeys(flow, indexes, count) : 0;
  const items = orderGroups(flow, indexes, count);
  const width = GROUP_HEAD + <usize>flow.plan.measures * MEASURE_BYTES;
  const length: u64 = HEAD + <u64>count * width + ((<u64>keys) << 2) + keyBytes;
  assert(length < 0x40000000);
  const frame = scratch(<usize>length);
  putHead(frame, flow, closedThrough);
  let at = frame + HEAD;
  for (let i: u32 = 0; i < count; i++) {
    const record = recordAt(flow, load<u32>(items + <usize>i * ITEM, 8));
    store<i64>(at, packedKey(flow, record));
    store<i64>(at, load<i64>(record, 8), 8);
    store<i64>(at, load<i64>(record, 16), 16);
    putMeasures(flow, record + RECORD_HEAD, at + GROUP_HEAD);
    at += width;
  }
  if (flow.textKeys) at = putKeys(flow.dictionary, sorted, at);
  assert(at - frame == <usize>length);
  const shape = flow.plan.measures | ((flow.textKeys ? TEXT : I64) << 16);
  sealFrame(frame, <usize>length, MAGIC, LABEL, count, shape, <u32>keyBytes, keys);
  packed = <usize>length;
  return frame;
}

/** Verifies a frame of groups; 0, or what is wrong. */
export function verifyGroups(frame: usize, length: usize): u32 {
  const wrong = checkFrame(frame, length, MAGIC, LABEL);
  if (wrong != OK) return wrong;
  const measures: u32 = load<u16>(frame, 12);
  const keyType: u32 = load<u16>(frame, 14);
  const names = load<u32>(frame, 20);
  const nameBytes = load<u32>(frame, 16);
  if (length < HEAD || measures > MAX_MEASURES || (keyType != I64 && keyType != TEXT)) return WRONG_LENGTH;
  for (let i: u32 = 0; i < MAX_MEASURES; i++) {
    const type: u32 = load<u8>(frame + 48 + i);
    if (i < measures ? type != I64 && type != F64 : type != 0) return WRONG_LENGTH;
  }
  const rows = groupsIn(frame);
  const width = GROUP_HEAD + <usize>measures * MEASURE_BYTES;
  const fixed = HEAD + <u64>rows * width;
  if (fixed + ((<u64>names) << 2) + nameBytes != <u64>length) return WRONG_LENGTH;
  if (!endsFill(frame + <usize>fixed, names, nameBytes)) return WRONG_LENGTH;
  if (keyType == I64) return names == 0 ? OK : WRONG_LENGTH;
  for (let i: u32 = 0; i < rows; i++) {
    if (<u64>load<i64>(frame + HEAD + <usize>i * width) >= <u64>names) return WRONG_LENGTH;
  }
  return OK;
}

/** Whether a verified frame holds groups of this plan: same key type, window length and measures. */
export function groupsMatch(frame: usize, plan: Plan): u32 {
  const keyType = columnType(plan, plan.key);
  if (load<u32>(frame, 12) != (plan.measures | (keyType << 16)) || load<i64>(frame, 40) != plan.size) return WRONG_KIND;
  for (let i: u32 = 0; i < plan.measures; i++) {
    if (load<u8>(frame + 48 + i) != columnType(plan, measureColumn(plan, i))) return WRONG_KIND;
  }
  return OK;
}

export function groupsIn(frame: usize): u32 {
  return load<u32>(frame, 8);
}

/** Address of group `index` in a verified frame. */
export function groupAt(frame: usize, index: u32): usize {
  return frame + HEAD + <usize>index * (GROUP_HEAD + <usize>load<u16>(frame, 12) * MEASURE_BYTES);
}

/** Copies a group's count and measures into a record. */
export function copyGroup(flow: Flow, group: usize, record: usize): void {
  store<i64>(record, load<i64>(group, 16), 16);
  memory.copy(record + RECORD_HEAD, group + GROUP_HEAD, <usize>flow.plan.measures * MEASURE_BYTES);
}

/** Windows that ended at or before it were closed before the frame's groups were touched; i64.MIN_VALUE for none. */
export function closedBefore(frame: usize): i64 {
  return load<i64>(frame, 32);
}

let keyAt: usize = 0;
let keyLength: usize = 0;

/** Finds key `index` of a verified frame: its address; its length is `foundKeyLength`. */
export function findKey(frame: usize, index: u32): usize {
  const ends = groupAt(frame, groupsIn(frame));
  const heap = ends + ((<usize>load<u32>(frame, 20)) << 2);
  const start = index == 0 ? 0 : load<u32>(ends + ((<usize>(index - 1)) << 2));
  keyAt = heap + start;
  keyLength = load<u32>(ends + ((<usize>index) << 2)) - start;
  return keyAt;
}

export function foundKeyLength(): usize {
  return keyLength;
}

export function keysIn(frame: usize): u32 {
  return load<u32>(frame, 20);
}
