/** Batch routing in JavaScript: as one would write it, and as fast as it goes over bytes. Neither fingerprints nor checksums, which Wasm does: that favours them. */
import { murmurBytes, murmurText } from "./murmur.ts";

export interface JsFrame {
  readonly partition: number;
  readonly bytes: Uint8Array;
}
/** One invocation of a frame, to compare. */
export type JsRow = readonly [id: string, service: string, key: string, name: string, input: string];

export interface JsRouting {
  readonly groups: Uint16Array;
  readonly edgeId: string;
  readonly maxRows: number;
}

interface Line {
  readonly service: string;
  readonly key: string;
  readonly function: string;
  readonly input: unknown;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function requestId(edgeId: string, line: number): string {
  return edgeId + line.toString(16).padStart(8, "0");
}

/** split, JSON.parse, hash, group, JSON.stringify. */
export function routeIdiomatic(body: Uint8Array, { groups, edgeId, maxRows }: JsRouting): JsFrame[] {
  const byPartition = new Map<number, JsRow[]>();
  for (const [index, text] of decoder.decode(body).split("\n").entries()) {
    if (text.trim() === "") continue;
    const line = JSON.parse(text) as Line;
    const partition = groups[murmurText(line.key) & (groups.length - 1)] as number;
    let rows = byPartition.get(partition);
    if (!rows) byPartition.set(partition, (rows = []));
    rows.push([requestId(edgeId, index + 1), line.service, line.key, line.function, JSON.stringify(line.input)]);
  }
  const frames: JsFrame[] = [];
  for (const [partition, rows] of byPartition) {
    for (let at = 0; at < rows.length; at += maxRows) {
      frames.push({ partition, bytes: encoder.encode(JSON.stringify(rows.slice(at, at + maxRows))) });
    }
  }
  return frames;
}

/** Rows of an idiomatic frame. */
export function rowsOfIdiomatic({ bytes }: JsFrame): JsRow[] {
  return JSON.parse(decoder.decode(bytes)) as JsRow[];
}

const QUOTE = 0x22;
const PREFIXES = ['{"service":"', ',"key":"', ',"function":"', ',"input":'].map((text) => encoder.encode(text));
const ROW_HEADER = 20;

/** Behind the string whose first byte is at `p`; strings with escapes are checked only for their end. */
function skipString(bytes: Uint8Array, p: number): number {
  for (let at = p; ; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at;
    if (byte === 0x5c) at++;
    else if (!(byte >= 0x20)) throw new Error(`unsound string at ${at}`);
  }
}

/** Behind the value at `p`: strings and brackets are matched, the rest is taken on trust. */
function skipValue(bytes: Uint8Array, p: number): number {
  let depth = 0;
  for (let at = p; ; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) at = skipString(bytes, at + 1);
    else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) {
      if (depth === 0) return at;
      depth--;
    } else if (byte === 0x2c && depth === 0) return at;
    else if (!(byte >= 0x20)) throw new Error(`unsound value at ${at}`);
  }
}

function expectPrefix(bytes: Uint8Array, p: number, prefix: Uint8Array): number {
  for (let i = 0; i < prefix.length; i++)
    if (bytes[p + i] !== prefix[i]) throw new Error(`not the expected line at ${p}`);
  return p + prefix.length;
}

/** Bytes throughout: members in the expected order, five spans a row, a counting sort, and copies into one buffer a partition. */
export function routeTuned(body: Uint8Array, { groups, edgeId }: JsRouting): JsFrame[] {
  const edge = encoder.encode(edgeId);
  const rows: number[] = [];
  const sizes = new Uint32Array(65536);
  let line = 1;
  for (let p = 0; p < body.length; line++) {
    const service = expectPrefix(body, p, PREFIXES[0] as Uint8Array);
    const serviceEnd = skipString(body, service);
    const key = expectPrefix(body, serviceEnd + 1, PREFIXES[1] as Uint8Array);
    const keyEnd = skipString(body, key);
    const name = expectPrefix(body, keyEnd + 1, PREFIXES[2] as Uint8Array);
    const nameEnd = skipString(body, name);
    const input = expectPrefix(body, nameEnd + 1, PREFIXES[3] as Uint8Array);
    const inputEnd = skipValue(body, input);
    const partition = groups[murmurBytes(body, key, keyEnd) & (groups.length - 1)] as number;
    const bytes = ROW_HEADER + 32 + serviceEnd - service + (keyEnd - key) + (nameEnd - name) + (inputEnd - input);
    sizes[partition] = (sizes[partition] as number) + bytes;
    rows.push(partition, line, service, serviceEnd, key, keyEnd, name, nameEnd, input, inputEnd);
    p = body.indexOf(10, inputEnd) + 1 || body.length;
  }
  return layOut(body, rows, sizes, edge);
}

function layOut(body: Uint8Array, rows: readonly number[], sizes: Uint32Array, edge: Uint8Array): JsFrame[] {
  const frames: JsFrame[] = [];
  const targets: { bytes: Uint8Array; view: DataView; at: number }[] = [];
  for (let i = 0; i < rows.length; i += 10) {
    const partition = rows[i] as number;
    let target = targets[partition];
    if (!target) {
      const bytes = new Uint8Array(sizes[partition] as number);
      target = { bytes, view: new DataView(bytes.buffer), at: 0 };
      targets[partition] = target;
      frames.push({ partition, bytes });
    }
    target.at = putRow(body, rows, i, edge, target);
  }
  return frames;
}

function putRow(
  body: Uint8Array,
  rows: readonly number[],
  row: number,
  edge: Uint8Array,
  { bytes, view, at }: { bytes: Uint8Array; view: DataView; at: number },
): number {
  view.setUint32(at, rows[row + 1] as number, true);
  let out = at + ROW_HEADER;
  for (let i = 0; i < edge.length; i++) bytes[out++] = edge[i] as number;
  for (let shift = 28; shift >= 0; shift -= 4) {
    const nibble = ((rows[row + 1] as number) >>> shift) & 15;
    bytes[out++] = nibble + (nibble > 9 ? 0x57 : 0x30);
  }
  for (let part = 0; part < 4; part++) {
    const from = rows[row + 2 + 2 * part] as number;
    const to = rows[row + 3 + 2 * part] as number;
    view.setUint32(at + 4 + 4 * part, to - from, true);
    for (let p = from; p < to; p++) bytes[out++] = body[p] as number;
  }
  return out;
}

/** Rows of a tuned frame. */
export function rowsOfTuned({ bytes }: JsFrame): JsRow[] {
  const view = new DataView(bytes.buffer);
  const rows: JsRow[] = [];
  for (let at = 0; at < bytes.length;) {
    const lengths = [32, ...[4, 8, 12, 16].map((i) => view.getUint32(at + i, true))];
    at += ROW_HEADER;
    const fields = lengths.map((length) => decoder.decode(bytes.subarray(at, (at += length))));
    rows.push(fields as unknown as JsRow);
  }
  return rows;
}
