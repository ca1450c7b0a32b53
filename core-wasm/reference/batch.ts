/** Twin of batch routing: line by line, with strings, Maps and the other twins. */
import { BATCH_SLICE_BYTES, MAX_KEY_BYTES, MAX_TABLE_BYTES } from "../limits.ts";
import type { BatchFault, RoutedBatch, RoutedFrame, RouteOptions } from "../types.ts";
import { checkRouteOptions } from "../route-options.ts";
import { ScanFault, atEnd, scanObject, scanValue, skipSpace, stringValue } from "./json.ts";
import type { JsonText } from "./json.ts";
import { murmur3 } from "./murmur3.ts";
import { sha256 } from "./sha256.ts";
import { packBytes } from "./table.ts";
import { xxh64 } from "./xxh64.ts";

type Member = NonNullable<BatchFault["member"]>;
const MEMBERS: readonly Member[] = ["service", "key", "function", "input", "id"];
const LINE_FEED = 10;
const TABLE_OVERHEAD = 32;
const ROW_OVERHEAD = 4 * 4 + 5 * 4 + 32;
/** What the kernel leaves free in the largest row. */
const ROW_MARGIN = 64;

interface Span {
  readonly from: number;
  readonly to: number;
}
interface Row {
  readonly columns: readonly number[];
  /** Request id, service, key, function, input. */
  readonly fields: readonly Uint8Array[];
  readonly partition: number;
}

class MemberFault extends ScanFault {
  readonly member: Member | undefined;
  constructor(code: string, offset: number, member?: Member) {
    super(code, offset);
    this.member = member;
  }
}

const encoder = new TextEncoder();

/** See `Kernels.routeBatch`; `sliceBytes` as in the façade. */
export function routeBatch(body: Uint8Array, options: RouteOptions, sliceBytes = BATCH_SLICE_BYTES): RoutedBatch {
  checkRouteOptions(options);
  const frames: RoutedFrame[] = [];
  const faults: BatchFault[] = [];
  let rows: Row[] = [];
  let sliceStart = 0;
  let lines = 0;
  for (let start = 0; start < body.length;) {
    const feed = body.indexOf(LINE_FEED, start);
    const end = feed < 0 ? body.length : feed + 1;
    if (end - sliceStart > sliceBytes && start > sliceStart) {
      frames.push(...frameRows(rows, options));
      rows = [];
      sliceStart = start;
    }
    lines++;
    try {
      const row = readLine({ bytes: body, lines: true }, start, lines, options);
      if (row) rows.push(row);
    } catch (error) {
      if (!(error instanceof ScanFault)) throw error;
      const member = error instanceof MemberFault ? error.member : undefined;
      const fault = { line: lines, offset: error.offset, code: error.code };
      faults.push(member === undefined ? fault : { ...fault, member });
    }
    start = end;
  }
  if (lines > options.maxLines) return { lines: options.maxLines + 1, frames: [], faults: [], tooManyLines: true };
  frames.push(...frameRows(rows, options));
  return { lines, frames, faults, tooManyLines: false };
}

/** The row of one line; null for a blank one. */
function readLine(text: JsonText, at: number, line: number, options: RouteOptions): Row | null {
  const start = skipSpace(text, at);
  if (atEnd(text, start)) return null;
  const members = new Map<string, Span>();
  const isObject = text.bytes[start] === 0x7b;
  const end = isObject
    ? scanObject(text, start, 1, (name, from, to) => members.set(name, { from, to }))
    : scanValue(text, start, 0);
  const rest = skipSpace(text, end);
  if (!atEnd(text, rest)) throw new ScanFault("trailing-bytes", rest);
  if (!isObject) throw new ScanFault("not-object", start);
  const required = MEMBERS.slice(0, 3).map((member) => requiredText(text.bytes, start, member, members.get(member)));
  const [service, key, name] = required as [string, string, string];
  const inputSpan = members.get("input");
  const input = inputSpan ? text.bytes.slice(inputSpan.from, inputSpan.to) : new Uint8Array();
  const source = idSource(text.bytes, line, members.get("id"));
  const texts = [service, key, name].map((value) => encoder.encode(value));
  const size = texts.reduce((sum, bytes) => sum + bytes.length + 1, input.length);
  if (size + ROW_OVERHEAD + ROW_MARGIN > MAX_TABLE_BYTES) throw new ScanFault("line-too-large", start);
  // 0 is that of what has none, and fits everything.
  const fingerprint = xxh64(concat([encoder.encode(`${service}\0${key}\0${name}\0`), input])) || 1n;
  const flags = options.clientScope ? 1 : 0;
  const columns = [line, flags, Number(fingerprint & 0xffffffffn), Number(fingerprint >> 32n)];
  const fields = [encoder.encode(requestId(options, source, line)), ...texts, input];
  const partition = options.groups[murmur3(key) & (options.groups.length - 1)] as number;
  return { columns, fields, partition };
}

function requiredText(bytes: Uint8Array, line: number, member: Member, span: Span | undefined): string {
  if (!span) throw new MemberFault("missing", line, member);
  if (bytes[span.from] !== 0x22) throw new MemberFault("wrong-type", span.from, member);
  const value = wellFormed(bytes, span, member);
  if (value === "") throw new MemberFault("empty-member", span.from, member);
  if (member === "key" && encoder.encode(value).length > MAX_KEY_BYTES) {
    throw new MemberFault("key-too-large", span.from, member);
  }
  return value;
}

function wellFormed(bytes: Uint8Array, span: Span, member: Member): string {
  const value = stringValue(bytes, span.from, span.to);
  if (value.isWellFormed()) return value;
  // The fault is at the first escape of which the value so far does not recover.
  const text = new TextDecoder().decode(bytes.subarray(span.from, span.to));
  const escapes =
    /\\(?:u([dD][89abAB][0-9a-fA-F]{2})(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|u([dD][c-fC-F][0-9a-fA-F]{2})|.)/gs;
  for (const match of text.matchAll(escapes)) {
    const lone = (match[1] !== undefined && match[2] === undefined) || match[3] !== undefined;
    if (lone) {
      throw new MemberFault("bad-surrogate", span.from + encoder.encode(text.slice(0, match.index)).length, member);
    }
  }
  throw new Error("an ill-formed string without a lone surrogate escape");
}

/** What the request id is derived from: line, integer and string ids begin with different letters, so that they differ. */
function idSource(bytes: Uint8Array, line: number, span: Span | undefined): Uint8Array {
  if (!span) return encoder.encode(`l${line}`);
  if (bytes[span.from] === 0x22) {
    if (span.to === span.from + 2) throw new MemberFault("empty-member", span.from, "id");
    return encoder.encode(`s${wellFormed(bytes, span, "id")}`);
  }
  const text = new TextDecoder().decode(bytes.subarray(span.from, span.to));
  if (!/^-?[0-9]+$/.test(text)) throw new MemberFault("wrong-type", span.from, "id");
  return encoder.encode(`i${text}`);
}

function requestId({ clientScope, edgeId }: RouteOptions, source: Uint8Array, line: number): string {
  if (!clientScope) return edgeId + line.toString(16).padStart(8, "0");
  return `c${sha256(concat([clientScope, source]))}`.slice(0, 32);
}

/** Frames of one slice's rows: by partition, then in line order, split by rows and bytes. */
function frameRows(rows: readonly Row[], options: RouteOptions): RoutedFrame[] {
  const frames: RoutedFrame[] = [];
  const byPartition = Map.groupBy(rows, (row) => row.partition);
  const maxBytes = Math.min(options.maxBytes, MAX_TABLE_BYTES);
  for (const partition of [...byPartition.keys()].sort((a, b) => a - b)) {
    let frame: Row[] = [];
    let bytes = TABLE_OVERHEAD;
    for (const row of byPartition.get(partition) ?? []) {
      const more = row.fields.reduce((sum, field) => sum + field.length, 4 * 4 + 5 * 4);
      if (frame.length > 0 && (frame.length >= options.maxRows || bytes + more > maxBytes)) {
        frames.push(packRows(partition, frame, options));
        frame = [];
        bytes = TABLE_OVERHEAD;
      }
      frame.push(row);
      bytes += more;
    }
    frames.push(packRows(partition, frame, options));
  }
  return frames;
}

function packRows(partition: number, rows: readonly Row[], { spec }: RouteOptions): RoutedFrame {
  const columns = rows.flatMap((row) => row.columns);
  const fields = rows.flatMap((row) => row.fields);
  return { partition, rows: rows.length, bytes: packBytes(spec, rows.length, columns, fields, new Uint8Array()) };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
