/** Sorted blocks in Wasm: search within one, and the merge of several. */
import { addToFilter, filterBytes, filterMayHold } from "../block-filter.ts";
import { FILTER_CLEARED_SALT, MAX_TABLE_BYTES } from "../limits.ts";
import { BLOCK_FLAG, CorruptError } from "../types.ts";
import type { BlockInput, BlockRow, Merge, MergeInput, SealedBlock, TableSpec } from "../types.ts";
import { corrupt } from "./frames.ts";
import type { HashKernels } from "./hash.ts";
import type { CoreInstance } from "./instance.ts";
import { TABLE_HEADER_BYTES, type TableKernels } from "./table.ts";

interface BlockFunctions {
  blockOpen(block: number, length: number, label: number): number;
  blockSeek(block: number, key: number, keyLength: number): number;
  blockHas(block: number, row: number, key: number, keyLength: number): number;
  blocksMerge(
    upper: number,
    upperCount: number,
    lower: number,
    lowerCount: number,
    until: number,
    untilLength: number,
    hasUntil: number,
    bottom: number,
  ): void;
  blocksWrite(left: number, blockBytes: number, label: number, tail: number, tailBytes: number): number;
  blocksMade(): number;
}

const MAX_UTF8_PER_UNIT = 3;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** Blocks in one instance. */
export class BlockKernels {
  readonly #core: CoreInstance;
  readonly #kernels: BlockFunctions;
  readonly #tables: TableKernels;
  readonly #hashes: HashKernels;

  constructor(core: CoreInstance, tables: TableKernels, hashes: HashKernels) {
    this.#core = core;
    this.#kernels = core.functions<BlockFunctions>();
    this.#tables = tables;
    this.#hashes = hashes;
  }

  /** See {@link Kernels.sealBlock}. The texts are JavaScript's, so they are packed as those of any table. */
  seal(spec: TableSpec, { flags, keys, texts, tail }: BlockInput): SealedBlock {
    const fields: string[] = [];
    let cleared = 0;
    for (let row = 0; row < keys.length; row++) {
      fields.push(keys[row] as string, texts[row] as string);
      if (((flags[row] as number) & BLOCK_FLAG.cleared) !== 0) cleared += 1;
    }
    const bytes = this.#tables.pack(spec, { rows: keys.length, columns: flags, fields, tail });
    const filter = new Uint8Array(filterBytes(keys.length + cleared));
    for (let row = 0; row < keys.length; row++) {
      const hash = this.#hashes.hashKey(keys[row] as string);
      addToFilter(filter, hash);
      if (((flags[row] as number) & BLOCK_FLAG.cleared) !== 0) addToFilter(filter, (hash ^ FILTER_CLEARED_SALT) >>> 0);
    }
    return { bytes, rows: keys.length, first: keys[0] ?? "", last: keys.at(-1) ?? "", filter };
  }

  mayHold(filter: Uint8Array, key: string, cleared: boolean): boolean {
    return filterMayHold(filter, (this.#hashes.hashKey(key) ^ (cleared ? FILTER_CLEARED_SALT : 0)) >>> 0);
  }

  check(spec: TableSpec, bytes: Uint8Array): void {
    this.#core.resetScratch();
    this.#open(spec, bytes);
  }

  find(spec: TableSpec, bytes: Uint8Array, key: string): BlockRow | null {
    this.#core.resetScratch();
    const block = this.#open(spec, bytes);
    const { at, length } = this.#text(key);
    const row = this.#kernels.blockSeek(block, at, length);
    return this.#kernels.blockHas(block, row, at, length) === 0 ? null : this.#row(block, row);
  }

  rows(
    spec: TableSpec,
    bytes: Uint8Array,
    { from, to, limit, reverse }: { from: string; to: string; limit: number; reverse: boolean },
  ): BlockRow[] {
    this.#core.resetScratch();
    const block = this.#open(spec, bytes);
    const low = this.#text(from);
    const high = this.#text(to);
    const first = this.#kernels.blockSeek(block, low.at, low.length);
    const end = this.#kernels.blockSeek(block, high.at, high.length);
    const found: BlockRow[] = [];
    if (reverse) for (let row = end - 1; row >= first && found.length < limit; row--) found.push(this.#row(block, row));
    else for (let row = first; row < end && found.length < limit; row++) found.push(this.#row(block, row));
    return found;
  }

  /** See {@link Kernels.mergeBlocks}. All that it reads and writes lies in scratch at once: the caller bounds it. */
  merge({ spec, upper, lower, until, bottom, blockBytes, mergedTail, restTail }: MergeInput): Merge {
    this.#core.resetScratch();
    const upperList = this.#list(upper.map((bytes) => this.#open(spec, bytes)));
    const lowerList = this.#list(lower.map((bytes) => this.#open(spec, bytes)));
    const { at, length } = this.#text(until ?? "");
    const [hasUntil, atBottom] = [until === null ? 0 : 1, bottom ? 1 : 0];
    this.#kernels.blocksMerge(upperList, upper.length, lowerList, lower.length, at, length, hasUntil, atBottom);
    return {
      merged: this.#write(0, blockBytes, spec, mergedTail),
      rest: this.#write(1, blockBytes, spec, restTail),
    };
  }

  /** Copies a block into scratch and verifies it. */
  #open(spec: TableSpec, bytes: Uint8Array): number {
    if (bytes.length > MAX_TABLE_BYTES) throw new CorruptError("length", `${bytes.length} bytes is beyond any block`);
    const block = this.#core.writeScratch(bytes);
    const wrong = this.#kernels.blockOpen(block, bytes.length, spec.kind | (spec.version << 16));
    if (wrong !== 0) throw corrupt(wrong, "a block");
    return block;
  }

  #text(text: string): { at: number; length: number } {
    const room = text.length * MAX_UTF8_PER_UNIT;
    const at = this.#core.scratch(room);
    const { written } = encoder.encodeInto(text, this.#core.u8.subarray(at, at + room));
    return { at, length: written };
  }

  #list(addresses: readonly number[]): number {
    const at = this.#core.scratch(4 * addresses.length);
    this.#core.u32.set(addresses, at >>> 2);
    return at;
  }

  /** A row of an opened block. Each text is decoded by itself, so that keeping it keeps nothing else. */
  #row(block: number, row: number): BlockRow {
    const words = this.#core.u32;
    const head = (block + TABLE_HEADER_BYTES) >>> 2;
    const rows = words[(block >>> 2) + 2] as number;
    const ends = head + rows;
    const heap = (ends + 2 * rows) << 2;
    const start = row === 0 ? 0 : (words[ends + 2 * row - 1] as number);
    const middle = words[ends + 2 * row] as number;
    const end = words[ends + 2 * row + 1] as number;
    return {
      flags: words[head + row] as number,
      key: this.#decode(heap + start, heap + middle),
      text: this.#decode(heap + middle, heap + end),
    };
  }

  #decode(from: number, to: number): string {
    return decoder.decode(this.#core.u8.subarray(from, to));
  }

  #write(left: number, blockBytes: number, spec: TableSpec, tail: Uint8Array): SealedBlock[] {
    const tailAt = this.#core.writeScratch(tail);
    const label = spec.kind | (spec.version << 16);
    const count = this.#kernels.blocksWrite(left, blockBytes, label, tailAt, tail.length);
    const list = this.#kernels.blocksMade() >>> 2;
    const blocks: SealedBlock[] = [];
    for (let entry = list; entry < list + 4 * count; entry += 4) blocks.push(this.#made(entry));
    return blocks;
  }

  #made(entry: number): SealedBlock {
    const words = this.#core.u32;
    const [block, length, filter, bytes] = words.subarray(entry, entry + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const rows = words[(block >>> 2) + 2] as number;
    const heapBytes = words[(block >>> 2) + 4] as number;
    const lengths = ((block + TABLE_HEADER_BYTES) >>> 2) + rows;
    const heap = (lengths + 2 * rows) << 2;
    const lastKey = words[lengths + 2 * rows - 2] as number;
    const lastAt = heap + heapBytes - lastKey - (words[lengths + 2 * rows - 1] as number);
    return {
      bytes: this.#core.copy(block, length),
      rows,
      first: this.#decode(heap, heap + (words[lengths] as number)),
      last: this.#decode(lastAt, lastAt + lastKey),
      filter: this.#core.copy(filter, bytes),
    };
  }
}
