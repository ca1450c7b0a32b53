/** Packed tables in Wasm: one string in, one string out, whatever the number of fields. */
import { CorruptError } from "../types.ts";
import type { CorruptReason, Table, TableInput, TableSpec } from "../types.ts";
import { MAX_TABLE_BYTES, MAX_TABLE_TAIL_INSIDE, SLACK_BYTES } from "../limits.ts";
import { checkTableInput, tableTooLarge } from "../table-input.ts";
import { checksumOf, seal } from "./digest.ts";
import type { CoreInstance } from "./instance.ts";

interface TableFunctions {
  unitsToBytes(lengths: number, count: number, heap: number, heapBytes: number): number;
  sealTable(
    table: number,
    length: number,
    label: number,
    shape: number,
    rows: number,
    heapBytes: number,
    tailBytes: number,
  ): void;
  verifyTable(table: number, length: number, label: number, shape: number): number;
  verifyHead(table: number, length: number, label: number, shape: number, low: number, high: number): number;
}

export const TABLE_HEADER_BYTES = 32;
/** "TGT1" */
const MAGIC = 0x31544754;
const MAX_UTF8_PER_UNIT = 3;
const REASONS: readonly CorruptReason[] = ["magic", "kind", "version", "length", "checksum"];
const DETAILS: Readonly<Record<CorruptReason, string>> = {
  magic: "not a packed table",
  kind: "a table of another kind",
  version: "a version of this kind that is not known here",
  length: "lengths and shape do not add up",
  checksum: "the checksum does not match",
};

const NO_TAIL = new Uint8Array(0);
const encoder = new TextEncoder();
// A byte order mark is text like any other here.
const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** Packs and unpacks tables in one instance. */
export class TableKernels {
  readonly #core: CoreInstance;
  readonly #kernels: TableFunctions;

  constructor(core: CoreInstance) {
    this.#core = core;
    this.#kernels = core.functions<TableFunctions>();
  }

  /** See {@link Kernels.pack}. The UTF-8 is written straight to its place in the table, by one `encodeInto`. */
  pack(spec: TableSpec, input: TableInput): Uint8Array {
    checkTableInput(spec, input);
    const { rows, fields } = input;
    const text = concatenate(fields);
    const tailBytes = input.tail?.length ?? 0;
    const fixed = TABLE_HEADER_BYTES + 4 * (input.columns.length + fields.length);
    // UTF-8 has at least a byte per unit, so this refuses early, before memory is taken.
    if (fixed + text.length + tailBytes > MAX_TABLE_BYTES) throw tableTooLarge(fixed + text.length + tailBytes);
    this.#core.resetScratch();
    const apart = tailBytes > MAX_TABLE_TAIL_INSIDE;
    const { table, heapBytes } = this.#placeHeap(text, fixed, apart ? 0 : tailBytes);
    const length = fixed + heapBytes + tailBytes;
    if (length > MAX_TABLE_BYTES) throw tableTooLarge(length);
    const words = this.#core.u32;
    let word = (table + TABLE_HEADER_BYTES) >>> 2;
    words.set(input.columns, word);
    word += input.columns.length;
    for (let i = 0; i < fields.length; i++) words[word + i] = (fields[i] as string).length;
    const heap = table + fixed;
    if (heapBytes !== text.length && this.#kernels.unitsToBytes(word << 2, fields.length, heap, heapBytes) === 0) {
      // Two lone halves met at a boundary and became one character: give each its U+FFFD first.
      return this.pack(spec, { ...input, fields: fields.map((field) => field.toWellFormed()) });
    }
    const label = spec.kind | (spec.version << 16);
    const shape = spec.columns | (spec.fields << 16);
    if (apart) return this.#joinTail(table, [MAGIC, label, rows, shape, heapBytes, tailBytes], input);
    if (input.tail) this.#core.u8.set(input.tail, heap + heapBytes);
    this.#kernels.sealTable(table, length, label, shape, rows, heapBytes, tailBytes);
    return this.#core.copy(table, length);
  }

  /** A table whose tail does not go through Wasm memory as a whole; all before it is at `table`. */
  #joinTail(table: number, head: readonly number[], { tail, room = 0 }: TableInput): Uint8Array {
    const [, , rows, shape, heapBytes] = head as [number, number, number, number, number];
    const before = TABLE_HEADER_BYTES + 4 * rows * ((shape & 0xffff) + (shape >>> 16)) + heapBytes;
    const bytes = withTail(tail as Uint8Array, before, room);
    bytes.set(this.#core.u8.subarray(table, table + before));
    const words = new DataView(bytes.buffer, bytes.byteOffset);
    for (const [at, word] of head.entries()) words.setUint32(4 * at, word, true);
    seal(this.#core, bytes);
    return bytes;
  }

  /** Verifies a table; returns its address and what is wrong. A long tail stays outside, where it is verified all the same. */
  #place(bytes: Uint8Array, label: number, shape: number): { at: number; wrong: number } {
    const tailBytes = bytes.length < TABLE_HEADER_BYTES ? 0 : tailOf(bytes);
    if (tailBytes <= MAX_TABLE_TAIL_INSIDE || tailBytes > bytes.length - TABLE_HEADER_BYTES) {
      const at = this.#core.scratch(bytes.length + SLACK_BYTES);
      this.#core.u8.set(bytes, at);
      return { at, wrong: this.#kernels.verifyTable(at, bytes.length, label, shape) };
    }
    const [low, high] = checksumOf(this.#core, bytes);
    const before = bytes.length - tailBytes;
    const at = this.#core.scratch(before + SLACK_BYTES);
    this.#core.u8.set(bytes.subarray(0, before), at);
    return { at, wrong: this.#kernels.verifyHead(at, bytes.length, label, shape, low, high) };
  }

  /** See {@link Kernels.unpack}. */
  unpack(spec: TableSpec, bytes: Uint8Array): Table {
    if (bytes.length > MAX_TABLE_BYTES) throw new CorruptError("length", `${bytes.length} bytes is beyond any table`);
    this.#core.resetScratch();
    const label = spec.kind | (spec.version << 16);
    const shape = spec.columns | (spec.fields << 16);
    const { at, wrong } = this.#place(bytes, label, shape);
    if (wrong !== 0) {
      const reason = REASONS[wrong - 1] ?? "length";
      throw new CorruptError(reason, DETAILS[reason]);
    }
    const words = this.#core.u32;
    const rows = words[(at >>> 2) + 2] as number;
    const heapBytes = words[(at >>> 2) + 4] as number;
    const first = (at + TABLE_HEADER_BYTES) >>> 2;
    const heap = at + TABLE_HEADER_BYTES + 4 * rows * (spec.columns + spec.fields);
    const numbers = this.#core.copyWords(first, heap >>> 2);
    const behind = heap - at + heapBytes;
    const inside = bytes.length - behind <= MAX_TABLE_TAIL_INSIDE;
    const tail = inside ? this.#tail(heap + heapBytes, bytes.length - behind) : bytes.subarray(behind);
    const text = decoder.decode(this.#core.u8.subarray(heap, heap + heapBytes));
    return new VerifiedTable(spec, rows, numbers, text, tail);
  }

  /** Most have none: that needs no memory of its own. */
  #tail(at: number, length: number): Uint8Array {
    return length === 0 ? NO_TAIL : this.#core.copy(at, length);
  }

  /** Encodes `text` behind `fixed` bytes of a fresh table; room for one byte per unit first, and for the worst case when that is not enough. */
  #placeHeap(text: string, fixed: number, tailBytes: number): { table: number; heapBytes: number } {
    let room = text.length;
    while (true) {
      const table = this.#core.scratch(fixed + room + tailBytes + SLACK_BYTES);
      const target = this.#core.u8.subarray(table + fixed, table + fixed + room);
      const { read, written } = encoder.encodeInto(text, target);
      if (read === text.length) return { table, heapBytes: written };
      room = text.length * MAX_UTF8_PER_UNIT;
    }
  }
}

/** Length of the tail, as the header says. */
function tailOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(20, true);
}

/** One text of all fields. V8 builds a rope and writes it straight to its target, which beats `join`'s flat copy. */
function concatenate(fields: readonly string[]): string {
  let text = "";
  for (const field of fields) text += field;
  return text;
}

/** A verified table: columns row-major, then the offset at which each field ends in the text. */
class VerifiedTable implements Table {
  readonly rows: number;
  readonly tail: Uint8Array;
  readonly #columns: number;
  readonly #fields: number;
  readonly #numbers: Uint32Array;
  readonly #text: string;

  constructor(spec: TableSpec, rows: number, numbers: Uint32Array, text: string, tail: Uint8Array) {
    this.rows = rows;
    this.tail = tail;
    this.#columns = spec.columns;
    this.#fields = spec.fields;
    this.#numbers = numbers;
    this.#text = text;
  }

  column(row: number, column: number): number {
    if (!(row >= 0 && row < this.rows && column >= 0 && column < this.#columns)) throw outside("column", row, column);
    return this.#numbers[row * this.#columns + column] as number;
  }

  /** A slice of the table's one text: while a long slice is kept, V8 keeps the whole text. */
  field(row: number, field: number): string {
    if (!(row >= 0 && row < this.rows && field >= 0 && field < this.#fields)) throw outside("field", row, field);
    const end = this.rows * this.#columns + row * this.#fields + field;
    const start = row === 0 && field === 0 ? 0 : (this.#numbers[end - 1] as number);
    return this.#text.slice(start, this.#numbers[end] as number);
  }
}

function outside(what: string, row: number, index: number): RangeError {
  return new RangeError(`no ${what} ${index} in row ${row}`);
}

/** The tail with so many bytes before it: in its own memory, where there is room for them. */
function withTail(tail: Uint8Array, before: number, room: number): Uint8Array {
  if (before <= Math.min(room, tail.byteOffset))
    return new Uint8Array(tail.buffer, tail.byteOffset - before, before + tail.length);
  const bytes = new Uint8Array(before + tail.length);
  bytes.set(tail, before);
  return bytes;
}
