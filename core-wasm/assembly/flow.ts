/**
 * The state of one windowed flow: its plan, its open groups, and the text of their keys.
 *
 * ```
 * plan     | fixed part (64) | type u32, name hash u32 per column | tests (16 each) | strings
 * record   0 key i64 | 8 window start i64 | 16 count i64 | 24 hash u32 | 28 touched u32 | 32 sum, min, max per measure (24)
 * slots    | index + 1 u32 (0: empty) | hash u32 | ...      open addressing, linear probing, at most half full
 * touched  | index u32 | ...      the groups that the next delta holds
 * ```
 * Records are dense and in order of arrival, so that a refused batch is taken back by dropping the newest.
 */
import { seed0, seed1 } from "./bytes";
import { F64, TEXT } from "./columns";
import {
  Dictionary,
  NO_ENTRY,
  addUse,
  closeDictionary,
  compactDictionary,
  dictionaryBytes,
  dropUse,
  openDictionary,
  textLength,
  unusedEntries,
} from "./dictionary";
import { TEST_BYTES } from "./filter";
import { alloc, blockBytes, free, scratch } from "./memory";
import { xxh64 } from "./xxh64";
import { MAX_EVENT_TIME } from "../limits";

export const MAX_MEASURES: u32 = 8;
export const RECORD_HEAD: usize = 32;
export const MEASURE_BYTES: usize = 24;
const FIRST_GROUPS: u32 = 64;
/** Bytes of a line of the processor's cache. */
const LINE: usize = 64;
/** The stride of records of one measure is a line's bytes: this many bits. */
export const LINE_BITS: usize = 6;
/** Smaller tables grow fourfold. */
const FEW_GROUPS: u32 = 16384;
const PLAN_HEAD: usize = 64;
/** Slots from where a search begins to the group, at most, in a table whose hashes have no seed. */
const FAR: u32 = 64;
/** Bytes of a group's slots and of its place among those that were touched, and of a key's slots and entry. */
const GROUP_BYTES: usize = 20;
const KEY_BYTES: usize = 48;

/** The plan, as the façade writes it. */
@unmanaged
export class Plan {
  columns: u32;
  tests: u32;
  key: u32;
  time: u32;
  size: i64;
  measures: u32;
  maxGroups: u32;
  measure0: u32;
  measure1: u32;
  measure2: u32;
  measure3: u32;
  measure4: u32;
  measure5: u32;
  measure6: u32;
  measure7: u32;
}

@unmanaged
export class Flow {
  plan: Plan;
  stride: usize;
  /** A record without rows. */
  blank: usize;
  /** Of text keys; null where keys are numbers. */
  dictionary: Dictionary;
  count: u32;
  capacity: u32;
  slots: usize;
  /** Records, which begin at a line of the processor's cache, and the block that they are in. */
  records: usize;
  recordBlock: usize;
  touched: usize;
  touchedCount: u32;
  /** Bytes that open groups take: what they are given room for beyond that does not count. */
  held: usize;
  /** No open window starts earlier. */
  firstStart: i64;
  /** What hashes are multiplied with. */
  factor0: u64;
  factor1: u64;
  /** Watermark of the last close since the last delta; i64.MIN_VALUE when there was none. */
  closedThrough: i64;

  get textKeys(): bool {
    return changetype<usize>(this.dictionary) != 0;
  }
}

/** List of type u32, name hash u32 per column. */
export function planColumns(plan: Plan): usize {
  return changetype<usize>(plan) + PLAN_HEAD;
}

export function planTests(plan: Plan): usize {
  return planColumns(plan) + ((<usize>plan.columns) << 3);
}

export function planStrings(plan: Plan): usize {
  return planTests(plan) + <usize>plan.tests * TEST_BYTES;
}

/** Column of a measure. */
export function measureColumn(plan: Plan, measure: u32): u32 {
  return load<u32>(changetype<usize>(plan) + 32 + ((<usize>measure) << 2));
}

export function columnType(plan: Plan, column: u32): u32 {
  return load<u32>(planColumns(plan) + ((<usize>column) << 3));
}

export function measureIsFloat(plan: Plan, measure: u32): bool {
  return columnType(plan, measureColumn(plan, measure)) == F64;
}

export function recordAt(flow: Flow, index: u32): usize {
  return flow.records + <usize>index * flow.stride;
}

function slotAt(flow: Flow, index: u32): usize {
  return flow.slots + ((<usize>index) << 3);
}

export function slotMask(flow: Flow): u32 {
  return (flow.capacity << 1) - 1;
}

/** Copies a plan of `bytes` bytes and opens an empty flow. */
export function windowOpen(planAt: usize, bytes: usize): usize {
  const plan = changetype<Plan>(alloc(bytes));
  memory.copy(changetype<usize>(plan), planAt, bytes);
  const flow = changetype<Flow>(alloc(offsetof<Flow>()));
  memory.fill(changetype<usize>(flow), 0, offsetof<Flow>());
  flow.plan = plan;
  flow.stride = strideOf(RECORD_HEAD + <usize>plan.measures * MEASURE_BYTES);
  flow.blank = makeBlank(plan, flow.stride);
  if (columnType(plan, plan.key) == TEXT) flow.dictionary = openDictionary();
  flow.firstStart = i64.MAX_VALUE;
  flow.closedThrough = i64.MIN_VALUE;
  flow.factor0 = 0x9e3779b97f4a7c15; // the golden ratio
  flow.factor1 = 1;
  resize(flow, FIRST_GROUPS);
  return changetype<usize>(flow);
}

/** Gives all of a flow's memory back. */
export function windowFree(at: usize): void {
  const flow = changetype<Flow>(at);
  if (flow.textKeys) closeDictionary(flow.dictionary);
  free(flow.blank);
  free(flow.slots);
  free(flow.recordBlock);
  free(flow.touched);
  free(changetype<usize>(flow.plan));
  free(at);
}

/** Bytes of memory that a flow holds. */
export function windowBytes(at: usize): usize {
  const flow = changetype<Flow>(at);
  const own = blockBytes(at) + blockBytes(changetype<usize>(flow.plan)) + blockBytes(flow.blank);
  const tables = blockBytes(flow.slots) + blockBytes(flow.recordBlock) + blockBytes(flow.touched);
  return own + tables + (flow.textKeys ? dictionaryBytes(flow.dictionary) : 0);
}

export function windowGroups(at: usize): u32 {
  return changetype<Flow>(at).count;
}

/** Hash of a column's name, as frames have it. */
export function nameHash(name: usize, length: usize): u32 {
  return <u32>xxh64(name, length, 0);
}

/** Bytes that a group takes in its tables, without the text of its key. */
export function groupBytes(flow: Flow): usize {
  return flow.stride + GROUP_BYTES + (flow.textKeys ? KEY_BYTES : 0);
}

/** The same with the text: where groups of several windows have the same key, each counts it. */
export function bytesOfGroup(flow: Flow, record: usize): usize {
  return groupBytes(flow) + (flow.textKeys ? textLength(flow.dictionary, <u32>load<i64>(record)) : 0);
}

function moved(block: usize, used: usize, bytes: usize): usize {
  const at = alloc(bytes);
  if (block != 0) {
    memory.copy(at, block, used);
    free(block);
  }
  return at;
}

function moveRecords(flow: Flow, bytes: usize): void {
  const block = alloc(bytes + LINE);
  const records = (block + LINE - 1) & ~(LINE - 1);
  if (flow.recordBlock != 0) {
    memory.copy(records, flow.records, <usize>flow.count * flow.stride);
    free(flow.recordBlock);
  }
  flow.recordBlock = block;
  flow.records = records;
}

/** Bytes from a record to the next: those that fit a line of the cache lie in one. */
function strideOf(bytes: usize): usize {
  return bytes <= LINE ? LINE : bytes;
}

/** Gives the tables room for `capacity` groups, a power of two. */
function resize(flow: Flow, capacity: u32): void {
  assert(capacity >= flow.count);
  flow.capacity = capacity;
  moveRecords(flow, <usize>capacity * flow.stride);
  flow.touched = moved(flow.touched, (<usize>flow.touchedCount) << 2, (<usize>capacity) << 2);
  if (flow.slots != 0) free(flow.slots);
  flow.slots = alloc((<usize>capacity) << 4);
  reindex(flow);
}

function emptySlot(flow: Flow, hash: u32): usize {
  const mask = slotMask(flow);
  let index = hash & mask;
  while (load<u32>(slotAt(flow, index)) != 0) index = (index + 1) & mask;
  return slotAt(flow, index);
}

/** Fills the slots anew from the records. */
function reindex(flow: Flow): void {
  memory.fill(flow.slots, 0, (<usize>flow.capacity) << 4);
  for (let i: u32 = 0; i < flow.count; i++) {
    const hash = load<u32>(recordAt(flow, i), 24);
    const slot = emptySlot(flow, hash);
    if (isFar(flow, slot, hash)) return seedHashes(flow);
    store<u32>(slot, i + 1);
    store<u32>(slot, hash, 4);
  }
}

/** Whether a group would be so far from where its search begins that its hashes are to be seeded. */
function isFar(flow: Flow, slot: usize, hash: u32): bool {
  return flow.factor1 == 1 && ((<u32>((slot - flow.slots) >> 3) - hash) & slotMask(flow)) > FAR;
}

/** Gives all groups seeded hashes, and the flow those that come. */
function seedHashes(flow: Flow): void {
  flow.factor0 = seed0;
  flow.factor1 = seed1;
  hashAll(flow);
  reindex(flow);
}

function hashAll(flow: Flow): void {
  for (let i: u32 = 0; i < flow.count; i++) {
    const record = recordAt(flow, i);
    store<u32>(record, groupHash(flow, load<i64>(record), load<i64>(record, 8)), 24);
  }
}

/** Makes the record that new groups start from: an empty sum that keeps the sign of a first -0, and bounds that any value replaces. */
function makeBlank(plan: Plan, stride: usize): usize {
  const blank = alloc(stride);
  memory.fill(blank, 0, RECORD_HEAD);
  for (let i: u32 = 0; i < plan.measures; i++) {
    const at = blank + RECORD_HEAD + <usize>i * MEASURE_BYTES;
    if (measureIsFloat(plan, i)) {
      store<f64>(at, -0.0);
      store<f64>(at, Infinity, 8);
      store<f64>(at, -Infinity, 16);
    } else {
      store<i64>(at, 0);
      store<i64>(at, i64.MAX_VALUE, 8);
      store<i64>(at, i64.MIN_VALUE, 16);
    }
  }
  return blank;
}

/**
 * Hash of key and start; for the slots only, never stored or sent. It begins as Fibonacci hashing (Knuth 6.4), which gives neighbouring keys distant
 * slots without collisions. Keys of one hash are easily made for that, so the first group that comes to lie far off gives the flow secret factors.
 * By these any two keys rarely meet, whichever they are: a product with a secret number is universal in its upper bits (Dietzfelbinger et al. 1997),
 * and shifts bring down what differs only there. With two products in place of three, keys that differ only in their upper bits came to lie in long
 * rows for one seed in a hundred.
 */
export function groupHash(flow: Flow, key: i64, start: i64): u32 {
  return hashOf(key, startHash(flow, start), flow.factor0, flow.factor1);
}

/** What a window's start adds to the keys of its groups. */
export function startHash(flow: Flow, start: i64): u64 {
  return mix(<u64>start, flow.factor0, flow.factor1);
}

export function hashOf(key: i64, ofStart: u64, factor0: u64, factor1: u64): u32 {
  return <u32>(mix(<u64>key + ofStart, factor0, factor1) >> 32);
}

function mix(word: u64, factor0: u64, factor1: u64): u64 {
  const once = word * factor0;
  if (factor1 == 1) return once;
  const twice = (once ^ (once >> 32)) * factor1;
  return (twice ^ (twice >> 32)) * factor0;
}

/** Adds a group; `slot` is the empty one that ended the search for it. */
function addGroup(flow: Flow, key: i64, start: i64, hash: u32, slot: usize): u32 {
  const full = flow.count == flow.capacity;
  if (full || isFar(flow, slot, hash)) {
    if (full) resize(flow, flow.capacity << (flow.capacity < FEW_GROUPS ? 2 : 1));
    else seedHashes(flow);
    return findGroup(flow, key, start);
  }
  const index = flow.count++;
  store<u32>(slot, index + 1);
  store<u32>(slot, hash, 4);
  const record = recordAt(flow, index);
  for (let at: usize = 16; at < flow.stride; at += 8) store<u64>(record + at, load<u64>(flow.blank + at));
  store<i64>(record, key);
  store<i64>(record, start, 8);
  store<u32>(record, hash, 24);
  if (flow.textKeys) addUse(flow.dictionary, <u32>key);
  flow.held += bytesOfGroup(flow, record);
  return index;
}

/** The slot at which the search for a group with this hash begins. */
export function firstSlot(flow: Flow, hash: u32): u64 {
  return load<u64>(slotAt(flow, hash & slotMask(flow)));
}

/** The group of a slot if it is that of the key and start, else NO_ENTRY. */
export function slotGroup(flow: Flow, slot: u64, hash: u32, key: i64, start: i64): u32 {
  if (<u32>slot == 0 || <u32>(slot >> 32) != hash) return NO_ENTRY;
  const record = recordAt(flow, <u32>slot - 1);
  return load<i64>(record) == key && load<i64>(record, 8) == start ? <u32>slot - 1 : NO_ENTRY;
}

/** Index of the group, which is added when it is new. Hashes may be others afterwards. */
export function findGroup(flow: Flow, key: i64, start: i64): u32 {
  const hash = groupHash(flow, key, start);
  const mask = slotMask(flow);
  let index = hash & mask;
  let group: u32 = 0;
  while (true) {
    const at = slotAt(flow, index);
    const slot = load<u64>(at);
    group = <u32>slot - 1;
    if (<u32>slot == 0) {
      group = addGroup(flow, key, start, hash, at);
      break;
    }
    if (<u32>(slot >> 32) == hash) {
      const record = recordAt(flow, group);
      if (load<i64>(record) == key && load<i64>(record, 8) == start) break;
    }
    index = (index + 1) & mask;
  }
  return group;
}

/** Takes back the newest groups until `count` are left, exactly as if they had never been added. None of them is touched. */
export function dropNewest(flow: Flow, count: u32): void {
  while (flow.count > count) {
    const group = --flow.count;
    const record = recordAt(flow, group);
    let index = load<u32>(record, 24) & slotMask(flow);
    while (load<u32>(slotAt(flow, index)) != group + 1) index = (index + 1) & slotMask(flow);
    store<u64>(slotAt(flow, index), 0);
    flow.held -= bytesOfGroup(flow, record);
    if (flow.textKeys) dropUse(flow.dictionary, <u32>load<i64>(record));
  }
}

/** Marks a group for the next delta. */
export function touch(flow: Flow, index: u32, record: usize): void {
  if (load<u32>(record, 28) == 0) {
    store<u32>(record, 1, 28);
    store<u32>(flow.touched + ((<usize>flow.touchedCount) << 2), index);
    flow.touchedCount++;
  }
}

/** The time that an event counts for. It is asked for where the window changes, and once a batch: a row costs nothing for it. */
export function counted(time: i64): i64 {
  return max(min(time, <i64>MAX_EVENT_TIME), -(<i64>MAX_EVENT_TIME));
}

/** Start of the window that holds an event of `time`: windows are aligned to 0 and floor. */
export function startOf(time: i64, size: i64): i64 {
  const at = counted(time);
  let into = at % size;
  if (into < 0) into += size;
  return at - into;
}

/** Where a window ends: exclusive; a window that reaches the end of int64 ends there. */
export function endOf(start: i64, size: i64): i64 {
  return start > i64.MAX_VALUE - size ? i64.MAX_VALUE : start + size;
}

/** Removes the groups whose windows end at or before `watermark` and gives back what they held. */
export function removeClosed(flow: Flow, watermark: i64): void {
  const size = flow.plan.size;
  const count = flow.count;
  let kept: u32 = 0;
  flow.touchedCount = 0;
  flow.firstStart = i64.MAX_VALUE;
  for (let i: u32 = 0; i < count; i++) {
    const record = recordAt(flow, i);
    const start = load<i64>(record, 8);
    if (endOf(start, size) <= watermark) {
      flow.held -= bytesOfGroup(flow, record);
      if (flow.textKeys) dropUse(flow.dictionary, <u32>load<i64>(record));
      continue;
    }
    if (load<u32>(record, 28)) {
      store<u32>(flow.touched + ((<usize>flow.touchedCount) << 2), kept);
      flow.touchedCount++;
    }
    if (kept != i) memory.copy(recordAt(flow, kept), record, flow.stride);
    flow.firstStart = min(flow.firstStart, start);
    kept++;
  }
  flow.count = kept;
  if (flow.textKeys) compactKeys(flow);
  shrink(flow);
}

/** Drops the text of keys without a group once they are the larger part. Keys get new ids, so the groups new hashes. */
function compactKeys(flow: Flow): void {
  const dictionary = flow.dictionary;
  if (unusedEntries(dictionary) << 1 <= dictionary.count) return;
  const renamed = scratch((<usize>dictionary.count) << 2);
  flow.dictionary = compactDictionary(dictionary, renamed);
  for (let i: u32 = 0; i < flow.count; i++) {
    const record = recordAt(flow, i);
    const key: i64 = load<u32>(renamed + ((<usize>load<i64>(record)) << 2));
    store<i64>(record, key);
  }
  hashAll(flow);
}

/** Tables less than an eighth full are made to fit. */
function shrink(flow: Flow): void {
  let capacity = flow.capacity;
  while (capacity > FIRST_GROUPS && flow.count << 3 < capacity) capacity >>= 1;
  if (capacity != flow.capacity) resize(flow, capacity);
  else reindex(flow);
}
