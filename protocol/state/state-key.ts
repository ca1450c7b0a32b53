/**
 * State keys: one text per stored value, ordered so that everything under a key is one range.
 *
 *   entity      = esc(service) SEP esc(key) SEP
 *   value       = entity
 *   entry       = entity esc(collection) SEP entry-key
 *
 * SEP is U+0001 and escaping keeps it and U+0000 out of the parts, so that the order of state keys (by UTF-8 bytes, as
 * SQLite compares text) is the order of their parts, and U+0000 never reaches SQLite.
 */

import { LIMITS } from "../limits.ts";
import { fitsUtf8 } from "../../sdk/utf8.ts";

const SEPARATOR = "\u0001";
const ESCAPE = "\u0002";
/** Added to an escaped character, so that what follows an escape is no separator either: keys are cut at separators. */
const SHIFT = 2;
// oxlint-disable-next-line no-control-regex
const NEEDS_ESCAPE = /[\u0000-\u0002]/;

function escape(part: string): string {
  if (!NEEDS_ESCAPE.test(part)) return part;
  let out = "";
  for (const char of part) out += char <= ESCAPE ? ESCAPE + String.fromCharCode(char.charCodeAt(0) + SHIFT) : char;
  return out;
}

function unescape(part: string): string {
  if (!part.includes(ESCAPE)) return part;
  let out = "";
  for (let i = 0; i < part.length; i++) {
    out += part[i] === ESCAPE ? String.fromCharCode(part.charCodeAt(++i) - SHIFT) : part[i];
  }
  return out;
}

/** The prefix of everything stored for one service. */
export function servicePrefix(service: string): string {
  return service + SEPARATOR;
}

/** The prefix of everything stored under one key of one service; also the state key of its value. */
export function entityKey(service: string, key: string): string {
  return service + SEPARATOR + escape(key) + SEPARATOR;
}

/** The key of a prefix that {@link entityKey} made, or of anything that begins with one. */
export function keyOfEntity(stateKey: string): string {
  const from = stateKey.indexOf(SEPARATOR) + 1;
  return unescape(stateKey.slice(from, stateKey.indexOf(SEPARATOR, from)));
}

/** The prefix of a collection's entries. */
export function collectionPrefix(entity: string, collection: string): string {
  return entity + collection + SEPARATOR;
}

/** The parts of a state key: an entry's, or without collection and entry a value's. */
export function parseStateKey(stateKey: string): {
  readonly service: string;
  readonly key: string;
  readonly collection?: string;
  readonly entry?: string | number;
} {
  const [service = "", key = "", collection = "", ...entry] = stateKey.split(SEPARATOR);
  if (collection === "") return { service, key: unescape(key) };
  return { service, key: unescape(key), collection, entry: decodeEntryKey(entry.join(SEPARATOR)) };
}

/** The least text above every text that starts with this prefix, which ends in a separator or in another character of one byte. */
export function afterPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** An entry key as text whose order is: numbers by value, then strings by code point. */
export function encodeEntryKey(key: string | number): string {
  if (typeof key === "string") {
    if (!key.isWellFormed()) throw new TypeError("a collection's key must be well-formed Unicode");
    if (!fitsUtf8(key, LIMITS.maxEntryKeyBytes)) {
      throw new TypeError(`a collection's key has at most ${LIMITS.maxEntryKeyBytes} bytes`);
    }
    return `s${escape(key)}`;
  }
  // What is no number would be made one: `undefined`, arrays and objects all the same NaN, `null` and `false` 0, a Date its time.
  if (typeof key !== "number" || Number.isNaN(key)) throw noEntryKey(key);
  return `n${sortableHex(key)}`;
}

/** An entry may not lie at an infinity, which is no JSON; a range may end there. */
export function noEntryKey(key: unknown): TypeError {
  return new TypeError(
    `a collection's key is text or a finite number, not ${typeof key === "number" ? key : nameOf(key)}`,
  );
}

function nameOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
}

export function decodeEntryKey(text: string): string | number {
  return text[0] === "s" ? unescape(text.slice(1)) : fromSortableHex(text.slice(1));
}

const scratch = new DataView(new ArrayBuffer(8));
const SIGN = 1n << 63n;
const ALL = (1n << 64n) - 1n;

/** IEEE 754 bits with the sign flipped (all bits flipped below zero), as 16 hex digits: the usual order-preserving form. -0 becomes 0. */
function sortableHex(value: number): string {
  scratch.setFloat64(0, value === 0 ? 0 : value);
  const bits = scratch.getBigUint64(0);
  return (bits & SIGN ? bits ^ ALL : bits | SIGN).toString(16).padStart(16, "0");
}

function fromSortableHex(hex: string): number {
  const bits = BigInt(`0x${hex}`);
  scratch.setBigUint64(0, bits & SIGN ? bits ^ SIGN : bits ^ ALL);
  return scratch.getFloat64(0);
}

/** Compares by code point, as SQLite compares UTF-8: differs from `<` on strings where surrogates meet U+E000 and above. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return fixup(x) - fixup(y);
  }
  return a.length - b.length;
}

/** Moves surrogates above the rest of the BMP, where the code points that they stand for belong. */
function fixup(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Entries by code point of their keys, at most `limit`, ascending unless reversed. */
export function inOrder(entries: Iterable<[string, string]>, limit: number, reverse: boolean): Array<[string, string]> {
  const sorted = [...entries].sort(reverse ? (a, b) => compareKeys(b[0], a[0]) : (a, b) => compareKeys(a[0], b[0]));
  return sorted.slice(0, limit);
}

const SURROGATE = /[\ud800-\udfff]/;

/** Keys by code point. The usual order of strings is the same, and much faster, where there are no surrogates. */
export function sortKeys(keys: Iterable<string>): string[] {
  const sorted = [...keys];
  return sorted.some((key) => SURROGATE.test(key)) ? sorted.sort(compareKeys) : sorted.sort();
}
