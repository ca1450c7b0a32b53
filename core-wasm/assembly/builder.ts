/** Builds a columns frame row by row: one block that holds header and columns at some capacity of rows, packed tight when all rows are in. */
import {
  DESCRIPTOR,
  OPTIONAL,
  TEXT,
  dictionarySection,
  labelColumns,
  padded,
  putDictionary,
  putEnds,
  sealColumns,
  validBytes,
  widthOf,
} from "./columns";
import { Dictionary, closeDictionary, forgetSlots, openDictionary, openLooseDictionary } from "./dictionary";
import { FRAME_HEADER } from "./frame";
import { alloc, blockBytes, free, scratch } from "./memory";
import { MAX_CELL_BYTES, MAX_TABLE_BYTES } from "../limits";

const FIRST_ROWS: usize = 16;

@unmanaged
class Slot {
  type: u32;
  name: u32;
  data: usize;
  dictionary: Dictionary;
  optional: u32;
  /** Not kept: it has room for its values like any other, unless they are texts, and no place in the frame. */
  dropped: u32;
  unused1: u32;
  unused2: u32;
}

const slots = memory.data(1024); // MAX_COLUMNS * offsetof<Slot>()
let columns: u32 = 0;
/** Columns that the frame has. */
let framed: u32 = 0;
/** Whether any of these is optional, and then for each row the bits of the columns that have a value in it. */
let optionals: bool = false;
let masks: usize = 0;
let block: usize = 0;
/** The last frame, kept after its builder was closed; 0 for none. */
let kept: usize = 0;
let capacity: usize = 0;

function slotAt(index: u32): Slot {
  return changetype<Slot>(slots + ((<usize>index) << 5));
}

/** Strings may be several times in a dictionary. */
let loose: bool = false;

/** Starts a frame without columns. `mayRepeat` allows a dictionary to have a string several times. */
export function openBuilder(mayRepeat: bool): void {
  assert(block == 0);
  if (kept != 0) free(kept);
  kept = 0;
  columns = 0;
  framed = 0;
  capacity = 0;
  optionals = false;
  inPieces = false;
  loose = mayRepeat;
}

/** Adds a column, which the frame has if it is kept; all are added before the first row. */
export function addColumn(type: u32, optional: bool, isKept: bool, nameHash: u32): void {
  const slot = slotAt(columns++);
  slot.type = type;
  slot.optional = optional ? OPTIONAL : 0;
  slot.dropped = isKept ? 0 : 1;
  slot.name = nameHash;
  slot.data = 0;
  if (!isKept) return;
  framed++;
  if (optional) optionals = true;
  if (type == TEXT) slot.dictionary = loose ? openLooseDictionary() : openDictionary();
}

function hasDictionary(slot: Slot): bool {
  return slot.type == TEXT && slot.dropped == 0;
}

/** Bytes of a cell while rows come in. */
function roomOf(slot: Slot): usize {
  return slot.type == TEXT && slot.dropped != 0 ? 0 : widthOf(slot.type);
}

export function columnData(index: u32): usize {
  return slotAt(index).data;
}

export function columnDictionary(index: u32): Dictionary {
  return slotAt(index).dictionary;
}

/** Where the bits of the columns with a value go, u32 a row; 0 when no column is optional. */
export function rowMasks(): usize {
  return masks;
}

/** Rows that fit before `makeRoom` must be called. */
export function roomForRows(): usize {
  return capacity;
}

function fixedBytes(rows: usize): usize {
  let bytes = FRAME_HEADER + <usize>columns * DESCRIPTOR;
  for (let i: u32 = 0; i < columns; i++) {
    const slot = slotAt(i);
    bytes += <usize>padded(<u64>rows * roomOf(slot));
    if (slot.optional) bytes += <usize>validBytes(rows);
  }
  return bytes;
}

/** Rows of which the frame's cells alone are no longer than a message may be, and all cells no longer than there is memory for. */
export function mostRows(): usize {
  let inFrame: u64 = 0;
  let inMemory: u64 = 0;
  for (let i: u32 = 0; i < columns; i++) {
    const slot = slotAt(i);
    const bits = ((<u64>roomOf(slot)) << 3) + (slot.optional ? 1 : 0);
    inMemory += bits;
    if (!slot.dropped) inFrame += bits;
  }
  return <usize>min(((<u64>MAX_TABLE_BYTES) << 3) / max(inFrame, 1), ((<u64>MAX_CELL_BYTES) << 3) / max(inMemory, 1));
}

/**
 * Moves the columns, `rows` rows of each, into a larger block; every column's data is elsewhere afterwards. `expected` is a guess at all rows to come, of
 * which there are at most `most`. Only where it is too low is there room beyond it: a block that is too large is not kept for what reads the frame next.
 */
export function makeRoom(rows: usize, expected: usize, most: usize): void {
  capacity = min(max(max(FIRST_ROWS, expected), rows + (rows >> 3)), most);
  const larger = alloc(fixedBytes(capacity));
  let at = larger + FRAME_HEADER + <usize>columns * DESCRIPTOR;
  for (let i: u32 = 0; i < columns; i++) {
    const slot = slotAt(i);
    const width = roomOf(slot);
    if (rows != 0) memory.copy(at, slot.data, rows * width);
    slot.data = at;
    at += <usize>padded(<u64>capacity * width);
    // The bits are made when all rows are in; their room moves the columns behind them.
    if (slot.optional) at += <usize>validBytes(capacity);
  }
  if (block != 0) free(block);
  block = larger;
  if (!optionals) return;
  const moved = alloc(capacity << 2);
  if (masks != 0) {
    memory.copy(moved, masks, rows << 2);
    free(masks);
  }
  masks = moved;
}

/** Writes the bits of an optional column, four rows at a time; returns the address behind them. */
function putValid(column: u32, rows: usize, at: usize): usize {
  const behind = at + <usize>validBytes(rows);
  memory.fill(at, 0, behind - at);
  const shift = <i32>(31 - column);
  let row: usize = 0;
  for (; row + 4 <= rows; row += 4) {
    const four = i32x4.bitmask(i32x4.shl(v128.load(masks + (row << 2)), shift));
    const byte = at + (row >> 3);
    store<u8>(byte, load<u8>(byte) | <u8>(four << (<i32>(row & 4))));
  }
  for (; row < rows; row++) {
    const bit = (load<u32>(masks + (row << 2)) >>> column) & 1;
    const byte = at + (row >> 3);
    store<u8>(byte, load<u8>(byte) | <u8>(bit << (<u32>(row & 7))));
  }
  return behind;
}

/** Moves the rows of every column that is kept to their place in the frame, from the first on, and clears the padding. */
function packColumns(rows: usize): usize {
  let at = block + FRAME_HEADER + <usize>framed * DESCRIPTOR;
  for (let i: u32 = 0; i < columns; i++) {
    const slot = slotAt(i);
    if (slot.dropped) continue;
    const bytes = rows * widthOf(slot.type);
    memory.copy(at, slot.data, bytes);
    const behind = at + <usize>padded(bytes);
    memory.fill(at + bytes, 0, behind - at - bytes);
    at = slot.optional ? putValid(i, rows, behind) : behind;
  }
  return at;
}

function putDescriptors(): void {
  let at = block + FRAME_HEADER;
  for (let i: u32 = 0; i < columns; i++) {
    const slot = slotAt(i);
    if (slot.dropped) continue;
    const text = slot.type == TEXT;
    store<u32>(at, slot.type | slot.optional);
    store<u32>(at, slot.name, 4);
    store<u32>(at, text ? slot.dictionary.count : 0, 8);
    store<u32>(at, text ? <u32>slot.dictionary.heapUsed : 0, 12);
    at += DESCRIPTOR;
  }
}

function ensure(bytes: usize, used: usize): void {
  if (bytes <= blockBytes(block)) return;
  const larger = alloc(bytes);
  memory.copy(larger, block, used);
  free(block);
  block = larger;
}

/** Bytes of the frame's columns; 0 until its rows are packed. */
let fixed: usize = 0;
let inPieces: bool = false;

/**
 * Packs the frame of `rows` rows; returns its length. Of at most `whole` bytes it is sealed and at `builtFrame` until `closeBuilder`. A
 * longer one is not put together here, where it would be in memory twice: its header and columns are at `builtFrame`, its dictionaries where
 * `pieceEnds` and `pieceHeap` say, and whoever puts them together writes the checksum.
 */
export function finishFrame(rows: usize, whole: usize): usize {
  if (block == 0) makeRoom(0, 0, FIRST_ROWS);
  fixed = packColumns(rows) - block;
  let length: u64 = fixed;
  let repeated = false;
  for (let i: u32 = 0; i < columns; i++) {
    if (!hasDictionary(slotAt(i))) continue;
    if (slotAt(i).dictionary.repeats != 0) repeated = true;
    forgetSlots(slotAt(i).dictionary);
    length += dictionarySection(slotAt(i).dictionary);
  }
  // A frame is shorter than a few times its body, which is at most 32 MiB.
  assert(length < 0x40000000);
  putDescriptors();
  inPieces = length > <u64>whole;
  if (inPieces) {
    labelColumns(block, <usize>length, <u32>rows, framed, repeated);
    return <usize>length;
  }
  ensure(<usize>length, fixed);
  let at = block + fixed;
  for (let i: u32 = 0; i < columns; i++) {
    if (hasDictionary(slotAt(i))) at = putDictionary(slotAt(i).dictionary, at);
  }
  sealColumns(block, <usize>length, <u32>rows, framed, repeated);
  return <usize>length;
}

/** Whether `finishFrame` has left the frame in pieces; then the bytes of the first, otherwise 0. */
export function firstPiece(): usize {
  return inPieces ? fixed : 0;
}

/** Whether a column has a dictionary, and so two pieces. */
export function hasPieces(column: u32): bool {
  return hasDictionary(slotAt(column));
}

/** Writes the ends of a column's strings to scratch; returns their address. */
export function pieceEnds(column: u32): usize {
  const dictionary = slotAt(column).dictionary;
  const at = scratch((<usize>dictionary.count) << 2);
  putEnds(dictionary, at);
  return at;
}

export function pieceStrings(column: u32): u32 {
  return slotAt(column).dictionary.count;
}

/** Address of a column's strings. */
export function pieceHeap(column: u32): usize {
  return slotAt(column).dictionary.heap;
}

export function pieceHeapBytes(column: u32): usize {
  return slotAt(column).dictionary.heapUsed;
}

export function builtFrame(): usize {
  return block;
}

/** Gives everything back, except that a block of at most `keep` bytes that holds a finished frame stays at `keptFrame` until the next builder opens. Safe to call twice. */
export function closeBuilder(keep: usize): void {
  for (let i: u32 = 0; i < columns; i++) {
    if (hasDictionary(slotAt(i))) closeDictionary(slotAt(i).dictionary);
  }
  if (block != 0) {
    if (!inPieces && blockBytes(block) <= keep) kept = block;
    else free(block);
  }
  if (masks != 0) free(masks);
  masks = 0;
  columns = 0;
  block = 0;
}

/** Address of the kept frame; 0 for none. */
export function keptFrame(): usize {
  return kept;
}
