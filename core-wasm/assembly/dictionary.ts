/**
 * Distinct byte strings with dense ids: the text columns of a batch, and the text keys of a windowed flow.
 *
 * ```
 * slots    | id + 1 u32 (0: empty) | hash u32 | offset u32 | length u32 | ...      open addressing, linear probing, at most half full
 * entries  | offset u32 | length u32 | hash u32 | uses u32 | ...      by id
 * heap     | bytes of string 0 | bytes of string 1 | ...      no gaps
 * ```
 */
import { SLACK_BYTES } from "../limits";
import { compareBytes, copyBytes, hashBytes, sameBytes } from "./bytes";
import { alloc, blockBytes, free } from "./memory";

export const NO_ENTRY: u32 = 0xffffffff;
const ENTRY_SHIFT: usize = 4;
const SLOT_SHIFT: usize = 4;
const FIRST_SLOTS: u32 = 64;
const FIRST_HEAP: usize = 512;
const LARGE_HEAP: usize = 4 * 1024 * 1024;
/** Strings that are looked up before it is decided whether to go on with that, and how many of them must differ for not to. */
const SAMPLED: u32 = 1024;
const SAMPLED_DISTINCT: u32 = 1008;
/** Smaller tables grow fourfold. */
const FEW_SLOTS: u32 = 16384;

@unmanaged
export class Dictionary {
  count: u32;
  mask: u32;
  slots: usize;
  entries: usize;
  heap: usize;
  heapUsed: usize;
  /** Strings that are still to be looked up before it is decided; 0 where that is over, or never comes. */
  sampling: u32;
  /** The same string may be there several times: it is not looked up any more. */
  repeats: u32;
}

export function openDictionary(): Dictionary {
  const d = changetype<Dictionary>(alloc(offsetof<Dictionary>()));
  d.count = 0;
  d.mask = FIRST_SLOTS - 1;
  d.slots = alloc((<usize>FIRST_SLOTS) << SLOT_SHIFT);
  memory.fill(d.slots, 0, (<usize>FIRST_SLOTS) << SLOT_SHIFT);
  d.entries = alloc((<usize>FIRST_SLOTS >> 1) << ENTRY_SHIFT);
  d.heap = alloc(FIRST_HEAP);
  d.heapUsed = 0;
  d.sampling = 0;
  d.repeats = 0;
  return d;
}

/** A dictionary for `internOrAdd`. */
export function openLooseDictionary(): Dictionary {
  const d = openDictionary();
  d.sampling = SAMPLED;
  return d;
}

/** Gives the search table back: nothing is looked up any more, and entries and strings stay. */
export function forgetSlots(d: Dictionary): void {
  if (d.slots != 0) free(d.slots);
  d.slots = 0;
}

export function closeDictionary(d: Dictionary): void {
  forgetSlots(d);
  free(d.entries);
  free(d.heap);
  free(changetype<usize>(d));
}

/** Bytes of memory that it holds. */
export function dictionaryBytes(d: Dictionary): usize {
  return blockBytes(changetype<usize>(d)) + blockBytes(d.slots) + blockBytes(d.entries) + blockBytes(d.heap);
}

function entryOf(d: Dictionary, id: u32): usize {
  return d.entries + ((<usize>id) << ENTRY_SHIFT);
}

/** Address of a string; valid until the next one is added. */
export function textAt(d: Dictionary, id: u32): usize {
  return d.heap + load<u32>(entryOf(d, id));
}

export function textLength(d: Dictionary, id: u32): usize {
  return load<u32>(entryOf(d, id), 4);
}

/** How often the owner refers to the entry; the owner counts. */
export function uses(d: Dictionary, id: u32): u32 {
  return load<u32>(entryOf(d, id), 12);
}

export function addUse(d: Dictionary, id: u32): void {
  const entry = entryOf(d, id);
  store<u32>(entry, load<u32>(entry, 12) + 1, 12);
}

export function dropUse(d: Dictionary, id: u32): void {
  const entry = entryOf(d, id);
  const now = load<u32>(entry, 12);
  assert(now > 0);
  store<u32>(entry, now - 1, 12);
}

function slotOf(d: Dictionary, index: u32): usize {
  return d.slots + ((<usize>index) << SLOT_SHIFT);
}

/** Puts an entry into the first empty slot of its probe sequence, with a copy of what a search compares: one look at memory less. */
function putSlot(d: Dictionary, id: u32): void {
  const entry = entryOf(d, id);
  const hash = load<u32>(entry, 8);
  let index = hash & d.mask;
  while (load<u32>(slotOf(d, index)) != 0) index = (index + 1) & d.mask;
  const slot = slotOf(d, index);
  store<u32>(slot, id + 1);
  store<u32>(slot, hash, 4);
  store<u64>(slot, load<u64>(entry), 8);
}

/** Makes room for `bytes` of text, and for the bytes that copying by blocks writes behind it. */
function reserveHeap(d: Dictionary, bytes: usize): void {
  const need = d.heapUsed + bytes + SLACK_BYTES;
  if (need > blockBytes(d.heap)) {
    // A large one grows by half: while it is copied, both are in memory.
    const heap = alloc(max(need, d.heapUsed + (d.heapUsed >> (d.heapUsed < LARGE_HEAP ? 0 : 1))));
    memory.copy(heap, d.heap, d.heapUsed);
    free(d.heap);
    d.heap = heap;
  }
}

/** The same, and room for one more entry. */
function reserve(d: Dictionary, bytes: usize): void {
  reserveHeap(d, bytes);
  if (d.count << 1 < d.mask + 1) return;
  const slots = (d.mask + 1) << (d.mask < FEW_SLOTS ? 2 : 1);
  const entries = alloc((<usize>(slots >> 1)) << ENTRY_SHIFT);
  memory.copy(entries, d.entries, (<usize>d.count) << ENTRY_SHIFT);
  free(d.entries);
  d.entries = entries;
  free(d.slots);
  d.slots = alloc((<usize>slots) << SLOT_SHIFT);
  memory.fill(d.slots, 0, (<usize>slots) << SLOT_SHIFT);
  d.mask = slots - 1;
  for (let id: u32 = 0; id < d.count; id++) putSlot(d, id);
}

function add(d: Dictionary, at: usize, length: usize, hash: u32): u32 {
  reserve(d, length);
  const id = d.count++;
  const entry = entryOf(d, id);
  store<u32>(entry, <u32>d.heapUsed);
  store<u32>(entry, <u32>length, 4);
  store<u32>(entry, hash, 8);
  store<u32>(entry, 0, 12);
  putSlot(d, id);
  copyBytes(d.heap + d.heapUsed, at, length);
  d.heapUsed += length;
  return id;
}

/** Id of the string, which is added when it is new. */
export function intern(d: Dictionary, at: usize, length: usize): u32 {
  const hash = hashBytes(at, length);
  let index = hash & d.mask;
  while (true) {
    const slot = slotOf(d, index);
    const id = load<u32>(slot) - 1;
    if (id == NO_ENTRY) return add(d, at, length, hash);
    if (load<u32>(slot, 4) == hash && load<u32>(slot, 12) == <u32>length) {
      if (sameBytes(d.heap + load<u32>(slot, 8), at, length)) return id;
    }
    index = (index + 1) & d.mask;
  }
}

/** Id of the string; NO_ENTRY when it is not there. */
export function find(d: Dictionary, at: usize, length: usize): u32 {
  const hash = hashBytes(at, length);
  let index = hash & d.mask;
  while (true) {
    const slot = slotOf(d, index);
    const id = load<u32>(slot) - 1;
    if (id == NO_ENTRY) return NO_ENTRY;
    if (load<u32>(slot, 4) == hash && load<u32>(slot, 12) == <u32>length) {
      if (sameBytes(d.heap + load<u32>(slot, 8), at, length)) return id;
    }
    index = (index + 1) & d.mask;
  }
}

/** Adds a string without a look at the others. */
function append(d: Dictionary, at: usize, length: usize): u32 {
  reserveHeap(d, length);
  const used = (<usize>d.count) << ENTRY_SHIFT;
  if (used + ((<usize>1) << ENTRY_SHIFT) > blockBytes(d.entries)) {
    const entries = alloc(used << 1);
    memory.copy(entries, d.entries, used);
    free(d.entries);
    d.entries = entries;
  }
  const id = d.count++;
  store<u32>(entryOf(d, id), <u32>d.heapUsed);
  store<u32>(entryOf(d, id), <u32>length, 4);
  copyBytes(d.heap + d.heapUsed, at, length);
  d.heapUsed += length;
  return id;
}

/** Id of a string, which is added unless it is found. Where nearly all of the first ones differ, the others are not looked for: that costs more than a few strings that are there twice. */
export function internOrAdd(d: Dictionary, at: usize, length: usize): u32 {
  if (d.repeats != 0) return append(d, at, length);
  const id = intern(d, at, length);
  if (d.sampling != 0 && --d.sampling == 0 && d.count >= SAMPLED_DISTINCT) {
    d.repeats = 1;
    forgetSlots(d);
  }
  return id;
}

/** Takes back the newest entries until `count` are left, exactly as if they had never been added. */
export function shrinkTo(d: Dictionary, count: u32): void {
  while (d.count > count) {
    const id = --d.count;
    const entry = entryOf(d, id);
    let index = load<u32>(entry, 8) & d.mask;
    // Nothing was added after it, so no probe sequence leads through its slot.
    while (load<u32>(slotOf(d, index)) != id + 1) index = (index + 1) & d.mask;
    store<u32>(slotOf(d, index), 0);
    d.heapUsed = load<u32>(entry);
  }
}

/** Entries without a use. */
export function unusedEntries(d: Dictionary): u32 {
  let unused: u32 = 0;
  for (let id: u32 = 0; id < d.count; id++) unused += <u32>(uses(d, id) == 0);
  return unused;
}

/** A dictionary of the entries in use, in the same order; writes each old id's new one to `renamed` (u32 each). The old one is closed. */
export function compactDictionary(d: Dictionary, renamed: usize): Dictionary {
  const compact = openDictionary();
  for (let id: u32 = 0; id < d.count; id++) {
    if (uses(d, id) == 0) continue;
    const name = add(compact, textAt(d, id), textLength(d, id), load<u32>(entryOf(d, id), 8));
    store<u32>(entryOf(compact, name), uses(d, id), 12);
    store<u32>(renamed + ((<usize>id) << 2), name);
  }
  closeDictionary(d);
  return compact;
}

/** Order of two entries by their bytes. */
export function compareEntries(d: Dictionary, a: u32, b: u32): i32 {
  return compareBytes(textAt(d, a), textLength(d, a), textAt(d, b), textLength(d, b));
}
