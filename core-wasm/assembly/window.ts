/** Tumbling event-time windows per key: batches of columns in, deltas, closed windows and snapshots out. */
import { columnAt, columnsMatch, frameRows, openFrame } from "./columns";
import { NO_ENTRY, find, intern } from "./dictionary";
import { selectRows, testsTexts } from "./filter";
import {
  Flow,
  LINE_BITS,
  MEASURE_BYTES,
  RECORD_HEAD,
  counted,
  endOf,
  findGroup,
  groupBytes,
  hashOf,
  measureColumn,
  measureIsFloat,
  planColumns,
  planStrings,
  planTests,
  recordAt,
  removeClosed,
  slotMask,
  startHash,
  startOf,
  touch,
} from "./flow";
import { OK } from "./frame";
import {
  closedBefore,
  copyGroup,
  findKey,
  foundKeyLength,
  groupAt,
  groupsIn,
  groupsMatch,
  keysIn,
  packGroups,
  verifyGroups,
} from "./groups";
import { scratch } from "./memory";
import {
  BLOCK,
  FULL,
  findEnding,
  foundEnding,
  foundEndingBytes,
  longestOf,
  openBlock,
  openKeys,
  resolve,
} from "./resolve";

/** Beside the codes of frame.ts. */
const TOO_MANY_GROUPS: u32 = 6;

let applied: u32 = 0;
let late: u32 = 0;
let maxTime: i64 = 0;

/** Rows of the last `windowApply` that were added. */
export function appliedRows(): u32 {
  return applied;
}

/** Rows of the last `windowApply` that passed the filter after their window had closed. */
export function lateRows(): u32 {
  return late;
}

/** Highest time of the last `windowApply`'s batch, if it had rows. */
export function latestTime(): i64 {
  return counted(maxTime);
}

function larger(a: v128, b: v128): v128 {
  return v128.bitselect(a, b, i64x2.gt_s(a, b));
}

/** Four maxima beside each other: one would wait for itself with every pair of rows. */
function maxOf(data: usize, rows: usize): i64 {
  let a = i64x2.splat(i64.MIN_VALUE);
  let b = a;
  let c = a;
  let d = a;
  const end = data + (rows << 3);
  let at = data;
  for (; at + 64 <= end; at += 64) {
    a = larger(v128.load(at), a);
    b = larger(v128.load(at, 16), b);
    c = larger(v128.load(at, 32), c);
    d = larger(v128.load(at, 48), d);
  }
  const pair = larger(larger(a, b), larger(c, d));
  let most = max(i64x2.extract_lane(pair, 0), i64x2.extract_lane(pair, 1));
  for (; at < end; at += 8) most = max(most, load<i64>(at));
  return most;
}

/** Counts the rows; replaces each row's group by the address of its record. */
function countRows(flow: Flow, groups: usize, count: usize): void {
  const end = groups + (count << 2);
  for (let at = groups; at < end; at += 4) {
    const index = load<u32>(at);
    const record = recordAt(flow, index);
    store<i64>(record, load<i64>(record, 16) + 1, 16);
    touch(flow, index, record);
    store<u32>(at, <u32>record);
  }
}

function saturatingAdd(a: i64, b: i64): i64 {
  const sum = a + b;
  if (((a ^ sum) & (b ^ sum)) >= 0) return sum;
  return a < 0 ? i64.MIN_VALUE : i64.MAX_VALUE;
}

/** A double or, where that is infinite, the greatest or least: no JSON could hold it. */
function finite(value: f64): f64 {
  if (abs(value) == Infinity) return value > 0 ? f64.MAX_VALUE : -f64.MAX_VALUE;
  return value;
}

/** Sums end where int64 or the doubles do, row by row: what is added behind that counts from there, as in flows of operators. */
function sumOf<T>(sum: T, value: T): T {
  return isFloat<T>() ? <T>finite(<f64>sum + <f64>value) : <T>saturatingAdd(<i64>sum, <i64>value);
}

/** Adds each row to a measure of its record: sum, min, max. */
function addEach<T>(data: usize, offset: usize, selected: usize, records: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const value = load<T>(data + ((<usize>load<u32>(selected + (i << 2))) << 3));
    const at = <usize>load<u32>(records + (i << 2)) + offset;
    store<T>(at, sumOf<T>(load<T>(at), value));
    if (value < load<T>(at, 8)) store<T>(at, value, 8);
    if (value > load<T>(at, 16)) store<T>(at, value, 16);
  }
}

/**
 * The same for a flow of one measure and of numbers as keys, which is the usual, and rows that cannot be refused any more: each is added as soon as
 * its group is found, run by run of rows that are in one window. Returns how many were added.
 */
function resolveAndAdd(flow: Flow, selected: usize, count: usize, watermark: i64): usize {
  const size = flow.plan.size;
  const times = columnAt(flow.plan.time).data;
  const end = selected + (count << 2);
  let kept: usize = 0;
  let at = selected;
  while (at < end) {
    const time = load<i64>(times + ((<usize>load<u32>(at)) << 3));
    const start = startOf(time, size);
    const until = endOf(start, size);
    let next = at + 4;
    while (next < end) {
      const other = load<i64>(times + ((<usize>load<u32>(next)) << 3));
      if (other < start || other >= until) break;
      next += 4;
    }
    if (until > watermark) {
      flow.firstStart = min(flow.firstStart, start);
      addRun(flow, at, next, start);
      kept += (next - at) >> 2;
    }
    at = next;
  }
  return kept;
}

/** What the loop needs of the flow is in locals: the compiler cannot know that records and flow are not the same memory. */
function addRun(flow: Flow, from: usize, to: usize, start: i64): void {
  const keyData = columnAt(flow.plan.key).data;
  const data = columnAt(measureColumn(flow.plan, 0)).data;
  const float = measureIsFloat(flow.plan, 0);
  let ofStart = startHash(flow, start);
  let factor0 = flow.factor0;
  let factor1 = flow.factor1;
  let slotBase = flow.slots;
  let mask = slotMask(flow);
  let records = flow.records;
  for (let at = from; at < to;) {
    const key = load<i64>(keyData + ((<usize>load<u32>(at)) << 3));
    const hash = hashOf(key, ofStart, factor0, factor1);
    const slot = load<u64>(slotBase + ((<usize>(hash & mask)) << 3));
    let record = records + ((<usize>(<u32>slot - 1)) << LINE_BITS);
    if (<u32>slot == 0 || <u32>(slot >> 32) != hash || load<i64>(record) != key || load<i64>(record, 8) != start) {
      const group = findGroup(flow, key, start);
      if (factor1 != flow.factor1) {
        factor0 = flow.factor0;
        factor1 = flow.factor1;
        ofStart = startHash(flow, start);
      }
      slotBase = flow.slots;
      mask = slotMask(flow);
      records = flow.records;
      record = records + ((<usize>group) << LINE_BITS);
    }
    if (load<u32>(record, 28) == 0) touch(flow, <u32>((record - records) >> LINE_BITS), record);
    at = float
      ? addWhileOf<f64>(record, key, keyData, data, at, to)
      : addWhileOf<i64>(record, key, keyData, data, at, to);
  }
}

function isOf(key: i64, keyData: usize, at: usize): bool {
  return load<i64>(keyData + ((<usize>load<u32>(at)) << 3)) == key;
}

/**
 * Adds the row at `at`, and those behind it as long as they have the same key: what a group holds goes back to memory once for all of them. Returns
 * where the next key begins.
 */
function addWhileOf<T>(record: usize, key: i64, keyData: usize, data: usize, at: usize, to: usize): usize {
  const measure = record + RECORD_HEAD;
  let sum = load<T>(measure);
  let least = load<T>(measure, 8);
  let most = load<T>(measure, 16);
  const first = at;
  do {
    const value = load<T>(data + ((<usize>load<u32>(at)) << 3));
    sum = sumOf<T>(sum, value);
    if (value < least) least = value;
    if (value > most) most = value;
    at += 4;
  } while (at < to && isOf(key, keyData, at));
  store<i64>(record, load<i64>(record, 16) + <i64>((at - first) >> 2), 16);
  store<T>(measure, sum);
  store<T>(measure, least, 8);
  store<T>(measure, most, 16);
  return at;
}

/**
 * Applies the columns frame of `length` bytes, which is verified unless it is `own`; 0, a code of frame.ts, or TOO_MANY_GROUPS. Unless 0, nothing
 * has changed.
 * @param behind time comes so far behind the batch's latest with it; negative when it stays where it is
 * @param bytes that open groups may take
 */
export function windowApply(
  at: usize,
  frame: usize,
  length: usize,
  own: bool,
  watermark: i64,
  behind: i64,
  bytes: u32,
): u32 {
  const flow = changetype<Flow>(at);
  const plan = flow.plan;
  let wrong = openFrame(frame, length, own);
  if (wrong == OK) wrong = columnsMatch(frame, planColumns(plan), plan.columns);
  if (wrong != OK) return wrong;
  const rows = <usize>frameRows(frame);
  applied = 0;
  // Where no row can be refused they are taken a block at a time, while its columns are in the processor's cache.
  const fits =
    <u64>flow.count + rows <= <u64>max(plan.maxGroups, flow.count) &&
    <u64>flow.held + <u64>rows * groupBytes(flow) <= <u64>bytes;
  if (fits && plan.measures == 1 && !flow.textKeys && !testsTexts(planTests(plan), plan.tests))
    applyBlocks(flow, rows, watermark);
  else return applyWhole(flow, rows, watermark, behind, bytes);
  return OK;
}

const LARGE_BLOCK: usize = 2048;

function applyBlocks(flow: Flow, rows: usize, watermark: i64): void {
  const plan = flow.plan;
  const times = columnAt(plan.time).data;
  const selected = scratch(LARGE_BLOCK << 2);
  const bits = scratch((LARGE_BLOCK >> 3) + 16);
  maxTime = i64.MIN_VALUE;
  late = 0;
  for (let from: usize = 0; from < rows; from += LARGE_BLOCK) {
    const length = min(LARGE_BLOCK, rows - from);
    maxTime = max(maxTime, maxOf(times + (from << 3), length));
    const count = selectRows(planTests(plan), plan.tests, planStrings(plan), from, length, bits, selected);
    const kept = resolveAndAdd(flow, selected, count, watermark);
    applied += <u32>kept;
    late += <u32>(count - kept);
  }
}

/** How far time has come after a batch of so many rows, of which the latest time is `maxTime`. */
function reachedWith(watermark: i64, behind: i64, rows: usize): i64 {
  return behind < 0 || rows == 0 ? watermark : max(watermark, counted(maxTime) - behind);
}

function applyWhole(flow: Flow, rows: usize, watermark: i64, behind: i64, bytes: u32): u32 {
  const plan = flow.plan;
  maxTime = maxOf(columnAt(plan.time).data, rows);
  const selected = scratch(rows << 2);
  const bits = scratch((rows >> 3) + 16);
  const count = selectRows(planTests(plan), plan.tests, planStrings(plan), 0, rows, bits, selected);
  // As long as every row might open a group, nothing is added before all groups are found: a refusal changes nothing.
  const key = columnAt(plan.key);
  const most = <u64>count * (groupBytes(flow) + longestOf(key));
  let limit = max(plan.maxGroups, flow.count);
  let room: u64 = max<u64>(bytes, flow.held);
  const surely = <u64>flow.count + count <= <u64>limit && <u64>flow.held + most <= room;
  const step = surely ? BLOCK : max<usize>(count, 1);
  // Groups whose windows end with this batch do not stay: were they counted, a full flow could not come to the time at which it has room again.
  const reached = reachedWith(watermark, behind, rows);
  if (!surely) {
    findEnding(flow, reached);
    limit = max(plan.maxGroups + foundEnding(), flow.count);
    room = max<u64>(<u64>bytes + foundEndingBytes(), flow.held);
  }
  const groups = scratch(min(step, count) << 2);
  openBlock(min(step, count));
  openKeys(flow, key);
  for (let from: usize = 0; from < count; from += step) {
    const block = selected + (from << 2);
    const kept = resolve(flow, block, min(step, count - from), groups, watermark, limit, room, reached);
    if (kept == FULL) return TOO_MANY_GROUPS;
    addRows(flow, block, groups, kept);
    applied += <u32>kept;
  }
  late = <u32>count - applied;
  return OK;
}

/** Adds rows to their groups. */
function addRows(flow: Flow, selected: usize, groups: usize, count: usize): void {
  const plan = flow.plan;
  countRows(flow, groups, count);
  for (let i: u32 = 0; i < plan.measures; i++) {
    const data = columnAt(measureColumn(plan, i)).data;
    const offset = RECORD_HEAD + <usize>i * MEASURE_BYTES;
    if (measureIsFloat(plan, i)) addEach<f64>(data, offset, selected, groups, count);
    else addEach<i64>(data, offset, selected, groups, count);
  }
}

/** Packs the touched groups and forgets that they were; 0 when nothing was touched or closed. */
export function windowDelta(at: usize): usize {
  const flow = changetype<Flow>(at);
  if (flow.touchedCount == 0 && flow.closedThrough == i64.MIN_VALUE) return 0;
  const frame = packGroups(flow, flow.touched, flow.touchedCount, flow.closedThrough);
  for (let i: u32 = 0; i < flow.touchedCount; i++) {
    store<u32>(recordAt(flow, load<u32>(flow.touched + ((<usize>i) << 2))), 0, 28);
  }
  flow.touchedCount = 0;
  flow.closedThrough = i64.MIN_VALUE;
  return frame;
}

/** Removes and packs the groups whose windows end at or before `watermark`; 0 when there are none. */
export function windowClose(at: usize, watermark: i64): usize {
  const flow = changetype<Flow>(at);
  const size = flow.plan.size;
  if (flow.count == 0 || endOf(flow.firstStart, size) > watermark) return 0;
  const indexes = scratch((<usize>flow.count) << 2);
  let count: u32 = 0;
  for (let i: u32 = 0; i < flow.count; i++) {
    if (endOf(load<i64>(recordAt(flow, i), 8), size) > watermark) continue;
    store<u32>(indexes + ((<usize>count) << 2), i);
    count++;
  }
  if (count == 0) return 0;
  const frame = packGroups(flow, indexes, count, i64.MIN_VALUE);
  removeClosed(flow, watermark);
  flow.closedThrough = max(flow.closedThrough, watermark);
  return frame;
}

/** Packs all groups. */
export function windowSnapshot(at: usize): usize {
  const flow = changetype<Flow>(at);
  const indexes = scratch((<usize>flow.count) << 2);
  for (let i: u32 = 0; i < flow.count; i++) store<u32>(indexes + ((<usize>i) << 2), i);
  return packGroups(flow, indexes, flow.count, i64.MIN_VALUE);
}

/** Packs the groups of one key, which is the text at `text` where keys are texts; 0 when there are none. A look at each record costs next to nothing beside packing it. */
export function windowGroupsOf(at: usize, key: i64, text: usize, length: usize): usize {
  const flow = changetype<Flow>(at);
  if (flow.textKeys) {
    const id = find(flow.dictionary, text, length);
    if (id == NO_ENTRY) return 0;
    key = <i64>id;
  }
  const indexes = scratch((<usize>flow.count) << 2);
  let count: u32 = 0;
  for (let i: u32 = 0; i < flow.count; i++) {
    if (load<i64>(recordAt(flow, i)) != key) continue;
    store<u32>(indexes + ((<usize>count) << 2), i);
    count++;
  }
  return count == 0 ? 0 : packGroups(flow, indexes, count, i64.MIN_VALUE);
}

/** Applies packed groups; 0, or a code of frame.ts with nothing changed. What is loaded counts as durable: no delta repeats it. */
export function windowLoad(at: usize, frame: usize, length: usize): u32 {
  const flow = changetype<Flow>(at);
  let wrong = verifyGroups(frame, length);
  if (wrong == OK) wrong = groupsMatch(frame, flow.plan);
  if (wrong != OK) return wrong;
  if (closedBefore(frame) != i64.MIN_VALUE && flow.count != 0) removeClosed(flow, closedBefore(frame));
  let ids: usize = 0;
  if (flow.textKeys) {
    ids = scratch((<usize>keysIn(frame)) << 2);
    for (let i: u32 = 0; i < keysIn(frame); i++) {
      const key = findKey(frame, i);
      store<u32>(ids + ((<usize>i) << 2), intern(flow.dictionary, key, foundKeyLength()));
    }
  }
  for (let i: u32 = 0; i < groupsIn(frame); i++) {
    const group = groupAt(frame, i);
    let key = load<i64>(group);
    if (flow.textKeys) key = load<u32>(ids + ((<usize>key) << 2));
    const start = load<i64>(group, 8);
    const index = findGroup(flow, key, start);
    copyGroup(flow, group, recordAt(flow, index));
    flow.firstStart = min(flow.firstStart, start);
  }
  return OK;
}

/** Bytes that open groups take. */
export function windowHeld(at: usize): usize {
  return changetype<Flow>(at).held;
}

/** Bytes of that that a group takes, without the text of its key. */
export function windowGroupBytes(at: usize): usize {
  return groupBytes(changetype<Flow>(at));
}
