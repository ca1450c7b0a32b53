/** Decodes window groups whose bytes have been verified; docs/formats.md, "Window groups", has the layout. */
import type { Measure, PackedGroups, WindowGroup } from "./types.ts";

const HEAD = 56;
const GROUP_HEAD = 24;
const MEASURE_BYTES = 24;
const FLOAT = 2;
const TEXT = 3;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeMeasure(view: DataView, at: number, float: boolean): Measure {
  if (float) {
    return {
      sum: view.getFloat64(at, true),
      min: view.getFloat64(at + 8, true),
      max: view.getFloat64(at + 16, true),
    };
  }
  return {
    sum: view.getBigInt64(at, true),
    min: view.getBigInt64(at + 8, true),
    max: view.getBigInt64(at + 16, true),
  };
}

/** The groups of a verified frame; an empty one has none. */
export class VerifiedGroups implements PackedGroups {
  readonly rows: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #floats: readonly boolean[];
  readonly #textKeys: boolean;
  readonly #width: number;
  /** Offsets of where the texts of keys end, and of the texts; how many they are. */
  readonly #ends: number;
  readonly #texts: number;
  readonly #keys: number;

  constructor(bytes: Uint8Array = new Uint8Array(HEAD)) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const measures = view.getUint16(12, true);
    this.rows = view.getUint32(8, true);
    this.#bytes = bytes;
    this.#view = view;
    this.#floats = Array.from({ length: measures }, (_, i) => view.getUint8(48 + i) === FLOAT);
    this.#textKeys = view.getUint16(14, true) === TEXT;
    this.#width = GROUP_HEAD + measures * MEASURE_BYTES;
    this.#keys = view.getUint32(20, true);
    this.#ends = HEAD + this.rows * this.#width;
    this.#texts = this.#ends + 4 * this.#keys;
  }

  group(row: number): WindowGroup {
    const at = HEAD + row * this.#width;
    const view = this.#view;
    return {
      key: this.#textKeys ? decoder.decode(this.#key(view.getUint32(at, true))) : view.getBigInt64(at, true),
      start: view.getBigInt64(at + 8, true),
      count: view.getBigInt64(at + 16, true),
      measures: this.#floats.map((float, i) => decodeMeasure(view, at + GROUP_HEAD + i * MEASURE_BYTES, float)),
    };
  }

  rowsOf(key: string): number[] {
    const packed = this.#textKeys ? this.#rankOf(encoder.encode(key)) : numberKey(key);
    if (packed === null) return [];
    const low = Number(BigInt.asUintN(32, packed));
    const high = Number(BigInt.asUintN(32, packed >> 32n));
    const rows: number[] = [];
    for (let row = 0, at = HEAD; row < this.rows; row++, at += this.#width)
      if (this.#view.getUint32(at, true) === low && this.#view.getUint32(at + 4, true) === high) rows.push(row);
    return rows;
  }

  /** The UTF-8 of one of the keys. */
  #key(rank: number): Uint8Array {
    const from = rank === 0 ? 0 : this.#view.getUint32(this.#ends + 4 * (rank - 1), true);
    return this.#bytes.subarray(this.#texts + from, this.#texts + this.#view.getUint32(this.#ends + 4 * rank, true));
  }

  /** Keys ascend by their bytes. */
  #rankOf(key: Uint8Array): bigint | null {
    let [low, high] = [0, this.#keys];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareBytes(this.#key(middle), key);
      if (order === 0) return BigInt(middle);
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return null;
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  return a.length - b.length;
}

export function allGroups(groups: PackedGroups): WindowGroup[] {
  return Array.from({ length: groups.rows }, (_, row) => groups.group(row));
}

/** The key that is written so; null where none is. */
export function numberKey(text: string): bigint | null {
  if (!/^(?:0|-?[1-9][0-9]{0,18})$/.test(text)) return null;
  const key = BigInt(text);
  return BigInt.asIntN(64, key) === key ? key : null;
}
