/** Twin of the JSON scanner: recursive descent over bytes, a fault as an exception. */
import { MAX_NESTING } from "../limits.ts";
import type { JsonFault } from "../types.ts";

/** A text to scan. In `lines` mode it is NDJSON: LF ends a value instead of being white space. */
export interface JsonText {
  readonly bytes: Uint8Array;
  readonly lines: boolean;
}

/** What a scan throws where the text stops being JSON. */
export class ScanFault extends Error {
  readonly code: string;
  readonly offset: number;
  constructor(code: string, offset: number) {
    super(`${code} at byte ${offset}`);
    this.code = code;
    this.offset = offset;
  }
}

const CODES = { quote: 0x22, backslash: 0x5c, minus: 0x2d, zero: 0x30, feed: 0x0a } as const;
const LITERALS = ["true", "false", "null"];
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether the text, or in lines mode the line, ends at `at`. */
export function atEnd({ bytes, lines }: JsonText, at: number): boolean {
  return at >= bytes.length || (lines && bytes[at] === CODES.feed);
}

/** The fault for a byte that fits nowhere. */
export function unexpected(text: JsonText, at: number): ScanFault {
  return new ScanFault(atEnd(text, at) ? "unexpected-end" : "unexpected-byte", at);
}

/** First byte at or after `at` that is not white space. */
export function skipSpace({ bytes, lines }: JsonText, at: number): number {
  const space = lines ? " \t\r" : " \t\r\n";
  let next = at;
  while (next < bytes.length && space.includes(character(bytes, next))) next++;
  return next;
}

/** Behind the value whose first byte is at `at`; `depth` containers are open around it. @throws ScanFault */
export function scanValue(text: JsonText, at: number, depth: number): number {
  const first = character(text.bytes, at);
  if (first === "{" || first === "[") {
    if (depth === MAX_NESTING) throw new ScanFault("too-deep", at);
    return first === "{" ? scanObject(text, at, depth + 1, () => undefined) : scanArray(text, at, depth + 1);
  }
  if (first === '"') return scanString(text, at);
  if (first === "-" || isDigit(first)) return scanNumber(text.bytes, at);
  for (const literal of LITERALS) {
    if (startsWith(text.bytes, at, literal)) return at + literal.length;
  }
  throw unexpected(text, at);
}

/** Behind the object at `at`; `visit` gets the name and the span of each member's value. @throws ScanFault */
export function scanObject(
  text: JsonText,
  at: number,
  depth: number,
  visit: (name: string, from: number, to: number) => void,
): number {
  let next = skipSpace(text, at + 1);
  if (character(text.bytes, next) === "}") return next + 1;
  while (true) {
    if (character(text.bytes, next) !== '"') throw unexpected(text, next);
    const nameEnd = scanString(text, next);
    const name = stringValue(text.bytes, next, nameEnd);
    next = skipSpace(text, nameEnd);
    if (character(text.bytes, next) !== ":") throw unexpected(text, next);
    const from = skipSpace(text, next + 1);
    const to = scanValue(text, from, depth);
    visit(name, from, to);
    next = skipSpace(text, to);
    const separator = character(text.bytes, next);
    if (separator === "}") return next + 1;
    if (separator !== ",") throw unexpected(text, next);
    next = skipSpace(text, next + 1);
  }
}

/** The value of the scanned string between `from` and `to`, quotes included; may hold lone surrogates. */
export function stringValue(bytes: Uint8Array, from: number, to: number): string {
  return JSON.parse(utf8.decode(bytes.subarray(from, to))) as string;
}

/** Checks that the bytes are one JSON text; null when they are. */
export function checkJson(bytes: Uint8Array): JsonFault | null {
  const text: JsonText = { bytes, lines: false };
  try {
    const start = skipSpace(text, 0);
    if (start === bytes.length) throw new ScanFault("empty", start);
    const end = skipSpace(text, scanValue(text, start, 0));
    if (end !== bytes.length) throw new ScanFault("trailing-bytes", end);
    return null;
  } catch (error) {
    if (!(error instanceof ScanFault)) throw error;
    const before = bytes.subarray(0, error.offset);
    return { line: 1 + before.filter((byte) => byte === CODES.feed).length, offset: error.offset, code: error.code };
  }
}

function scanArray(text: JsonText, at: number, depth: number): number {
  let next = skipSpace(text, at + 1);
  if (character(text.bytes, next) === "]") return next + 1;
  while (true) {
    next = skipSpace(text, scanValue(text, next, depth));
    const separator = character(text.bytes, next);
    if (separator === "]") return next + 1;
    if (separator !== ",") throw unexpected(text, next);
    next = skipSpace(text, next + 1);
  }
}

/** Behind the string whose opening quote is at `at`. @throws ScanFault */
export function scanString(text: JsonText, at: number): number {
  const { bytes } = text;
  let next = at + 1;
  while (true) {
    if (atEnd(text, next)) throw new ScanFault("unterminated-string", next);
    const byte = bytes[next] as number;
    if (byte === CODES.quote) return next + 1;
    if (byte < 0x20) throw new ScanFault("control-character", next);
    if (byte === CODES.backslash) next += escapeLength(text, next);
    else next += byte < 0x80 ? 1 : sequenceLength(bytes, next);
  }
}

function escapeLength(text: JsonText, at: number): number {
  if (atEnd(text, at + 1)) throw new ScanFault("unterminated-string", at + 1);
  const kind = character(text.bytes, at + 1);
  if (kind !== "" && '"\\/bfnrt'.includes(kind)) return 2;
  const digits = [2, 3, 4, 5].map((i) => character(text.bytes, at + i));
  if (kind === "u" && digits.every((digit) => /^[0-9a-fA-F]$/.test(digit))) return 6;
  throw new ScanFault("bad-escape", at);
}

/** Bytes of the UTF-8 sequence at `at`, as its lead says and the platform's decoder confirms. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  try {
    if (utf8.decode(bytes.subarray(at, at + length)).length > 2) throw new ScanFault("bad-utf8", at);
  } catch {
    throw new ScanFault("bad-utf8", at);
  }
  return length;
}

/** Behind the number at `at`. @throws ScanFault at the first byte that breaks the grammar */
function scanNumber(bytes: Uint8Array, at: number): number {
  let next = at;
  if (character(bytes, next) === "-") next++;
  if (character(bytes, next) === "0") {
    next++;
    if (isDigit(character(bytes, next))) throw new ScanFault("bad-number", next);
  } else next = scanDigits(bytes, next);
  if (character(bytes, next) === ".") next = scanDigits(bytes, next + 1);
  if (/^[eE]$/.test(character(bytes, next))) {
    next++;
    if (/^[+-]$/.test(character(bytes, next))) next++;
    next = scanDigits(bytes, next);
  }
  return next;
}

function scanDigits(bytes: Uint8Array, at: number): number {
  let next = at;
  while (isDigit(character(bytes, next))) next++;
  if (next === at) throw new ScanFault("bad-number", at);
  return next;
}

/** The byte as a character; empty beyond the end. */
function character(bytes: Uint8Array, at: number): string {
  const byte = bytes[at];
  return byte === undefined ? "" : String.fromCharCode(byte);
}

function isDigit(byte: string): boolean {
  return byte !== "" && "0123456789".includes(byte);
}

function startsWith(bytes: Uint8Array, at: number, word: string): boolean {
  return [...word].every((letter, i) => character(bytes, at + i) === letter);
}
