/** Keys of events: as texts whose order is that of the keys, as values to group by, and as shares of a vertex. */

import type { Cell, Column } from "./columns/column.ts";
import { cellAt } from "./columns/column.ts";
import type { Rows } from "./columns/rows.ts";

/** Between the parts of an entry's key; below every character of a part, and none that storage would escape. */
export const PART = "\u0003";
/** Behind everything that begins with a text and `PART`, and before all else that begins with the text. */
export const AFTER_PARTS = "\u0004";
/** Stands before a character that a part may not have, which is shifted. */
const ESCAPE = "\u0004";
const SHIFT = 5;
// oxlint-disable-next-line no-control-regex
const NEEDS_ESCAPE = /[\u0000-\u0004]/g;
const BIAS = 2n ** 63n;
const TWO_32 = 4_294_967_296;
const HIGH_BIAS = 0x8000_0000;

/** A whole number as 16 hex digits in the order of the numbers. */
export function sortableWhole(value: bigint | number): string {
  if (typeof value === "bigint" || !Number.isSafeInteger(value))
    return (BigInt(value) + BIAS).toString(16).padStart(16, "0");
  const words = Math.floor(value / TWO_32);
  const low = value - words * TWO_32;
  const high = words + HIGH_BIAS;
  return digits(high >>> 16) + digits(high & 0xffff) + digits(low >>> 16) + digits(low & 0xffff);
}

/** 16 bits as hex. Remembered: to make the text of each key costs more than all else that is done with it. */
function digits(bits: number): string {
  return (DIGITS[bits] ??= bits.toString(16).padStart(4, "0"));
}
const DIGITS: string[] = new Array<string>(0x1_0000);

export function fromSortableWhole(text: string): bigint | number {
  const high = Number.parseInt(text.slice(0, 8), 16) - HIGH_BIAS;
  const value = high * TWO_32 + Number.parseInt(text.slice(8), 16);
  return Number.isSafeInteger(value) ? value : BigInt(`0x${text}`) - BIAS;
}

/** One part of a key: booleans before numbers before texts, false before true, numbers by value, texts by code point. */
export function partText(cell: Cell): string {
  if (cell === null) throw noKey();
  if (typeof cell === "boolean") return cell ? TRUE : FALSE;
  if (typeof cell !== "string") return `n${sortableWhole(cell)}`;
  return `s${cell.replace(NEEDS_ESCAPE, (unit) => ESCAPE + String.fromCharCode(unit.charCodeAt(0) + SHIFT))}`;
}

const FALSE = "b0";
const TRUE = "b1";

function noKey(): TypeError {
  return new TypeError("a field of a key has no value");
}

export function partCell(text: string): GroupId {
  if (text[0] === "b") return text === TRUE;
  if (text[0] === "n") return fromSortableWhole(text.slice(1));
  if (!text.includes(ESCAPE)) return text.slice(1);
  const units = text.slice(1);
  let cell = "";
  for (let at = 0; at < units.length; at++)
    cell += units[at] === ESCAPE ? String.fromCharCode(units.charCodeAt(++at) - SHIFT) : (units[at] as string);
  return cell;
}

/** The text of a key of several fields. */
export function keyText(cells: readonly Cell[]): string {
  return cells.map(partText).join(PART);
}

export function keyCells(text: string): GroupId[] {
  return text === "" ? [] : text.split(PART).map(partCell);
}

/** Mixes 32 bits (the end of murmur3). Never to change: it decides where state is. */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export function hashCell(cell: Cell): number {
  if (cell === null) throw noKey();
  if (typeof cell === "boolean") return hashCell(cell ? 1 : 0);
  if (typeof cell === "string") {
    // FNV-1a over UTF-16 units.
    let hash = 0x811c9dc5;
    for (let at = 0; at < cell.length; at++) hash = Math.imul(hash ^ cell.charCodeAt(at), 0x01000193);
    return mix(hash);
  }
  if (typeof cell === "bigint") {
    const bits = BigInt.asUintN(64, cell);
    return mix(Number(bits & 0xffff_ffffn) ^ Math.imul(Number(bits >> 32n), 0x9e3779b1));
  }
  return hashNumber(cell);
}

function hashNumber(cell: number): number {
  const high = Math.floor(cell / TWO_32);
  return mix((cell - high * TWO_32) ^ Math.imul(high, 0x9e3779b1));
}

/** A hash of each row's key. */
export function hashRows(rows: Rows, fields: readonly string[]): Uint32Array {
  const hashes = new Uint32Array(rows.length);
  for (const [index, field] of fields.entries()) addHashes(hashes, rows.column(field), index === 0);
  return hashes;
}

function addHashes(hashes: Uint32Array, column: Column, first: boolean): void {
  if (column.type === "text") {
    const known = Uint32Array.from(column.texts.strings, hashCell);
    for (let row = 0; row < hashes.length; row++)
      join(hashes, row, known[column.codes[row] as number] as number, first);
    return;
  }
  if (column.type === "number") {
    const { values } = column;
    for (let row = 0; row < hashes.length; row++) join(hashes, row, hashNumber(values[row] as number), first);
    return;
  }
  for (let row = 0; row < hashes.length; row++) join(hashes, row, hashCell(cellAt(column, row)), first);
}

function join(hashes: Uint32Array, row: number, hash: number, first: boolean): void {
  hashes[row] = first ? hash : mix(Math.imul(hashes[row] as number, 31) + hash);
}

/** Of a key's cells, as `hashRows` has it for a row. */
export function hashKey(cells: readonly Cell[]): number {
  return cells.reduce<number>(
    (hash, cell, index) => (index === 0 ? hashCell(cell) : mix(Math.imul(hash, 31) + hashCell(cell))),
    0,
  );
}

/** Rows by share: row numbers of each, in their order. */
export function splitRows(hashes: Uint32Array, shards: number): Uint32Array[] {
  const counts = new Uint32Array(shards);
  for (let row = 0; row < hashes.length; row++) {
    const shard = (hashes[row] as number) % shards;
    counts[shard] = (counts[shard] as number) + 1;
  }
  const parts = Array.from(counts, (count) => new Uint32Array(count));
  counts.fill(0);
  for (let row = 0; row < hashes.length; row++) {
    const shard = (hashes[row] as number) % shards;
    const at = counts[shard] as number;
    (parts[shard] as Uint32Array)[at] = row;
    counts[shard] = at + 1;
  }
  return parts;
}

/** What a row's key is grouped by: a value that is equal to that of the same key, and to no other. */
export type GroupId = Exclude<Cell, null>;

/** Group ids of rows: the cell itself for one field, else the key's text. */
export function groupIds(rows: Rows, fields: readonly string[]): (row: number) => GroupId {
  const columns = fields.map((field) => rows.column(field));
  const [only] = columns;
  if (columns.length === 0 || only === undefined) return () => "";
  if (columns.length === 1) {
    if (only.type === "number") return (row) => only.values[row] as number;
    return (row) => cellAt(only, row) as GroupId;
  }
  const [left, right] = columns as [Column, Column];
  if (columns.length === 2) return pairIds(left, right);
  return (row) => keyText(columns.map((column) => cellAt(column, row)));
}

/** Ids of keys of two fields. The text of a pair is made once, where pairs can be numbered: most events have a key that others have too. */
function pairIds(left: Column, right: Column): (row: number) => string {
  const made = (row: number): string => partText(cellAt(left, row)) + PART + partText(cellAt(right, row));
  const [a, b] = [numbered(left), numbered(right)];
  if (a === null || b === null) return made;
  const known = new Map<number, string>();
  return (row) => {
    const pair = a(row) * NUMBERS + b(row);
    let text = known.get(pair);
    if (text === undefined) known.set(pair, (text = made(row)));
    return text;
  };
}

/** Two of these make a whole number that is exact. */
const NUMBERS = 2 ** 26;

/** The cell of a row as a number below `NUMBERS`, another for another cell; null where there is none. */
function numbered(column: Column): ((row: number) => number) | null {
  if (column.nulls !== undefined) return null;
  if (column.type === "text") {
    const { codes, texts } = column;
    return texts.length <= NUMBERS ? (row) => codes[row] as number : null;
  }
  if (column.type !== "number") return null;
  const { values } = column;
  let least = Infinity;
  let most = -Infinity;
  for (let row = 0; row < values.length; row++) {
    const value = values[row] as number;
    if (value !== Math.floor(value)) return null;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most - least < NUMBERS ? (row) => (values[row] as number) - least : null;
}

/** The text that a group's entry is stored under. */
export function groupText(id: GroupId, fields: number): string {
  return fields === 1 ? partText(id) : String(id);
}

/** The id of the group with this text. */
export function groupOfText(text: string, fields: number): GroupId {
  return fields === 1 ? partCell(text) : text;
}
