/** Twin of the header that columns frames and window groups share with packed tables. */
import { CorruptError } from "../types.ts";
import { xxh64 } from "./xxh64.ts";

export const FRAME_HEADER = 32;
const CHECKSUM_AT = 24;

export interface FrameLabel {
  readonly magic: string;
  readonly kind: number;
  readonly version: number;
}

/** Grows as little-endian values are put; alignment is that of the start. */
export class ByteWriter {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  raw(bytes: Uint8Array): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  u32(value: number): void {
    this.#put(4, (view) => view.setUint32(0, value, true));
  }

  i64(value: bigint): void {
    this.#put(8, (view) => view.setBigInt64(0, value, true));
  }

  f64(value: number): void {
    this.#put(8, (view) => view.setFloat64(0, value, true));
  }

  /** Zeros up to a multiple of 8. */
  pad(): void {
    while (this.#bytes.length % 8 !== 0) this.#bytes.push(0);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #put(bytes: number, write: (view: DataView) => void): void {
    const buffer = new ArrayBuffer(bytes);
    write(new DataView(buffer));
    this.raw(new Uint8Array(buffer));
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function checksumOf(frame: Uint8Array): bigint {
  return xxh64(frame.subarray(FRAME_HEADER), xxh64(frame.subarray(0, CHECKSUM_AT)));
}

/** Writes the header of a frame whose first 32 bytes are still zero. */
export function seal(
  frame: Uint8Array,
  label: FrameLabel,
  words: readonly [number, number, number, number],
): Uint8Array {
  const view = viewOf(frame);
  frame.set(new TextEncoder().encode(label.magic), 0);
  view.setUint16(4, label.kind, true);
  view.setUint16(6, label.version, true);
  for (const [i, word] of words.entries()) view.setUint32(8 + 4 * i, word, true);
  view.setBigUint64(CHECKSUM_AT, checksumOf(frame), true);
  return frame;
}

/** @throws CorruptError for another magic, kind or version, or damaged bytes */
export function checkSeal(frame: Uint8Array, label: FrameLabel): void {
  if (frame.length < FRAME_HEADER) throw new CorruptError("length", `${frame.length} bytes`);
  const view = viewOf(frame);
  if (String.fromCharCode(...frame.subarray(0, 4)) !== label.magic) throw new CorruptError("magic", label.magic);
  if (view.getUint16(4, true) !== label.kind) throw new CorruptError("kind", label.magic);
  if (view.getUint16(6, true) !== label.version) throw new CorruptError("version", label.magic);
  if (view.getBigUint64(CHECKSUM_AT, true) !== checksumOf(frame)) throw new CorruptError("checksum", label.magic);
}

/** Reads `count` strings whose ends are u32 at `at`, followed by `bytes` bytes of text. @throws CorruptError */
export function readStrings(frame: Uint8Array, at: number, count: number, bytes: number): Uint8Array[] {
  const view = viewOf(frame);
  const heap = at + 4 * count;
  const strings: Uint8Array[] = [];
  let last = 0;
  for (let i = 0; i < count; i++) {
    const end = view.getUint32(at + 4 * i, true);
    if (end < last || end > bytes) throw new CorruptError("length", "ends of strings are out of order");
    strings.push(frame.subarray(heap + last, heap + end));
    last = end;
  }
  if (last !== bytes) throw new CorruptError("length", "strings do not fill their space");
  return strings;
}

/** Writes strings as `readStrings` reads them. */
export function writeStrings(out: ByteWriter, strings: readonly Uint8Array[]): void {
  let end = 0;
  for (const string of strings) out.u32((end += string.length));
  for (const string of strings) out.raw(string);
}
