/** Fuzzing of functions over texts: split and counted as the twin does it, and as strings are, at every place of a text. */
import { countInTexts, splitTexts } from "../../core-wasm/reference/texts.ts";
import type { TextRanges } from "../../core-wasm/types.ts";
import type { Random } from "../core-wasm/support/random.ts";
import { differ, type Target, without, withoutBytes } from "./target.ts";

interface Case {
  readonly bytes: Uint8Array;
  /** From and behind, each a range of the bytes. */
  readonly texts: readonly (readonly [from: number, to: number])[];
  readonly needle: Uint8Array;
  readonly part: number;
  readonly most: number;
}

const LONGEST = 80;
const PARTS = [0, 0, 1, 1, 2, 3, 7, 40, 0xffff_ffff];

/** Few different bytes, so that needles are found, and half found. */
function someBytes(random: Random, length: number): Uint8Array {
  const different = random.pick([1, 2, 3, 256]);
  return Uint8Array.from({ length }, () => (random.int(different) + 97) & 0xff);
}

function needleIn(bytes: Uint8Array, random: Random): Uint8Array {
  const length = 1 + random.int(random.pick([1, 2, 4, 40]));
  const from = random.int(bytes.length + 1);
  const inside = bytes.slice(from, from + length);
  return random.int(3) > 0 && inside.length > 0 ? inside : someBytes(random, length);
}

function ranges({ texts }: Case): TextRanges {
  return { starts: Uint32Array.from(texts, ([from]) => from), ends: Uint32Array.from(texts, ([, to]) => to) };
}

/** As Latin-1, where each byte is a character. */
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

export const texts: Target<Case> = {
  make(random) {
    const bytes = someBytes(random, random.int(LONGEST));
    const every = random.int(8) === 0;
    const some = Array.from(
      { length: every ? bytes.length + 1 : random.int(12) },
      (_, at): readonly [number, number] => {
        // Every place where a text may end, or begin.
        if (every) return bytes.length % 2 === 0 ? [0, at] : [at, bytes.length];
        const from = random.int(bytes.length + 1);
        return [from, from + random.int(bytes.length - from + 1)];
      },
    );
    const needle = needleIn(bytes, random);
    return { bytes, texts: some, needle, part: random.pick(PARTS), most: random.pick([0, 1, 2, 5, 0xffff_ffff]) };
  },
  check({ kernels }, item) {
    const { bytes, needle, part, most } = item;
    const given = ranges(item);
    const split = kernels.splitTexts(bytes, given, needle, part);
    const counts = kernels.countInTexts(bytes, given, needle, most);
    const strings = item.texts.map(([from, to]) => latin1(bytes.subarray(from, to)));
    const parts = Array.from(split.starts, (start, at) => latin1(bytes.subarray(start, split.ends[at])));
    return (
      differ(split, splitTexts(bytes, ranges(item), needle, part)) ??
      differ(counts, countInTexts(bytes, ranges(item), needle, most)) ??
      differ(
        parts,
        strings.map((text) => text.split(latin1(needle))[part] ?? ""),
      ) ??
      differ(
        Array.from(counts),
        strings.map((text) => Math.min(most, text.split(latin1(needle)).length - 1)),
      ) ??
      differ(given, ranges(item))
    );
  },
  *smaller(item) {
    for (const some of without(item.texts)) yield { ...item, texts: some };
    for (const needle of withoutBytes(item.needle)) if (needle.length > 0) yield { ...item, needle };
    for (let at = 0; at < item.bytes.length; at++) {
      const bytes = Uint8Array.from([...item.bytes.subarray(0, at), ...item.bytes.subarray(at + 1)]);
      const less = (place: number) => (place > at ? place - 1 : place);
      yield { ...item, bytes, texts: item.texts.map(([from, to]) => [less(from), less(to)] as const) };
    }
    if (item.part > 0) yield { ...item, part: Math.min(item.part >>> 1, item.part - 1) };
  },
  show: (item) =>
    JSON.stringify({ ...item, bytes: latin1(item.bytes), needle: latin1(item.needle) }) + " (bytes as Latin-1)",
};
