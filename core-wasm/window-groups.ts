/** Decodes window groups whose bytes have been verified; docs/formats.md, "Window groups", has the layout. */
import type { Measure, WindowGroup } from "./types.ts";

const HEAD = 56;
const GROUP_HEAD = 24;
const MEASURE_BYTES = 24;
const FLOAT = 2;
const TEXT = 3;
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

/** The groups of a verified frame, in its order: (start, key). */
export function decodeGroups(bytes: Uint8Array): WindowGroup[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const rows = view.getUint32(8, true);
  const measures = view.getUint16(12, true);
  const keys = view.getUint16(14, true) === TEXT ? decodeKeys(bytes, view, HEAD + rows * width(measures)) : null;
  const floats = Array.from({ length: measures }, (_, i) => view.getUint8(48 + i) === FLOAT);
  const groups: WindowGroup[] = [];
  for (let row = 0, at = HEAD; row < rows; row++, at += width(measures)) {
    groups.push({
      key: keys === null ? view.getBigInt64(at, true) : (keys[view.getUint32(at, true)] as string),
      start: view.getBigInt64(at + 8, true),
      count: view.getBigInt64(at + 16, true),
      measures: floats.map((float, i) => decodeMeasure(view, at + GROUP_HEAD + i * MEASURE_BYTES, float)),
    });
  }
  return groups;
}

function width(measures: number): number {
  return GROUP_HEAD + measures * MEASURE_BYTES;
}

function decodeKeys(bytes: Uint8Array, view: DataView, at: number): string[] {
  const count = view.getUint32(20, true);
  const heap = at + 4 * count;
  const keys: string[] = [];
  let from = heap;
  for (let i = 0; i < count; i++) {
    const to = heap + view.getUint32(at + 4 * i, true);
    keys.push(decoder.decode(bytes.subarray(from, to)));
    from = to;
  }
  return keys;
}
