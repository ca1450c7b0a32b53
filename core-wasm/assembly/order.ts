/** Puts what is packed into its canonical order: numbers by radix sort, texts by merge sort. */
import { Dictionary, compareEntries, textAt, textLength } from "./dictionary";
import { scratch } from "./memory";

/** A thing to be sorted: value u64 | index u32 | 4 unused. */
export const ITEM: usize = 16;
const DIGITS: usize = 8;

const counts = memory.data(8192); // 8 digits * 256 * u32

/** Turns an int64 into a u64 of the same order. */
export function orderOf(value: i64): u64 {
  return <u64>value ^ 0x8000000000000000;
}

function countDigits(items: usize, end: usize): void {
  memory.fill(counts, 0, 8192);
  for (let item = items; item < end; item += ITEM) {
    let value = load<u64>(item);
    for (let at = counts; at < counts + 8192; at += 1024) {
      const counter = at + ((<usize>value & 0xff) << 2);
      store<u32>(counter, load<u32>(counter) + 1);
      value >>= 8;
    }
  }
}

/** Whether all items have the same digit. */
function oneBucket(items: usize, digit: usize, count: u32): bool {
  const byte = <usize>load<u8>(items + digit);
  return load<u32>(counts + (digit << 10) + (byte << 2)) == count;
}

function scatter(from: usize, end: usize, digit: usize, to: usize): void {
  const heads = counts + (digit << 10);
  let sum: u32 = 0;
  for (let at = heads; at < heads + 1024; at += 4) {
    const here = load<u32>(at);
    store<u32>(at, sum);
    sum += here;
  }
  for (let item = from; item < end; item += ITEM) {
    const head = heads + ((<usize>load<u8>(item + digit)) << 2);
    const place = load<u32>(head);
    store<u32>(head, place + 1);
    v128.store(to + <usize>place * ITEM, v128.load(item));
  }
}

/** Sorts `count` items by value, stably, least significant byte first; bytes that are the same in all cost nothing. Returns where the sorted items are: `items` or `spare`. */
export function sortByValue(items: usize, spare: usize, count: u32): usize {
  if (count < 2) return items;
  const bytes = <usize>count * ITEM;
  countDigits(items, items + bytes);
  for (let digit: usize = 0; digit < DIGITS; digit++) {
    if (oneBucket(items, digit, count)) continue;
    scatter(items, items + bytes, digit, spare);
    const sorted = spare;
    spare = items;
    items = sorted;
  }
  return items;
}

/** The first eight bytes of a text as a number of the same order; shorter texts are filled with zeros. */
function prefixOf(d: Dictionary, id: u32): u64 {
  const length = textLength(d, id);
  const word = bswap<u64>(load<u64>(textAt(d, id)));
  if (length >= 8) return word;
  return length == 0 ? 0 : word & (~(<u64>0) << (64 - ((<u64>length) << 3)));
}

function above(d: Dictionary, a: usize, b: usize): bool {
  const x = load<u64>(a);
  const y = load<u64>(b);
  return x != y ? x > y : compareEntries(d, load<u32>(a, 8), load<u32>(b, 8)) > 0;
}

function merge(d: Dictionary, from: usize, middle: usize, end: usize, to: usize): void {
  let a = from;
  let b = middle;
  while (a < middle && b < end) {
    if (above(d, a, b)) {
      v128.store(to, v128.load(b));
      b += ITEM;
    } else {
      v128.store(to, v128.load(a));
      a += ITEM;
    }
    to += ITEM;
  }
  memory.copy(to, a, middle - a);
  memory.copy(to + (middle - a), b, end - b);
}

/** Sorts `count` distinct ids (u32 each at `ids`) by the bytes of their texts; returns items whose index is the id. */
export function sortTexts(d: Dictionary, ids: usize, count: u32): usize {
  const bytes = <usize>count * ITEM;
  let items = scratch(bytes);
  let spare = scratch(bytes);
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + ((<usize>i) << 2));
    store<u64>(items + <usize>i * ITEM, prefixOf(d, id));
    store<u32>(items + <usize>i * ITEM, id, 8);
  }
  for (let run = ITEM; run < bytes; run <<= 1) {
    for (let from: usize = 0; from < bytes; from += run << 1) {
      const middle = min(from + run, bytes);
      merge(d, items + from, items + middle, items + min(from + (run << 1), bytes), spare + from);
    }
    const sorted = spare;
    spare = items;
    items = sorted;
  }
  return items;
}
