/**
 * Blocks of state: sorted rows of bounded size, each a row of storage, and beside each its head, which is all that a start reads. What is in
 * a head can be made again from its block, should only that be damaged.
 */
import {
  BLOCK_FLAG,
  type BlockInput,
  CorruptError,
  type Kernels,
  type SealedBlock,
  type TableSpec,
} from "../../../core-wasm/types.ts";
import { detached } from "../../detached.ts";
import { afterPrefix } from "../state-key.ts";

export const BLOCK: TableSpec = { kind: 18, version: 1, columns: 1, fields: 2 };
const HEAD: TableSpec = { kind: 19, version: 1, columns: 10, fields: 2 };
const TWO_32 = 2 ** 32;
/** Where packed tables have their checksum, low and high word. */
const CHECKSUM_AT = 24;

/** What a block holds. Numbers are stored: never reuse one. */
export const SPACE = { state: 0, results: 1 } as const;
export type Space = (typeof SPACE)[keyof typeof SPACE];

/** Where a block belongs: it is stored with the block, and with its head. */
export interface BlockLabel {
  readonly space: Space;
  /** Number of its run: blocks of one run do not overlap, and are newer than those of runs below. */
  readonly run: number;
  /** When the last of its rows expires, ms since 1970; 0 for never. */
  readonly expires: number;
}

/** Two words that take part in comparisons only. */
export interface Checksum {
  readonly low: number;
  readonly high: number;
}

/** A block as the index knows it. */
export interface Block extends BlockLabel {
  readonly id: number;
  readonly rows: number;
  /** Rows that are `cleared`. */
  readonly clears: number;
  readonly bytes: number;
  readonly first: string;
  readonly last: string;
  /** Null where memory for filters has run out: then every key may be there. */
  readonly filter: Uint8Array | null;
  readonly sum: Checksum;
  /** Checksum of the head. */
  readonly mark: Checksum;
}

export interface SealedHead {
  readonly block: Block;
  readonly head: Uint8Array;
}

/** Seals rows into a block that says where it belongs. */
export function seal(kernels: Kernels, label: BlockLabel, rows: Omit<BlockInput, "tail">): SealedBlock {
  return kernels.sealBlock(BLOCK, { ...rows, tail: tailOf(label) });
}

/** The end of a block. */
export function tailOf({ space, run, expires }: BlockLabel): Uint8Array {
  const tail = new Uint8Array(16);
  const view = new DataView(tail.buffer);
  view.setUint32(0, space, true);
  view.setUint32(4, run, true);
  view.setUint32(8, (expires % TWO_32) >>> 0, true);
  view.setUint32(12, Math.floor(expires / TWO_32), true);
  return tail;
}

/** Makes the head of a block that is to be stored under this id. */
export function headOf(
  kernels: Kernels,
  id: number,
  label: BlockLabel,
  clears: number,
  sealed: SealedBlock,
): SealedHead {
  const { space, run, expires } = label;
  const { bytes, rows, first, last, filter } = sealed;
  const sum = checksumOf(bytes);
  const [low, high] = [(expires % TWO_32) >>> 0, Math.floor(expires / TWO_32)];
  const columns = [id, space, run, low, high, rows, clears, bytes.length, sum.low, sum.high];
  const head = kernels.pack(HEAD, { rows: 1, columns, fields: [first, last], tail: filter });
  const mark = checksumOf(head);
  return {
    block: { id, space, run, expires, rows, clears, bytes: bytes.length, first, last, filter, sum, mark },
    head,
  };
}

/** @throws CorruptError for a damaged head, or that of another block */
export function readHead(kernels: Kernels, id: number, head: Uint8Array): Block {
  const table = kernels.unpack(HEAD, head);
  const column = (at: number) => table.column(0, at);
  if (table.rows !== 1 || column(0) !== id) throw new CorruptError("kind", `the head of another block than ${id}`);
  return {
    id,
    space: column(1) as Space,
    run: column(2),
    expires: column(4) * TWO_32 + column(3),
    rows: column(5),
    clears: column(6),
    bytes: column(7),
    sum: { low: column(8), high: column(9) },
    first: detached(table.field(0, 0)),
    last: detached(table.field(0, 1)),
    filter: table.tail,
    mark: checksumOf(head),
  };
}

/** Makes a head again from its block. @throws CorruptError when that is damaged too */
export function rebuildHead(kernels: Kernels, id: number, bytes: Uint8Array): Block {
  const { tail } = kernels.unpack(BLOCK, bytes);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  const all = kernels.rowsOfBlock(BLOCK, bytes, { from: "", to: BEYOND, limit: Infinity, reverse: false });
  const rows = {
    flags: all.map(({ flags }) => flags),
    keys: all.map(({ key }) => key),
    texts: all.map(({ text }) => text),
  };
  const label = {
    space: view.getUint32(0, true) as Space,
    run: view.getUint32(4, true),
    expires: view.getUint32(12, true) * TWO_32 + view.getUint32(8, true),
  };
  return headOf(kernels, id, label, clearsIn(rows.flags), seal(kernels, label, rows)).block;
}

/** Above every key. */
const BEYOND = "\u{10ffff}";

export function clearsIn(flags: readonly number[]): number {
  let clears = 0;
  for (const flag of flags) if ((flag & BLOCK_FLAG.cleared) !== 0) clears += 1;
  return clears;
}

/** The checksum that a packed table carries. */
export function checksumOf(bytes: Uint8Array): Checksum {
  if (bytes.length < CHECKSUM_AT + 8) throw new CorruptError("length", "shorter than any packed table");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { low: view.getUint32(CHECKSUM_AT, true), high: view.getUint32(CHECKSUM_AT + 4, true) };
}

/** The least text above every key that is this one or begins with it. */
export function afterEntity(entity: string): string {
  return afterPrefix(entity);
}
