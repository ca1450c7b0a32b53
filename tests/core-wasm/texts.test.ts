/** Functions over texts in bytes: the kernels against their twins, and these against strings. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import type { TextRanges } from "../../core-wasm/types.ts";

const wasm = createKernels(loadCore());
const twin = createReferenceKernels();
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Few different characters, so that needles are found, and half found. */
const piece = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b", "/", "é", "€", "😀"), maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
);
const needle = fc.oneof(
  fc.constantFrom("/", "a", "ab", "aa", "é", "b/€", "abababababababababab"),
  fc.string({ unit: fc.constantFrom("a", "b", "/"), minLength: 1, maxLength: 24 }),
);
const cases = fc.record({ texts: fc.array(piece, { maxLength: 40 }), needle, part: fc.nat({ max: 9 }) });

/** The texts one behind the other, with other bytes between some. */
function inBytes(texts: readonly string[]): { readonly bytes: Uint8Array; readonly ranges: TextRanges } {
  const pieces = texts.map((text) => encoder.encode(text));
  const bytes = encoder.encode(texts.map((text, at) => (at % 3 === 0 ? "/a" : "") + text).join(""));
  const starts: number[] = [];
  let at = 0;
  for (const [index, { length }] of pieces.entries()) {
    at += index % 3 === 0 ? 2 : 0;
    starts.push(at);
    at += length;
  }
  const ends = starts.map((start, index) => start + (pieces[index] as Uint8Array).length);
  return { bytes, ranges: { starts: Uint32Array.from(starts), ends: Uint32Array.from(ends) } };
}

test("texts are split as strings are", () => {
  fc.assert(
    fc.property(cases, ({ texts, needle: separator, part }) => {
      const { bytes, ranges } = inBytes(texts);
      const given = { starts: ranges.starts.slice(), ends: ranges.ends.slice() };
      const made = wasm.splitTexts(bytes, ranges, encoder.encode(separator), part);
      expect(made).toEqual(twin.splitTexts(bytes, ranges, encoder.encode(separator), part));
      const strings = Array.from(made.starts, (start, at) => decoder.decode(bytes.subarray(start, made.ends[at])));
      expect(strings).toEqual(texts.map((text) => text.split(separator)[part] ?? ""));
      expect(ranges).toEqual(given);
    }),
    { numRuns: 500 },
  );
});

test("needles are counted as in strings", () => {
  fc.assert(
    fc.property(cases, fc.constantFrom(0, 1, 3, 0xffff_ffff), ({ texts, needle: searched }, most) => {
      const { bytes, ranges } = inBytes(texts);
      const counts = wasm.countInTexts(bytes, ranges, encoder.encode(searched), most);
      expect(counts).toEqual(twin.countInTexts(bytes, ranges, encoder.encode(searched), most));
      expect(Array.from(counts)).toEqual(texts.map((text) => Math.min(most, text.split(searched).length - 1)));
    }),
    { numRuns: 500 },
  );
});

test("no part is found behind a text, wherever it begins", () => {
  const bytes = encoder.encode("x".repeat(70) + "/");
  for (let end = 0; end <= 70; end++) {
    for (const start of [0, 1, 15, 16, 17, end].filter((at) => at <= end)) {
      const ranges = { starts: Uint32Array.of(start), ends: Uint32Array.of(end) };
      expect(wasm.splitTexts(bytes, ranges, encoder.encode("/"), 1)).toEqual({
        starts: Uint32Array.of(end),
        ends: Uint32Array.of(end),
      });
      expect(wasm.countInTexts(bytes, ranges, encoder.encode("x/"), 9)).toEqual(Uint32Array.of(0));
    }
  }
});

test("empty needles and ranges outside the bytes are refused", () => {
  const ranges = { starts: Uint32Array.of(0), ends: Uint32Array.of(4) };
  for (const kernels of [wasm, twin]) {
    expect(() => kernels.splitTexts(encoder.encode("abcd"), ranges, new Uint8Array(), 0)).toThrow(/^bad-needle: /);
    expect(() => kernels.countInTexts(encoder.encode("abcd"), ranges, new Uint8Array(), 1)).toThrow(/^bad-needle: /);
  }
  const other = createKernels(loadCore());
  expect(() => other.splitTexts(encoder.encode("abc"), ranges, encoder.encode("/"), 0)).toThrow();
  expect(() => other.countInTexts(encoder.encode("abc"), ranges, encoder.encode("/"), 1)).toThrow();
});
