/** Text functions over columns: once for each different text where the other arguments are constants. */

import type { ExpressionNode } from "../../sdk/index.ts";
import { cellAt, type Column, plain, saturated, type TextColumn } from "./column.ts";
import type { Program } from "./expressions.ts";

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
        const strings = Array.from({ length }, (_, row) => String(cellAt(column, row)));
        return { type: "text", codes: Uint32Array.from(strings, (_, row) => row), strings };
      };
    case "to-int":
      return first.kind === "text" ? numbersOf(of, wholeOf) : (sides, length) => toWhole(of(sides, length));
    case "length":
      return numbersOf(of, (text) => text.length);
    case "occurrences":
      return numbersOf(of, (text) => occurrences(text, String(constants[0])));
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
      return textsOf(of, (text) => text.split(String(constants[0]))[Number(constants[1])] ?? "");
    case "match": {
      const pattern = new RegExp(String(constants[0]), String(constants[1]));
      return textsOf(of, (text) => (pattern.exec(text)?.[Number(constants[2])] ?? "").toWellFormed());
    }
    case "concat":
      return concat([of, ...rest.map(compile)]);
    default:
      throw new TypeError(`there is no function ${node.op}`);
  }
}

function textsOf(of: Program, map: (text: string) => string): Program {
  return (sides, length) => {
    const { codes, strings } = of(sides, length) as TextColumn;
    return { type: "text", codes, strings: strings.map(map) };
  };
}

function numbersOf(of: Program, map: (text: string) => bigint | number): Program {
  return (sides, length) => {
    const { codes, strings } = of(sides, length) as TextColumn;
    const known = strings.map(map);
    if (known.every((value) => typeof value === "number"))
      return { type: "number", values: Float64Array.from(codes, (code) => known[code] as number) };
    return { type: "big", values: BigInt64Array.from(codes, (code) => BigInt(known[code] as bigint)) };
  };
}

function concat(parts: readonly Program[]): Program {
  return (sides, length) => {
    const columns = parts.map((part) => part(sides, length) as TextColumn);
    const strings = Array.from({ length }, (_, row) =>
      columns.reduce((text, { codes, strings: of }) => text + (of[codes[row] as number] as string), ""),
    );
    return { type: "text", codes: Uint32Array.from(strings, (_, row) => row), strings };
  };
}

function wholeOf(text: string): bigint | number {
  return /^[+-]?\d{1,40}$/.test(text) ? plain(saturated(BigInt(text.replace(/^\+/, "")))) : 0;
}

function occurrences(text: string, of: string): number {
  if (of === "") return 0;
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
