/** Twin of event parsing: event by event with the twin of the JSON scanner, numbers by BigInt and `Number`. */
import { ATTRIBUTES, dataPath, ID_ATTRIBUTE, REQUIRED_ATTRIBUTES, SOURCE_ATTRIBUTE } from "../cloud-event.ts";
import { pathOf } from "../event-tree.ts";
import { MAX_EVENT_BODY_BYTES } from "../limits.ts";
import type { EventColumn, EventFault, EventFormat, EventIdentity, ParsedEvents, ParseOptions } from "../types.ts";
import { checkColumns } from "../window-plan.ts";
import { type Cell, encodeColumns, intern, internOrAdd, mostRows } from "./columns.ts";
import { atEnd, type JsonText, ScanFault, scanObject, skipSpace, stringValue, unexpected } from "./json.ts";
import { xxh64 } from "./xxh64.ts";

const LINE_FEED = 0x0a;
const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const COMMA = 0x2c;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** Digits of the largest int64; an integer with more, leading zeros apart, is beyond it. */
const INT64_DIGITS = 19n;

/** An event, or one of its columns or attributes, that refuses the batch. */
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

/** Where a value stands in its text. */
type Span = readonly [from: number, to: number];

/** The value at a span as the column has it, or why and where it has not. */
function readCell(
  { type, optional }: EventColumn,
  bytes: Uint8Array,
  [from, to]: Span,
): Cell | { code: string; at: number } {
  const text = new TextDecoder().decode(bytes.subarray(from, to));
  const refuse = (code: string, before = 0) => ({ code, at: from + before });
  if (text === "null" && optional === true) return null;
  if (type === "bool") return text === "true" ? true : text === "false" ? false : refuse("wrong-type");
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

/** The members of the sound object at a span: of duplicates the last. */
function membersOf(bytes: Uint8Array, [from]: Span): Map<string, Span> {
  const members = new Map<string, Span>();
  scanObject({ bytes, lines: false }, from, 1, (name, start, end) => members.set(name, [start, end]));
  return members;
}

/** The span that a way of names leads to; undefined when an object on it is not there. @throws Refusal when something else is there */
function follow(bytes: Uint8Array, event: Span, path: readonly string[], field: string): Span | undefined {
  let span: Span = event;
  for (const [step, name] of path.entries()) {
    if (step > 0 && new TextDecoder().decode(bytes.subarray(...span)) === "null") return undefined;
    if (bytes[span[0]] !== OPENING_BRACE) throw new Refusal("wrong-type", span[0], field);
    const next = membersOf(bytes, span).get(name);
    if (next === undefined) return undefined;
    span = next;
  }
  return span;
}

/** The inside of an attribute as it is written; undefined for none. @throws Refusal */
function checkAttribute(bytes: Uint8Array, event: Span, index: number): string | undefined {
  const name = ATTRIBUTES[index] as string;
  const span = membersOf(bytes, event).get(name);
  const text = span === undefined ? "null" : new TextDecoder().decode(bytes.subarray(...span));
  const at = span?.[0] ?? event[0];
  if (text === "null") {
    if (index < REQUIRED_ATTRIBUTES) throw new Refusal("missing", event[0], name);
    return undefined;
  }
  if (name === "data_base64") throw new Refusal("unsupported", at, name);
  const inside = /^"(.+)"$/s.exec(text)?.[1];
  if (inside === undefined) throw new Refusal("wrong-type", at, name);
  if (name === "specversion" && inside !== "1.0") throw new Refusal("wrong-version", at, name);
  const [essence = ""] = inside.split(";", 1);
  if (name === "datacontenttype" && !/[/+]json *$/i.test(essence)) throw new Refusal("not-json", at, name);
  return text;
}

/** The cells of the sound event at a span. @throws Refusal */
function readEvent(bytes: Uint8Array, event: Span, columns: readonly EventColumn[], enveloped: boolean): Cell[] {
  if (enveloped) for (const index of ATTRIBUTES.keys()) checkAttribute(bytes, event, index);
  return columns.map((column) => {
    const path = enveloped ? dataPath(pathOf(column)) : pathOf(column);
    const span = follow(bytes, event, path, column.name);
    if (span === undefined) {
      if (column.optional === true) return null;
      throw new Refusal("missing", event[0], column.name);
    }
    const cell = readCell(column, bytes, span);
    if (typeof cell === "object" && cell !== null) throw new Refusal(cell.code, cell.at, column.name);
    return cell;
  });
}

function faultOf(error: unknown, line: number, lineStart: number): EventFault {
  if (!(error instanceof Refusal) && !(error instanceof ScanFault)) throw error;
  const place = { line, offset: lineStart + error.offset, code: error.code };
  return error instanceof Refusal && error.field !== undefined ? { ...place, field: error.field } : place;
}

/** What is done with the events of a body. */
interface Taking {
  /** Before what stands at an offset is read. @throws Refusal */
  begin(offset: number): void;
  take(bytes: Uint8Array, event: Span): void;
}

/** The events of NDJSON, one after the other. @throws Refusal, ScanFault with offsets in the line */
function readLine(line: Uint8Array, { begin, take }: Taking): void {
  const text: JsonText = { bytes: line, lines: false };
  const start = skipSpace(text, 0);
  if (start === line.length) return;
  if (line[start] !== OPENING_BRACE) throw new Refusal("not-object", start);
  begin(start);
  const behind = scanObject(text, start, 1, () => undefined);
  const end = skipSpace(text, behind);
  if (end !== line.length) throw new Refusal("trailing-bytes", end);
  take(line, [start, behind]);
}

/** The events of one JSON text. @throws Refusal, ScanFault */
function readText(
  bytes: Uint8Array,
  allowed: { readonly array: boolean; readonly one: boolean },
  { begin, take }: Taking,
): void {
  const text: JsonText = { bytes, lines: false };
  let next = skipSpace(text, 0);
  if (atEnd(text, next)) throw new ScanFault("empty", next);
  const event = (depth: number): void => {
    if (atEnd(text, next)) throw unexpected(text, next);
    const first = String.fromCharCode(bytes[next] as number);
    if (first !== "{" || (depth === 1 && !allowed.one)) {
      throw '{["-0123456789tfn'.includes(first) ? new Refusal("not-object", next) : unexpected(text, next);
    }
    begin(next);
    const behind = scanObject(text, next, depth, () => undefined);
    take(bytes, [next, behind]);
    next = skipSpace(text, behind);
  };
  if (bytes[next] === OPENING_BRACKET && allowed.array) {
    next = skipSpace(text, next + 1);
    if (bytes[next] === CLOSING_BRACKET) next++;
    else {
      for (;;) {
        event(2);
        const separator = bytes[next];
        if (separator !== COMMA && separator !== CLOSING_BRACKET) throw unexpected(text, next);
        next++;
        if (separator === CLOSING_BRACKET) break;
        next = skipSpace(text, next);
      }
    }
  } else event(1);
  next = skipSpace(text, next);
  if (!atEnd(text, next)) throw new ScanFault("trailing-bytes", next);
}

function lineOf(body: Uint8Array, offset: number): number {
  return 1 + body.subarray(0, offset).filter((byte) => byte === LINE_FEED).length;
}

/** What is wrong with the body; null when all of its events were taken. */
function readBody(body: Uint8Array, format: EventFormat, taking: Taking): EventFault | null {
  if (format !== "ndjson") {
    try {
      readText(body, { array: format === "json" || format === "cloudevents", one: format !== "cloudevents" }, taking);
      return null;
    } catch (error) {
      const fault = faultOf(error, 0, 0);
      return { ...fault, line: lineOf(body, fault.offset) };
    }
  }
  let line = 0;
  for (let start = 0; start < body.length;) {
    const feed = body.indexOf(LINE_FEED, start);
    const end = feed < 0 ? body.length : feed;
    line++;
    try {
      readLine(body.subarray(start, end), taking);
    } catch (error) {
      return faultOf(error, line, start);
    }
    start = end + 1;
  }
  return null;
}

/** See {@link Kernels.parseEvents}. */
export function parseEvents(
  body: Uint8Array,
  columns: readonly EventColumn[],
  format: EventFormat = "ndjson",
  { only, repeats = false }: ParseOptions = {},
): ParsedEvents {
  checkColumns(columns);
  if (body.length > MAX_EVENT_BODY_BYTES) {
    throw new RangeError(`body-too-large: ${body.length} bytes, at most ${MAX_EVENT_BODY_BYTES}`);
  }
  const enveloped = format === "cloudevent" || format === "cloudevents";
  const cells: Cell[][] = columns.map(() => []);
  let rows = 0;
  let identity: EventIdentity | undefined;
  const isKept = columns.map(({ name }) => only === undefined || only.includes(name));
  const most = mostRows(columns, isKept);
  const begin = (offset: number): void => {
    if (rows === most) throw new Refusal("columns-too-large", offset);
  };
  const take = (bytes: Uint8Array, event: Span): void => {
    const row = readEvent(bytes, event, columns, enveloped);
    rows++;
    for (const [c, cell] of row.entries()) cells[c]?.push(cell);
    if (format !== "cloudevent") return;
    const [source, id] = [SOURCE_ATTRIBUTE, ID_ATTRIBUTE].map(
      (index) => JSON.parse(checkAttribute(bytes, event, index) as string) as string,
    ) as [string, string];
    identity = { source, id };
  };
  const fault = readBody(body, format, { begin, take });
  if (fault !== null) return { ok: false, fault };
  const hash = xxh64(body);
  const kept = <T>(all: readonly T[]): T[] => all.filter((_, c) => isKept[c] === true);
  return {
    ok: true,
    rows,
    frame: encodeColumns(kept(columns), kept(cells), rows, repeats ? internOrAdd : intern),
    fingerprint: [Number(hash & 0xffffffffn), Number(hash >> 32n)],
    ...(identity === undefined ? {} : { identity }),
  };
}
