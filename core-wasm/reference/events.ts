/** Twin of event parsing: line by line with the twin of the JSON scanner, numbers by BigInt and `Number`. */
import { MAX_EVENT_BODY_BYTES } from "../limits.ts";
import type { ColumnType, EventColumn, EventFault, ParsedEvents } from "../types.ts";
import { checkColumns } from "../window-plan.ts";
import { type Cell, encodeColumns } from "./columns.ts";
import { type JsonText, ScanFault, scanObject, skipSpace, stringValue } from "./json.ts";
import { xxh64 } from "./xxh64.ts";

const LINE_FEED = 0x0a;
const OPENING_BRACE = 0x7b;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** Digits of the largest int64; an integer with more, leading zeros apart, is beyond it. */
const INT64_DIGITS = 19n;

/** A line, or one of its columns, that refuses the batch; the offset is within the line. */
class Refusal extends Error {
  readonly code: string;
  readonly offset: number;
  readonly field: string | undefined;
  constructor(code: string, offset: number, field?: string) {
    super(code);
    this.code = code;
    this.offset = offset;
    this.field = field;
  }
}

/** The exact integer that a JSON number's text stands for, or why an i64 column cannot have it. */
export function exactInteger(text: string): bigint | "wrong-type" | "out-of-range" {
  const parts = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text);
  if (parts === null) return "wrong-type";
  const [, sign, whole, fraction = "", exponent = "0"] = parts;
  const all = `${whole}${fraction}`.replace(/^0+/, "");
  const digits = all.replace(/0+$/, "");
  if (digits === "") return 0n;
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(all.length - digits.length);
  if (power < 0n) return "wrong-type";
  if (BigInt(digits.length) + power > INT64_DIGITS) return "out-of-range";
  const value = BigInt(`${sign}${digits}`) * 10n ** power;
  return value < INT64_MIN || value > INT64_MAX ? "out-of-range" : value;
}

/** Bytes before the first lone surrogate escape in a string's text. */
function beforeLoneSurrogate(text: string): number {
  const escapes = /\\u(d[89ab]..)(\\ud[c-f]..)?|\\u(d[c-f]..)|\\./gi;
  for (const { index, 1: high, 2: paired, 3: low } of text.matchAll(escapes)) {
    if (low !== undefined || (high !== undefined && paired === undefined)) {
      return new TextEncoder().encode(text.slice(0, index)).length;
    }
  }
  throw new Error("no escape is a lone surrogate");
}

/** The value between `from` and `to` as the column has it, or why and where it has not. */
function readCell(type: ColumnType, bytes: Uint8Array, from: number, to: number): Cell | { code: string; at: number } {
  const text = new TextDecoder().decode(bytes.subarray(from, to));
  const refuse = (code: string, before = 0) => ({ code, at: from + before });
  if (type === "text") {
    if (!text.startsWith('"')) return refuse("wrong-type");
    const value = stringValue(bytes, from, to);
    return value.isWellFormed() ? value : refuse("bad-surrogate", beforeLoneSurrogate(text));
  }
  if (!/^[-0-9]/.test(text)) return refuse("wrong-type");
  if (type === "f64") return Number.isFinite(Number(text)) ? Number(text) : refuse("out-of-range");
  const value = exactInteger(text);
  return typeof value === "bigint" ? value : refuse(value);
}

/** The cells of one line; null for a blank one. @throws Refusal, ScanFault */
function readLine(line: Uint8Array, columns: readonly EventColumn[]): Cell[] | null {
  const text: JsonText = { bytes: line, lines: false };
  const start = skipSpace(text, 0);
  if (start === line.length) return null;
  if (line[start] !== OPENING_BRACE) throw new Refusal("not-object", start);
  const spans = new Map<string, readonly [number, number]>();
  const end = skipSpace(
    text,
    scanObject(text, start, 1, (name, from, to) => spans.set(name, [from, to])),
  );
  if (end !== line.length) throw new Refusal("trailing-bytes", end);
  return columns.map(({ name, type }) => {
    const span = spans.get(name);
    if (span === undefined) throw new Refusal("missing", start, name);
    const cell = readCell(type, line, ...span);
    if (typeof cell === "object") throw new Refusal(cell.code, cell.at, name);
    return cell;
  });
}

function faultOf(error: unknown, line: number, lineStart: number): EventFault {
  if (!(error instanceof Refusal) && !(error instanceof ScanFault)) throw error;
  const place = { line, offset: lineStart + error.offset, code: error.code };
  return error instanceof Refusal && error.field !== undefined ? { ...place, field: error.field } : place;
}

/** See {@link Kernels.parseEvents}. */
export function parseEvents(body: Uint8Array, columns: readonly EventColumn[]): ParsedEvents {
  checkColumns(columns);
  if (body.length > MAX_EVENT_BODY_BYTES) {
    throw new RangeError(`body-too-large: ${body.length} bytes, at most ${MAX_EVENT_BODY_BYTES}`);
  }
  const cells: Cell[][] = columns.map(() => []);
  let rows = 0;
  let line = 0;
  for (let start = 0; start < body.length;) {
    const feed = body.indexOf(LINE_FEED, start);
    const end = feed < 0 ? body.length : feed;
    line++;
    try {
      const row = readLine(body.subarray(start, end), columns);
      if (row !== null) rows++;
      for (const [c, cell] of (row ?? []).entries()) cells[c]?.push(cell);
    } catch (error) {
      return { ok: false, fault: faultOf(error, line, start) };
    }
    start = end + 1;
  }
  const hash = xxh64(body);
  return {
    ok: true,
    rows,
    frame: encodeColumns(columns, cells, rows),
    fingerprint: [Number(hash & 0xffffffffn), Number(hash >> 32n)],
  };
}
