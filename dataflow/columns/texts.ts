/** Text functions over columns: once for each different text where the other arguments are constants, in bytes by kernels where they can. */

import type { ExpressionNode } from "../../sdk/index.ts";
import { INT64_MAX } from "../../sdk/limits.ts";
import { cellAt, type Column, plain, saturated, type TextColumn } from "./column.ts";
import type { Program } from "./expressions.ts";
import { chosen } from "./chosen.ts";
import { requiredText } from "./required-text.ts";
import { type TextBytes, TextList } from "./text-list.ts";

type Call = Extract<ExpressionNode, { readonly args: readonly ExpressionNode[] }>;

export function textProgram(node: Call, compile: (node: ExpressionNode) => Program): Program {
  const [first, ...rest] = node.args;
  if (first === undefined) throw new TypeError(`${node.op} without an argument`);
  const of = compile(first);
  const constants = rest.map((arg) => (arg.op === "literal" ? arg.value : undefined));
  switch (node.op) {
    case "to-text":
      return (sides, length) => {
        const column = of(sides, length);
        const strings = new Array<string>(length);
        for (let row = 0; row < length; row++) strings[row] = String(cellAt(column, row));
        return { type: "text", codes: numbersTo(length), texts: TextList.of(strings) };
      };
    case "to-int":
      return first.kind === "text" ? numbersOf(of, wholeOf) : (sides, length) => toWhole(of(sides, length));
    case "length":
      return numbersOf(of, (text) => text.length);
    case "occurrences":
      return counted(of, String(constants[0]));
    case "lower":
      return textsOf(of, (text) => text.toLowerCase());
    case "upper":
      return textsOf(of, (text) => text.toUpperCase());
    case "trim":
      return textsOf(of, (text) => text.trim());
    case "substring": {
      const [from, to] = constants.map(Number);
      return textsOf(of, (text) => text.slice(from, to).toWellFormed());
    }
    case "split":
      return parted(of, String(constants[0]), Number(constants[1]));
    case "match":
      return matched(of, String(constants[0]), String(constants[1]), Number(constants[2]));
    case "concat":
      return concat([of, ...rest.map((each) => compile(each))]);
    default:
      throw new TypeError(`there is no function ${node.op}`);
  }
}

function textsOf(of: Program, map: (text: string) => string): Program {
  return (sides, length) => {
    const { codes, texts } = of(sides, length) as TextColumn;
    return { type: "text", codes, texts: TextList.of(texts.strings.map(map)) };
  };
}

function parted(of: Program, separator: string, part: number): Program {
  const bytes = encoder.encode(separator);
  const inBytes = bytes.length > 0 && part >= 0 && part <= MOST_PARTS;
  return (sides, length) => {
    const { codes, texts } = of(sides, length) as TextColumn;
    if (texts.bytes === null || !inBytes) {
      const parts = texts.strings.map((text) => (text.split(separator)[part] ?? "").toWellFormed());
      return { type: "text", codes, texts: TextList.of(parts) };
    }
    const { heap } = texts.bytes;
    const ranges = heap.kernels.splitTexts(heap.bytes, texts.bytes, bytes, part);
    return { type: "text", codes, texts: TextList.ofBytes({ heap, ...ranges }) };
  };
}
/** What the kernels count with is a u32. */
const MOST_PARTS = 2 ** 31;
const encoder = new TextEncoder();

function matched(of: Program, source: string, flags: string, group: number): Program {
  const pattern = new RegExp(source, flags);
  const match = (text: string): string => (pattern.exec(text)?.[group] ?? "").toWellFormed();
  const required = requiredText(source, flags);
  return (sides, length) => {
    const { codes, texts } = of(sides, length) as TextColumn;
    if (texts.bytes === null || required === "")
      return { type: "text", codes, texts: TextList.of(texts.strings.map(match)) };
    // Only those that can match are made strings; of all others comes the empty text, as the first.
    const may = chosen(countIn(texts.bytes, required, 1));
    const found = new Array<string>(may.length + 1).fill("");
    const renamed = new Uint32Array(texts.length);
    for (const [at, text] of texts.pick(may).strings.entries()) {
      found[at + 1] = match(text);
      renamed[may[at] as number] = at + 1;
    }
    const own = new Uint32Array(codes.length);
    for (let row = 0; row < own.length; row++) own[row] = renamed[codes[row] as number] as number;
    return { type: "text", codes: own, texts: TextList.of(found) };
  };
}

/** How often a text that is not empty is in others. */
function occurrencesIn(texts: TextList, of: string): ArrayLike<number> {
  return texts.bytes === null
    ? texts.strings.map((text) => occurrences(text, of))
    : countIn(texts.bytes, of, 0xffff_ffff);
}

function countIn(texts: TextBytes, of: string, most: number): Uint32Array {
  return texts.heap.kernels.countInTexts(texts.heap.bytes, texts, encoder.encode(of), most);
}

function counted(of: Program, needle: string): Program {
  return (sides, length) => {
    const { codes, texts } = of(sides, length) as TextColumn;
    const values = new Float64Array(codes.length);
    if (needle === "") return { type: "number", values };
    const known = occurrencesIn(texts, needle);
    for (let row = 0; row < codes.length; row++) values[row] = known[codes[row] as number] as number;
    return { type: "number", values };
  };
}

/** 1 for the texts that have the part in them. */
export function containing(texts: TextList, part: string): ArrayLike<number> {
  if (texts.bytes === null || part === "") return texts.strings.map((text) => Number(text.includes(part)));
  return countIn(texts.bytes, part, 1);
}

function numbersOf(of: Program, map: (text: string) => bigint | number): Program {
  return (sides, length) => {
    const { codes, texts } = of(sides, length) as TextColumn;
    const known = texts.strings.map(map);
    if (known.every((value) => typeof value === "number")) {
      const values = new Float64Array(codes.length);
      for (let row = 0; row < codes.length; row++) values[row] = known[codes[row] as number] as number;
      return { type: "number", values };
    }
    return { type: "big", values: BigInt64Array.from(codes, (code) => BigInt(known[code] as bigint)) };
  };
}

function concat(parts: readonly Program[]): Program {
  return (sides, length) => {
    const columns = parts.map((part) => part(sides, length) as TextColumn);
    const strings = new Array<string>(length).fill("");
    for (const { codes, texts } of columns) {
      const own = texts.strings;
      for (let row = 0; row < length; row++)
        strings[row] = (strings[row] as string) + (own[codes[row] as number] as string);
    }
    return { type: "text", codes: numbersTo(length), texts: TextList.of(strings) };
  };
}

/** 0, 1, 2, … */
function numbersTo(length: number): Uint32Array {
  const numbers = new Uint32Array(length);
  for (let at = 0; at < length; at++) numbers[at] = at;
  return numbers;
}

function wholeOf(text: string): bigint | number {
  if (!/^[+-]?\d+$/.test(text)) return 0;
  const digits = text.replace(/^[+-]?0*/, "");
  // More digits than int64 has are beyond it: to make a number of a very long text takes long.
  const size = digits.length > INT64_DIGITS ? INT64_MAX + 1n : BigInt(digits);
  return plain(saturated(text.startsWith("-") ? -size : size));
}
const INT64_DIGITS = 19;

function occurrences(text: string, of: string): number {
  let found = 0;
  for (let at = text.indexOf(of); at >= 0; at = text.indexOf(of, at + of.length)) found++;
  return found;
}

/** Cut towards 0. */
function toWhole(column: Column): Column {
  if (column.type !== "number") return column;
  const values = column.values.map((value) => Math.trunc(value) + 0);
  if (values.every(Number.isSafeInteger)) return { type: "number", values };
  return { type: "big", values: BigInt64Array.from(values, (value) => saturated(BigInt(value))) };
}
