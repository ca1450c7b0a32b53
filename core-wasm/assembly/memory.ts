/**
 * Memory of the core: long-lived blocks, and a scratch arena that lasts for one call.
 *
 * ```
 * 0        __heap_base                                top
 * | static | blocks: small (slabs), large, scratch     | not yet used ...
 *
 * block    | size u32 | mark u32 | 8 unused | payload, 16-byte aligned ...
 * ```
 * Small blocks (up to 32 KiB) come in size classes, four to a doubling, each with its free list; their slabs are never
 * given back, so they are bounded by the peak. Large blocks lie on one address-ordered free list that merges
 * neighbours. Every allocation may grow the memory: JavaScript's views must be re-derived after it.
 */
import { MAX_KEPT_SCRATCH_BYTES, SLACK_BYTES } from "../limits";

const HEADER: usize = 16;
const LIVE: u32 = 0x4556494c;
const FREE: u32 = 0x45455246;
const SMALL_MAX: usize = 32 * 1024;
const SLAB: usize = 64 * 1024;
const LARGE_STEP: usize = 4096;
const SCRATCH_MIN: usize = 256 * 1024;
/** Memory grows by at least this many 64 KiB pages, so that views are re-derived seldom. */
const GROW_PAGES: i32 = 16;

const smallLists = memory.data(192); // 48 heads, the last class being SMALL_MAX
let largeList: usize = 0;
let top: usize = (__heap_base + 15) & ~15;
let liveBytes: usize = 0;

/** Bytes in live blocks, headers and rounding included. */
export function heapBytes(): usize {
  return liveBytes;
}

function raise(size: usize): usize {
  const at = top;
  const end = at + size;
  const missing = <i32>((end + SLACK_BYTES + 65535) >>> 16) - memory.size();
  if (missing > 0) {
    if (memory.grow(max(missing, GROW_PAGES)) < 0 && memory.grow(missing) < 0) unreachable();
  }
  top = end;
  return at;
}

/** Class of a block of `size` bytes, header included, a multiple of 16: steps of 16 up to 128, of 32 up to 256, and so on. */
function classOf(size: usize): usize {
  const bits: usize = 31 - <usize>clz<u32>(<u32>(size - 1));
  const step = bits - 2;
  return ((bits - 4) << 2) + (((size - 1) >>> step) & 3);
}

function classBytes(index: usize): usize {
  const bits = (index >>> 2) + 4;
  return ((index & 3) + 5) << (bits - 2);
}

function takeSmall(index: usize): usize {
  const list = smallLists + (index << 2);
  const head = load<u32>(list);
  if (head) {
    store<u32>(list, load<u32>(head, 8));
    return head;
  }
  const size = classBytes(index);
  const slab = takeLarge(SLAB);
  const end = slab + SLAB - size;
  for (let at = slab + size; at <= end; at += size) {
    store<u32>(at, FREE, 4);
    store<u32>(at, load<u32>(list), 8);
    store<u32>(list, <u32>at);
  }
  return slab;
}

/** First fit; what is left over stays on the list. List nodes: size at 0, next at 8. */
function takeLarge(size: usize): usize {
  let before: usize = 0;
  for (let at = largeList; at; at = load<u32>(at, 8)) {
    const have: usize = load<u32>(at);
    if (have >= size) {
      let next: usize = load<u32>(at, 8);
      if (have > size) {
        const rest = at + size;
        store<u32>(rest, <u32>(have - size));
        store<u32>(rest, FREE, 4);
        store<u32>(rest, <u32>next, 8);
        next = rest;
      }
      if (before) store<u32>(before, <u32>next, 8);
      else largeList = next;
      return at;
    }
    before = at;
  }
  return raise(size);
}

function giveLarge(at: usize, size: usize): void {
  let before: usize = 0;
  let next = largeList;
  while (next && next < at) {
    before = next;
    next = load<u32>(next, 8);
  }
  store<u32>(at, FREE, 4);
  if (next && at + size == next) {
    size += load<u32>(next);
    next = load<u32>(next, 8);
  }
  if (before && before + load<u32>(before) == at) {
    size += load<u32>(before);
    at = before;
  } else if (before) {
    store<u32>(before, <u32>at, 8);
  } else {
    largeList = at;
  }
  store<u32>(at, <u32>size);
  store<u32>(at, <u32>next, 8);
  if (at + size == top) lowerTop(at);
}

/** The last free block touches the unused end: give it back to the bump pointer. */
function lowerTop(last: usize): void {
  top = last;
  if (largeList == last) {
    largeList = 0;
    return;
  }
  let at = largeList;
  while (load<u32>(at, 8) != <u32>last) at = load<u32>(at, 8);
  store<u32>(at, 0, 8);
}

/** A block of at least `bytes` bytes, 16-byte aligned, not cleared. Traps when memory is exhausted. The caller owns it until `free`. */
export function alloc(bytes: usize): usize {
  if (bytes > 0x40000000) unreachable();
  let size = max<usize>((bytes + HEADER + 15) & ~15, 32);
  let at: usize;
  if (size <= SMALL_MAX) {
    const index = classOf(size);
    size = classBytes(index);
    at = takeSmall(index);
  } else {
    size = (size + LARGE_STEP - 1) & ~(LARGE_STEP - 1);
    at = takeLarge(size);
  }
  store<u32>(at, <u32>size);
  store<u32>(at, LIVE, 4);
  liveBytes += size;
  return at + HEADER;
}

/** Gives back what `alloc` returned. Traps for anything else, a second `free` included. */
export function free(block: usize): void {
  const at = block - HEADER;
  if (load<u32>(at, 4) != LIVE) unreachable();
  const size: usize = load<u32>(at);
  liveBytes -= size;
  if (size > SMALL_MAX) {
    giveLarge(at, size);
    return;
  }
  const list = smallLists + (classOf(size) << 2);
  store<u32>(at, FREE, 4);
  store<u32>(at, load<u32>(list), 8);
  store<u32>(list, <u32>at);
}

/** Usable bytes of a live block. */
export function blockBytes(block: usize): usize {
  return <usize>load<u32>(block - HEADER) - HEADER;
}

// The scratch arena: a chain of blocks, the newest first; each begins with the address of the one before.
let chunk: usize = 0;
let chunkAt: usize = 0;
let chunkEnd: usize = 0;
let scratchTotal: usize = 0;

function addChunk(bytes: usize): void {
  const block = alloc(max(bytes + SLACK_BYTES + 16, SCRATCH_MIN));
  store<u32>(block, <u32>chunk);
  chunk = block;
  chunkAt = block + 16;
  chunkEnd = block + blockBytes(block) - SLACK_BYTES;
  scratchTotal += blockBytes(block);
}

/** `bytes` bytes that last until the next `scratchReset`, 16-byte aligned, not cleared, with SLACK_BYTES behind them that may be overwritten at any time. */
export function scratch(bytes: usize): usize {
  if (bytes > 0x40000000) unreachable();
  if (chunk == 0 || bytes > chunkEnd - chunkAt) addChunk(bytes);
  const at = chunkAt;
  chunkAt = min(chunkEnd, (at + bytes + 15) & ~15);
  return at;
}

/** Starts a call: all scratch of earlier calls is gone. A fragmented arena becomes one block; more than the kept amount is given back. */
export function scratchReset(): void {
  const total = scratchTotal;
  if (chunk && load<u32>(chunk) == 0 && total <= <usize>MAX_KEPT_SCRATCH_BYTES) {
    chunkAt = chunk + 16;
    return;
  }
  while (chunk) {
    const before: usize = load<u32>(chunk);
    free(chunk);
    chunk = before;
  }
  scratchTotal = 0;
  if (total) addChunk(min<usize>(total, MAX_KEPT_SCRATCH_BYTES) - SLACK_BYTES - 4096);
}
