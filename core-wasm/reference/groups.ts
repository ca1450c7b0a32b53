/** Twin of packed window groups. */
import { MAX_WINDOW_MEASURES } from "../limits.ts";
import { CorruptError } from "../types.ts";
import type { ColumnType, Measure, PackedGroups, WindowGroup } from "../types.ts";
import { ByteWriter, FRAME_HEADER, checkSeal, readStrings, seal, viewOf, writeStrings } from "./frame.ts";

const LABEL = { magic: "TGG1", kind: 2, version: 1 };
const HEAD = 56;
const INT64_MIN = -(2n ** 63n);
const TYPES: readonly ColumnType[] = ["i64", "f64", "text"];

export interface GroupsHead {
  /** Windows that ended at or before it were closed first; null for none. */
  readonly closedThrough: bigint | null;
  readonly size: bigint;
  readonly keyType: ColumnType;
  readonly measures: readonly ColumnType[];
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Order of two strings by their UTF-8, which is that of their code points and not of JavaScript's `<`. */
function compareUtf8(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  if (at < 0) return a.length - b.length;
  return (a[at] as number) - (b[at] ?? -1);
}

function compareKeys(a: bigint | string, b: bigint | string): number {
  if (typeof a === "string" || typeof b === "string") return compareUtf8(utf8(String(a)), utf8(String(b)));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Order of groups: by start, then by key. */
export function compareGroups(a: WindowGroup, b: WindowGroup): number {
  return a.start < b.start ? -1 : a.start > b.start ? 1 : compareKeys(a.key, b.key);
}

function writeValue(out: ByteWriter, type: ColumnType | undefined, value: bigint | number): void {
  // A NaN has many spellings; this is the one that engines write.
  if (type === "f64") out.f64(Number.isNaN(value) ? Number.NaN : (value as number));
  else out.i64(value as bigint);
}

/** Packs groups, in any order. */
export function encodeGroups(head: GroupsHead, groups: readonly WindowGroup[]): Uint8Array {
  const keys = head.keyType === "text" ? [...new Set(groups.map(({ key }) => key as string))].sort(compareKeys) : [];
  const ranks = new Map(keys.map((key, rank) => [key, BigInt(rank)]));
  const texts = keys.map(utf8);
  const out = new ByteWriter();
  out.raw(new Uint8Array(FRAME_HEADER));
  out.i64(head.closedThrough ?? INT64_MIN);
  out.i64(head.size);
  out.raw(
    Uint8Array.from({ length: MAX_WINDOW_MEASURES }, (_, i) => TYPES.indexOf(head.measures[i] as ColumnType) + 1),
  );
  for (const { key, start, count, measures } of groups.toSorted(compareGroups)) {
    out.i64(typeof key === "string" ? (ranks.get(key) as bigint) : key);
    out.i64(start);
    out.i64(count);
    for (const [i, { sum, min, max }] of measures.entries()) {
      for (const value of [sum, min, max]) writeValue(out, head.measures[i], value);
    }
  }
  writeStrings(out, texts);
  const shape = head.measures.length + ((TYPES.indexOf(head.keyType) + 1) << 16);
  const textBytes = texts.reduce((sum, text) => sum + text.length, 0);
  return seal(out.finish(), LABEL, [groups.length, shape, textBytes, keys.length]);
}

function readMeasure(view: DataView, at: number, type: ColumnType): Measure {
  const [sum, min, max] = [at, at + 8, at + 16].map((place) =>
    type === "f64" ? view.getFloat64(place, true) : view.getBigInt64(place, true),
  ) as [bigint | number, bigint | number, bigint | number];
  return { sum, min, max };
}

function readHead(frame: Uint8Array): GroupsHead {
  const view = viewOf(frame);
  const count = view.getUint16(12, true);
  const keyType = TYPES[view.getUint16(14, true) - 1];
  if (frame.length < HEAD || count > MAX_WINDOW_MEASURES || keyType === undefined || keyType === "f64") {
    throw new CorruptError("length", "the head makes no sense");
  }
  const measures: ColumnType[] = [];
  for (let i = 0; i < MAX_WINDOW_MEASURES; i++) {
    const type = view.getUint8(48 + i);
    if (i < count ? type !== 1 && type !== 2 : type !== 0) throw new CorruptError("length", "a measure has no type");
    if (i < count) measures.push(TYPES[type - 1] as ColumnType);
  }
  const closed = view.getBigInt64(32, true);
  return { closedThrough: closed === INT64_MIN ? null : closed, size: view.getBigInt64(40, true), keyType, measures };
}

/** @throws CorruptError */
export function decodeGroups(frame: Uint8Array): { head: GroupsHead; groups: WindowGroup[] } {
  checkSeal(frame, LABEL);
  const head = readHead(frame);
  const view = viewOf(frame);
  const rows = view.getUint32(8, true);
  const width = 24 + 24 * head.measures.length;
  const [textBytes, keyCount] = [view.getUint32(16, true), view.getUint32(20, true)];
  if (HEAD + rows * width + 4 * keyCount + textBytes !== frame.length) throw new CorruptError("length", "groups");
  const texts = readStrings(frame, HEAD + rows * width, keyCount, textBytes);
  if (head.keyType === "i64" && keyCount !== 0) throw new CorruptError("length", "texts of keys that are numbers");
  const keys = texts.map((text) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text));
  const groups = Array.from({ length: rows }, (_, row): WindowGroup => {
    const at = HEAD + row * width;
    const number = view.getBigInt64(at, true);
    const key = head.keyType === "i64" ? number : keys[Number(number)];
    if (key === undefined) throw new CorruptError("length", "a group's key is not there");
    return {
      key,
      start: view.getBigInt64(at + 8, true),
      count: view.getBigInt64(at + 16, true),
      measures: head.measures.map((type, i) => readMeasure(view, at + 24 + 24 * i, type)),
    };
  });
  return { head, groups };
}

/** See {@link Kernels.readGroups}. */
export function readGroups(bytes: Uint8Array): WindowGroup[] {
  return bytes.length === 0 ? [] : decodeGroups(bytes).groups;
}

/** See {@link Kernels.openGroups}. */
export function openGroups(bytes: Uint8Array): PackedGroups {
  const groups = readGroups(bytes);
  return {
    rows: groups.length,
    group: (row) => groups[row] as WindowGroup,
    rowsOf: (key) => groups.flatMap((group, row) => (String(group.key) === key ? [row] : [])),
  };
}
