/** Functions over texts in bytes, in Wasm: the bytes and the ranges go in, ranges or counts come out. */
import type { TextRanges } from "../types.ts";
import { checkNeedle } from "../text-ranges.ts";
import type { CoreInstance } from "./instance.ts";

interface TextFunctions {
  splitTexts(
    heap: number,
    bytes: number,
    ranges: number,
    count: number,
    needle: number,
    length: number,
    part: number,
  ): void;
  countInTexts(
    heap: number,
    bytes: number,
    ranges: number,
    count: number,
    needle: number,
    length: number,
    most: number,
  ): void;
}

/** See {@link Kernels.splitTexts}. */
export function splitTexts(
  core: CoreInstance,
  bytes: Uint8Array,
  texts: TextRanges,
  separator: Uint8Array,
  part: number,
): TextRanges {
  const { heap, ranges, needle } = place(core, bytes, texts, separator);
  const count = texts.starts.length;
  core.functions<TextFunctions>().splitTexts(heap, bytes.length, ranges, count, needle, separator.length, part);
  return { starts: wordsAt(core, ranges, count), ends: wordsAt(core, ranges + 4 * count, count) };
}

/** See {@link Kernels.countInTexts}. */
export function countInTexts(
  core: CoreInstance,
  bytes: Uint8Array,
  texts: TextRanges,
  searched: Uint8Array,
  most: number,
): Uint32Array {
  const { heap, ranges, needle } = place(core, bytes, texts, searched);
  const count = texts.starts.length;
  core.functions<TextFunctions>().countInTexts(heap, bytes.length, ranges, count, needle, searched.length, most);
  return wordsAt(core, ranges, count);
}

function place(core: CoreInstance, bytes: Uint8Array, { starts, ends }: TextRanges, searched: Uint8Array) {
  checkNeedle(searched);
  core.resetScratch();
  const heap = core.writeScratch(bytes);
  const needle = core.writeScratch(searched);
  const ranges = core.scratch(8 * starts.length);
  core.u32.set(starts, ranges >>> 2);
  core.u32.set(ends, (ranges >>> 2) + starts.length);
  return { heap, needle, ranges };
}

function wordsAt(core: CoreInstance, at: number, count: number): Uint32Array {
  return core.copyWords(at >>> 2, (at >>> 2) + count);
}
