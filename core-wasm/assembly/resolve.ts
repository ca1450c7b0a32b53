/** Which group each row of a batch belongs to: those that are new are added, and taken back when there would be too many. */
import { Column, TEXT, columnAt, stringAt, stringEnd } from "./columns";
import { NO_ENTRY, intern, shrinkTo } from "./dictionary";
import {
  Flow,
  bytesOfGroup,
  dropNewest,
  endOf,
  findGroup,
  firstSlot,
  hashOf,
  recordAt,
  slotGroup,
  startHash,
  startOf,
} from "./flow";
import { scratch } from "./memory";

/** Ids of a text column's codes in the flow's dictionary, filled in as rows ask for them. */
let ids: usize = 0;

function keyOf(flow: Flow, column: Column, row: usize): i64 {
  let key: i64 = 0;
  if (column.type == TEXT) {
    const code = load<u32>(column.data + (row << 2));
    const at = ids + ((<usize>code) << 2);
    let id = load<u32>(at);
    if (id == NO_ENTRY) {
      const text = stringAt(column, code);
      id = intern(flow.dictionary, text, stringEnd(column, code) - text);
      store<u32>(at, id);
    }
    key = <i64>id;
  } else key = load<i64>(column.data + (row << 3));
  return key;
}

/** Rows that are resolved and added at a time, so that their groups are still in the processor's cache when they are added to. */
export const BLOCK: usize = 256;
export const FULL: usize = 0xffffffff;

/**
 * What is known of the rows of a block before their groups are: keys and starts (i64 each), hashes (u32 each), and the first slot of their
 * search (u64 each). Slots and records of other rows do not depend on each other: looked at in loops of their own, many are on their way from
 * memory at a time.
 */
let keys: usize = 0;
let starts: usize = 0;
let hashes: usize = 0;
let slots: usize = 0;

export function openBlock(rows: usize): void {
  keys = scratch(rows << 3);
  starts = scratch(rows << 3);
  hashes = scratch(rows << 2);
  slots = scratch(rows << 3);
}

/** Prepares `keyOf` for a batch. */
export function openKeys(flow: Flow, key: Column): void {
  if (!flow.textKeys) return;
  ids = scratch((<usize>key.strings) << 2);
  memory.fill(ids, 0xff, (<usize>key.strings) << 2);
}

let firstStart: i64 = 0;

/** Keeps the selected rows that are not late in `selected`, and what is known of each in the block. Returns how many. */
function locate(flow: Flow, selected: usize, count: usize, watermark: i64): usize {
  const plan = flow.plan;
  const size = plan.size;
  const times = columnAt(plan.time).data;
  const key = columnAt(plan.key);
  // Rows mostly come in order of time: the division is done only when the window changes.
  let start: i64 = 0;
  let until: i64 = 0;
  let ofStart: u64 = 0;
  let closed = false;
  let kept: usize = 0;
  firstStart = flow.firstStart;
  for (let i: usize = 0; i < count; i++) {
    const row = <usize>load<u32>(selected + (i << 2));
    const time = load<i64>(times + (row << 3));
    if (time < start || time >= until) {
      start = startOf(time, size);
      until = endOf(start, size);
      closed = until <= watermark;
      ofStart = startHash(flow, start);
      if (!closed) firstStart = min(firstStart, start);
    }
    if (closed) continue;
    const value = keyOf(flow, key, row);
    const hash = hashOf(value, ofStart, flow.factor0, flow.factor1);
    store<u32>(selected + (kept << 2), <u32>row);
    store<i64>(keys + (kept << 3), value);
    store<i64>(starts + (kept << 3), start);
    store<u32>(hashes + (kept << 2), hash);
    store<u64>(slots + (kept << 3), firstSlot(flow, hash));
    kept++;
  }
  return kept;
}

/**
 * Finds the group of each selected row that is not late; keeps those rows in `selected` and their groups in `groups`. Returns how many, or FULL,
 * with nothing changed, when there would be more than `limit` groups or they would take more than `room` bytes. New ones whose windows end with the
 * batch, at `reached`, do not count.
 */
export function resolve(
  flow: Flow,
  selected: usize,
  count: usize,
  groups: usize,
  watermark: i64,
  limit: u32,
  room: u64,
  reached: i64,
): usize {
  const size = flow.plan.size;
  const groupsBefore = flow.count;
  const keysBefore = flow.textKeys ? flow.dictionary.count : 0;
  const kept = locate(flow, selected, count, watermark);
  for (let i: usize = 0; i < kept; i++) {
    const key = load<i64>(keys + (i << 3));
    const start = load<i64>(starts + (i << 3));
    // What a group that was added meanwhile has changed of the slot, or of the hashes, only sends the row the long way.
    let group = slotGroup(flow, load<u64>(slots + (i << 3)), load<u32>(hashes + (i << 2)), key, start);
    if (group == NO_ENTRY) {
      const before = flow.count;
      const held = flow.held;
      group = findGroup(flow, key, start);
      if (flow.count > before && endOf(start, size) <= reached) {
        limit++;
        room += flow.held - held;
      }
      if (flow.count > limit || <u64>flow.held > room) {
        dropNewest(flow, groupsBefore);
        if (flow.textKeys) shrinkTo(flow.dictionary, keysBefore);
        return FULL;
      }
    }
    store<u32>(groups + (i << 2), group);
  }
  flow.firstStart = firstStart;
  return kept;
}

/** Bytes of the longest text of a column; 0 where it is none. */
export function longestOf(column: Column): usize {
  if (column.type != TEXT) return 0;
  let longest: usize = 0;
  for (let code: u32 = 0; code < column.strings; code++) {
    longest = max(longest, stringEnd(column, code) - stringAt(column, code));
  }
  return longest;
}

let endingGroups: u32 = 0;
let endingBytes: usize = 0;

/** Looks for groups whose windows end at or before `reached`. */
export function findEnding(flow: Flow, reached: i64): void {
  const size = flow.plan.size;
  endingGroups = 0;
  endingBytes = 0;
  if (flow.count == 0 || endOf(flow.firstStart, size) > reached) return;
  for (let i: u32 = 0; i < flow.count; i++) {
    const record = recordAt(flow, i);
    if (endOf(load<i64>(record, 8), size) > reached) continue;
    endingGroups++;
    endingBytes += bytesOfGroup(flow, record);
  }
}

/** How many were found. */
export function foundEnding(): u32 {
  return endingGroups;
}

/** Bytes that they take. */
export function foundEndingBytes(): usize {
  return endingBytes;
}
