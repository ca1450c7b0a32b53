/** Twin of the sorted blocks: rows as plain arrays. */
import { addToFilter, filterBytes } from "../block-filter.ts";
import { FILTER_CLEARED_SALT } from "../limits.ts";
import { BLOCK_FLAG } from "../types.ts";
import type { BlockInput, BlockRow, Merge, MergeInput, SealedBlock, TableSpec } from "../types.ts";
import { murmur3 } from "./murmur3.ts";
import { pack, unpack } from "./table.ts";

const encoder = new TextEncoder();
/** Bytes of a row beside its texts. */
const ROW_BYTES = 12;

export function sealBlock(spec: TableSpec, { flags, keys, texts, tail }: BlockInput): SealedBlock {
  const fields = keys.flatMap((key, row) => [key, texts[row] as string]);
  const bytes = pack(spec, { rows: keys.length, columns: flags, fields, tail });
  const cleared = flags.filter((flag) => (flag & BLOCK_FLAG.cleared) !== 0).length;
  const filter = new Uint8Array(filterBytes(keys.length + cleared));
  for (const [row, key] of keys.entries()) {
    const hash = murmur3(key);
    addToFilter(filter, hash);
    if (((flags[row] as number) & BLOCK_FLAG.cleared) !== 0) addToFilter(filter, (hash ^ FILTER_CLEARED_SALT) >>> 0);
  }
  return { bytes, rows: keys.length, first: keys[0] ?? "", last: keys.at(-1) ?? "", filter };
}

export function readBlock(spec: TableSpec, bytes: Uint8Array): BlockRow[] {
  const table = unpack(spec, bytes);
  return Array.from({ length: table.rows }, (_, row) => ({
    flags: table.column(row, 0),
    key: table.field(row, 0),
    text: table.field(row, 1),
  }));
}

export function findInBlock(spec: TableSpec, bytes: Uint8Array, key: string): BlockRow | null {
  return readBlock(spec, bytes).find((row) => row.key === key) ?? null;
}

export function rowsOfBlock(
  spec: TableSpec,
  bytes: Uint8Array,
  { from, to, limit, reverse }: { from: string; to: string; limit: number; reverse: boolean },
): BlockRow[] {
  const found = readBlock(spec, bytes).filter(({ key }) => compare(key, from) >= 0 && compare(key, to) < 0);
  return (reverse ? found.reverse() : found).slice(0, limit);
}

export function mergeBlocks(input: MergeInput): Merge {
  const { spec, until, bottom, blockBytes } = input;
  const upper = input.upper.flatMap((bytes) => readBlock(spec, bytes));
  const lower = input.lower.flatMap((bytes) => readBlock(spec, bytes));
  const end = until === null ? -1 : upper.findIndex(({ key }) => compare(key, until) >= 0);
  const rest = end < 0 ? [] : upper.splice(end);
  const merged = mergeRows(upper, lower);
  const kept = bottom ? merged.filter(({ flags }) => (flags & BLOCK_FLAG.deleted) === 0).map(withoutFlags) : merged;
  return {
    merged: cutRows(spec, kept, blockBytes, input.mergedTail),
    rest: cutRows(spec, rest, blockBytes, input.restTail),
  };
}

function mergeRows(upper: readonly BlockRow[], lower: readonly BlockRow[]): BlockRow[] {
  const clears = upper.filter(({ flags }) => (flags & BLOCK_FLAG.cleared) !== 0).map(({ key }) => key);
  const merged = new Map<string, BlockRow>();
  for (const row of lower)
    if (!clears.some((key) => row.key !== key && row.key.startsWith(key))) merged.set(row.key, row);
  for (const row of upper) {
    const older = merged.get(row.key)?.flags ?? 0;
    merged.set(row.key, { ...row, flags: row.flags | (older & BLOCK_FLAG.cleared) });
  }
  return [...merged.values()].sort((a, b) => compare(a.key, b.key));
}

function withoutFlags(row: BlockRow): BlockRow {
  return { ...row, flags: 0 };
}

/** Blocks of about the same size, so that what is cut anew leaves no small ones behind. */
function cutRows(spec: TableSpec, rows: readonly BlockRow[], blockBytes: number, tail: Uint8Array): SealedBlock[] {
  const sizes = rows.map(({ key, text }) => ROW_BYTES + encoder.encode(key).length + encoder.encode(text).length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const share = Math.ceil(total / Math.max(1, Math.ceil(total / blockBytes)));
  const blocks: SealedBlock[] = [];
  let start = 0;
  let bytes = 0;
  for (let row = 0; row < rows.length; row++) {
    bytes += sizes[row] as number;
    if (bytes < share && row + 1 < rows.length) continue;
    const cut = rows.slice(start, row + 1);
    const input = { flags: cut.map(({ flags }) => flags), keys: cut.map(({ key }) => key), tail };
    blocks.push(sealBlock(spec, { ...input, texts: cut.map(({ text }) => text) }));
    start = row + 1;
    bytes = 0;
  }
  return blocks;
}

/** By UTF-8 bytes, which is by code point. */
function compare(a: string, b: string): number {
  const [x, y] = [encoder.encode(a), encoder.encode(b)];
  for (let at = 0; at < Math.min(x.length, y.length); at++) {
    if (x[at] !== y[at]) return (x[at] as number) - (y[at] as number);
  }
  return x.length - y.length;
}
