/** Functions of time over columns; all of UTC. */

import type { ExpressionNode } from "../../sdk/index.ts";
import { type BigColumn, bigValues, doubles, type NumberColumn, saturated } from "./column.ts";
import type { Program } from "./expressions.ts";
import { TextList } from "./text-list.ts";

type Call = Extract<ExpressionNode, { readonly args: readonly ExpressionNode[] }>;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** 1970 began on a Thursday. */
const FIRST_DAY = 3;

/** Undefined for what is no function of time. */
export function timeProgram(node: Call, compile: (node: ExpressionNode) => Program): Program | undefined {
  const [first, argument] = node.args;
  if (first?.kind !== "timestamp") return undefined;
  const constant = argument?.op === "literal" ? argument.value : 0;
  switch (node.op) {
    case "to-int":
      return compile(first);
    case "floor":
      return floored(compile(first), Number(constant));
    case "hour":
      return numbers(compile(first), (time) => Math.floor(modulo(time, DAY) / HOUR));
    case "day-of-week":
      return numbers(compile(first), (time) => modulo(Math.floor(time / DAY) + FIRST_DAY, 7) + 1);
    case "day":
      return numbers(compile(first), (time) => calendar(time).getUTCDate());
    case "month":
      return numbers(compile(first), (time) => calendar(time).getUTCMonth() + 1);
    case "year":
      return numbers(compile(first), (time) => calendar(time).getUTCFullYear());
    case "format":
      return formatted(compile(first), String(constant));
    default:
      return undefined;
  }
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

/** Times that no calendar has are shown as 1970. */
function calendar(time: number): Date {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? new Date(0) : date;
}

/** Beyond 2^53 exact, and no earlier than int64 goes. */
function floored(of: Program, size: number): Program {
  const step = BigInt(size);
  const floorOf = (time: bigint): bigint => {
    const into = ((time % step) + step) % step;
    return saturated(time - into);
  };
  return (sides, length) => {
    const column = of(sides, length) as NumberColumn | BigColumn;
    if (column.type === "big") return { type: "big", values: column.values.map(floorOf) };
    const values = column.values.map((time) => Math.floor(time / size) * size);
    return values.every(Number.isSafeInteger)
      ? { type: "number", values }
      : { type: "big", values: bigValues(column).map(floorOf) };
  };
}

function numbers(of: Program, map: (time: number) => number): Program {
  return (sides, length) => {
    const times = doubles(of(sides, length) as NumberColumn | BigColumn);
    const values = new Float64Array(length);
    for (let row = 0; row < length; row++) values[row] = map(times[row] as number);
    return { type: "number", values };
  };
}

const LETTERS = /yyyy|MM|dd|HH|mm|SSS|ss/g;

function formatted(of: Program, pattern: string): Program {
  return (sides, length) => {
    const times = doubles(of(sides, length) as NumberColumn | BigColumn);
    const known = new Map<number, number>();
    const strings: string[] = [];
    const codes = new Uint32Array(length);
    for (let row = 0; row < length; row++) {
      const time = times[row] as number;
      let code = known.get(time);
      if (code === undefined) known.set(time, (code = strings.push(format(calendar(time), pattern)) - 1));
      codes[row] = code;
    }
    return { type: "text", codes, texts: TextList.of(strings) };
  };
}

function format(date: Date, pattern: string): string {
  const iso = date.toISOString();
  const number = date.getUTCFullYear();
  const year = (number < 0 ? "-" : "") + String(Math.abs(number)).padStart(4, "0");
  const rest = iso.slice(-20);
  const parts: Readonly<Record<string, string>> = {
    yyyy: year,
    MM: rest.slice(1, 3),
    dd: rest.slice(4, 6),
    HH: rest.slice(7, 9),
    mm: rest.slice(10, 12),
    ss: rest.slice(13, 15),
    SSS: rest.slice(16, 19),
  };
  return pattern.replace(LETTERS, (letters) => parts[letters] ?? letters);
}
