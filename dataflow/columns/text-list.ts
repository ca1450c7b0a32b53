/** The different texts of a column. Those of a frame stay bytes until somebody wants them as strings: most are only compared, cut, or dropped. */

import { fitsUtf8, utf8Length } from "../../sdk/utf8.ts";

/** Texts as ranges of one piece of UTF-8. */
export interface TextBytes {
  readonly heap: TextHeap;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}
/** Ranges within a heap. */
export type Ranges = Omit<TextBytes, "heap">;

/** Functions over texts in bytes: the Wasm core's, or their twin. Needles are well-formed UTF-8 and not empty. */
export interface TextKernels {
  /** What stands before, between or behind separators, counted from 0; an empty range where there are not so many. */
  splitTexts(bytes: Uint8Array, texts: Ranges, separator: Uint8Array, part: number): Ranges;
  /** How often the needle is in each text; occurrences do not overlap. At most `most` are looked for. */
  countInTexts(bytes: Uint8Array, texts: Ranges, needle: Uint8Array, most: number): Uint32Array;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** One text in so many bytes of a heap's: fewer are decoded one by one. */
const SPARSE = 8;

/** The bytes of many texts, which others are cut from. */
export class TextHeap {
  readonly bytes: Uint8Array;
  readonly kernels: TextKernels;
  /** All of it as a string where it is ASCII: then a byte is a unit of the string. */
  #ascii: string | null | undefined;

  constructor(bytes: Uint8Array, kernels: TextKernels) {
    this.bytes = bytes;
    this.kernels = kernels;
  }

  get ascii(): string | null {
    if (this.#ascii === undefined) {
      const whole = decoder.decode(this.bytes);
      this.#ascii = whole.length === this.bytes.length ? whole : null;
    }
    return this.#ascii;
  }

  /** These ranges of it as strings. */
  strings({ starts, ends }: Ranges): string[] {
    const strings = new Array<string>(starts.length);
    let own = 0;
    for (let at = 0; at < starts.length; at++) own += (ends[at] as number) - (starts[at] as number);
    const whole = this.#ascii === undefined && own < this.bytes.length / SPARSE ? null : this.ascii;
    for (let at = 0; at < starts.length; at++) {
      const [start, end] = [starts[at] as number, ends[at] as number];
      strings[at] = whole === null ? decoder.decode(this.bytes.subarray(start, end)) : whole.slice(start, end);
    }
    return strings;
  }
}

export class TextList {
  readonly length: number;
  /** Null where they were made as strings. */
  readonly bytes: TextBytes | null;
  #strings: readonly string[] | null;

  private constructor(length: number, bytes: TextBytes | null, strings: readonly string[] | null) {
    this.length = length;
    this.bytes = bytes;
    this.#strings = strings;
  }

  static of(strings: readonly string[]): TextList {
    return new TextList(strings.length, null, strings);
  }

  static ofBytes(bytes: TextBytes): TextList {
    return new TextList(bytes.starts.length, bytes, null);
  }

  get strings(): readonly string[] {
    return (this.#strings ??= this.bytes === null ? [] : this.bytes.heap.strings(this.bytes));
  }

  /** Those with these numbers, in this order. */
  pick(numbers: Uint32Array): TextList {
    if (this.bytes === null || this.#strings !== null) {
      const strings = new Array<string>(numbers.length);
      for (let at = 0; at < numbers.length; at++) strings[at] = this.strings[numbers[at] as number] as string;
      return TextList.of(strings);
    }
    const { heap, starts, ends } = this.bytes;
    return TextList.ofBytes({ heap, starts: pickWords(starts, numbers), ends: pickWords(ends, numbers) });
  }

  /** One behind the other. */
  static join(lists: readonly TextList[]): TextList {
    const [first] = lists;
    if (lists.length === 1 && first !== undefined) return first;
    const heap = first?.bytes?.heap;
    if (heap !== undefined && lists.every(({ bytes }) => bytes?.heap === heap)) {
      const all = lists.map(({ bytes }) => bytes as TextBytes);
      const [starts, ends] = [joinWords(all.map((each) => each.starts)), joinWords(all.map((each) => each.ends))];
      return TextList.ofBytes({ heap, starts, ends });
    }
    return TextList.of(([] as string[]).concat(...lists.map(({ strings }) => strings)));
  }

  /** Bytes of UTF-8 of the longest. */
  get longest(): number {
    const { bytes } = this;
    let longest = 0;
    if (bytes === null) for (const text of this.strings) longest = Math.max(longest, utf8Length(text));
    else
      for (let at = 0; at < bytes.ends.length; at++)
        longest = Math.max(longest, (bytes.ends[at] as number) - (bytes.starts[at] as number));
    return longest;
  }

  /** 1 for those that have more bytes of UTF-8. */
  longerThan(most: number): Uint8Array {
    const { bytes } = this;
    if (bytes === null) return Uint8Array.from(this.strings, (text) => (fitsUtf8(text, most) ? 0 : 1));
    const { starts, ends } = bytes;
    return Uint8Array.from(ends, (end, at) => (end - (starts[at] as number) > most ? 1 : 0));
  }

  /** 1 for those that are the text. */
  equals(text: string): Uint8Array {
    const result = new Uint8Array(this.length);
    if (this.bytes === null || this.#strings !== null) {
      const { strings } = this;
      for (let at = 0; at < strings.length; at++) result[at] = strings[at] === text ? 1 : 0;
      return result;
    }
    const wanted = encoder.encode(text);
    const { heap, starts, ends } = this.bytes;
    for (let at = 0; at < starts.length; at++) {
      const start = starts[at] as number;
      if ((ends[at] as number) - start === wanted.length && same(heap.bytes, start, wanted)) result[at] = 1;
    }
    return result;
  }
}
const encoder = new TextEncoder();

function same(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

function pickWords(from: Uint32Array, numbers: Uint32Array): Uint32Array {
  const words = new Uint32Array(numbers.length);
  for (let at = 0; at < words.length; at++) words[at] = from[numbers[at] as number] as number;
  return words;
}

function joinWords(parts: readonly Uint32Array[]): Uint32Array {
  const words = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    words.set(part, at);
    at += part.length;
  }
  return words;
}
