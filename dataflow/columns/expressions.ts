/** Expressions as programs over columns: each node is a loop over all rows, unless the kernels run it. */

import type { ExpressionNode, FunctionName } from "../../sdk/index.ts";
import {
  bigValues,
  type BoolColumn,
  type Column,
  constantColumn,
  doubles,
  nullColumn,
  withNulls,
  type NumberColumn,
  type BigColumn,
  saturated,
  type TextColumn,
} from "./column.ts";
import type { Rows } from "./rows.ts";
import { TextList } from "./text-list.ts";
import { containing, textProgram } from "./texts.ts";
import { timeProgram } from "./times.ts";
import { vectorised, type VectorKernels } from "./vectors.ts";

/** The inputs of a program: one, or the two sides of a join, row by row. */
export type Sides = readonly [Rows] | readonly [Rows, Rows];
export type Program = (sides: Sides, length: number) => Column;
/** 1 where a condition holds. */
export type Test = (sides: Sides, length: number) => Uint8Array;
export type Numbers = NumberColumn | BigColumn;

/** Compiles expressions and the parts of them. */
interface Compiler {
  value(node: ExpressionNode): Program;
  test(node: ExpressionNode): Test;
}

const PLAIN: Compiler = { value: (node) => valueOf(node, PLAIN), test: (node) => testOf(node, PLAIN) };

/** @param kernels run what they can of it, in Wasm */
function compilerFor(kernels: VectorKernels | undefined): Compiler {
  if (kernels === undefined) return PLAIN;
  const inner = (node: ExpressionNode): Program => own.value(node);
  const inKernels = (node: ExpressionNode): Program | null => vectorised(node, kernels, inner, PLAIN.value);
  const own: Compiler = {
    value: (node) => inKernels(node) ?? valueOf(node, own),
    test: (node) => {
      const program = inKernels(node);
      return program === null ? testOf(node, own) : (sides, length) => (program(sides, length) as BoolColumn).values;
    },
  };
  return own;
}

/** Compiles a value. */
export function compile(node: ExpressionNode, kernels?: VectorKernels): Program {
  return compilerFor(kernels).value(node);
}

/** Compiles a condition. */
export function compileTest(node: ExpressionNode, kernels?: VectorKernels): Test {
  return compilerFor(kernels).test(node);
}

function valueOf(node: ExpressionNode, compiler: Compiler): Program {
  const argument = (args: readonly ExpressionNode[], at: number): Program => compiler.value(args[at] as ExpressionNode);
  if (node.op === "literal") {
    const { value, kind } = node;
    return (_, length) => (value === null ? nullColumn(kind, length) : constantColumn(value, length));
  }
  if (node.op === "field") {
    const { name, side } = node;
    return (sides) => (sides[side] as Rows).column(name);
  }
  switch (node.op) {
    case "add":
    case "sub":
    case "mul":
    case "div":
    case "mod":
      return arithmetic(node.op, node.kind !== "float64", argument(node.args, 0), argument(node.args, 1));
    case "neg":
      return arithmetic(
        "sub",
        node.kind !== "float64",
        (_, length) => constantColumn(0, length),
        argument(node.args, 0),
      );
    case "abs":
      return absolute(argument(node.args, 0));
    case "when":
      return choice(compiler.test(node.args[0] as ExpressionNode), argument(node.args, 1), argument(node.args, 2));
    case "to-float":
      return mapNumbers(argument(node.args, 0), (column) => ({ type: "number", values: doubles(column) }));
    case "to-timestamp":
      return argument(node.args, 0);
    case "coalesce":
      return coalesce(argument(node.args, 0), argument(node.args, 1));
    default:
      if (node.kind === "boolean") return conditionProgram(testOf(node, compiler));
      return timeProgram(node, compiler.value) ?? textProgram(node, compiler.value);
  }
}

function conditionProgram(test: Test): Program {
  return (sides, length) => ({ type: "bool", values: test(sides, length) });
}

function testOf(node: ExpressionNode, compiler: Compiler): Test {
  if (node.op === "literal") return (_, length) => new Uint8Array(length).fill(node.value === true ? 1 : 0);
  if (node.op === "field" || node.op === "when" || node.op === "coalesce") {
    const program = valueOf(node, compiler);
    return (sides, length) => (program(sides, length) as BoolColumn).values;
  }
  if (node.op === "is-null") {
    const program = compiler.value(node.args[0] as ExpressionNode);
    return (sides, length) => program(sides, length).nulls ?? new Uint8Array(length);
  }
  const [left, right] = node.args as readonly [ExpressionNode, ExpressionNode];
  switch (node.op) {
    case "and":
    case "or":
      return combine(node.op === "and", compiler.test(left), compiler.test(right));
    case "not": {
      const test = compiler.test(left);
      return (sides, length) => {
        const result = new Uint8Array(test(sides, length));
        for (let row = 0; row < length; row++) result[row] = 1 - (result[row] as number);
        return result;
      };
    }
    case "contains":
    case "starts-with":
    case "ends-with":
      return textTest(node.op, compiler.value(left), String((right as { value?: unknown }).value));
    default:
      return comparison(node.op, compiler.value(left), compiler.value(right));
  }
}

function combine(all: boolean, left: Test, right: Test): Test {
  return (sides, length) => {
    const [a, b] = [left(sides, length), right(sides, length)];
    const result = new Uint8Array(length);
    if (all) for (let row = 0; row < length; row++) result[row] = (a[row] as number) & (b[row] as number);
    else for (let row = 0; row < length; row++) result[row] = (a[row] as number) | (b[row] as number);
    return result;
  };
}

function textTest(op: "contains" | "starts-with" | "ends-with", text: Program, part: string): Test {
  const held = (texts: TextList): ArrayLike<number> => {
    if (op === "contains") return containing(texts, part);
    return texts.strings.map((string) =>
      Number(op === "starts-with" ? string.startsWith(part) : string.endsWith(part)),
    );
  };
  return (sides, length) => {
    const { codes, texts } = text(sides, length) as TextColumn;
    const known = held(texts);
    const result = new Uint8Array(length);
    for (let row = 0; row < length; row++) result[row] = known[codes[row] as number] as number;
    return result;
  };
}

function comparison(op: FunctionName, left: Program, right: Program): Test {
  return (sides, length) => {
    const [a, b] = [left(sides, length), right(sides, length)];
    if (a.type === "text" || b.type === "text") return compareTexts(op, a as TextColumn, b as TextColumn, length);
    if (a.type === "bool" || b.type === "bool") return compareBools(op, a as BoolColumn, b as BoolColumn);
    if (a.type === "number" && b.type === "number") return compareNumbers(op, a.values, b.values, length);
    return compareBig(op, bigValues(a), bigValues(b), length);
  };
}

function compareTexts(op: FunctionName, a: TextColumn, b: TextColumn, length: number): Uint8Array {
  const result = new Uint8Array(length);
  const equal = op === "eq" ? 1 : 0;
  if (b.texts.length === 1) {
    const known = a.texts.equals(b.texts.strings[0] as string);
    for (let row = 0; row < length; row++) result[row] = known[a.codes[row] as number] === 1 ? equal : 1 - equal;
    return result;
  }
  const [left, right] = [a.texts.strings, b.texts.strings];
  for (let row = 0; row < length; row++)
    result[row] = left[a.codes[row] as number] === right[b.codes[row] as number] ? equal : 1 - equal;
  return result;
}

function compareBools(op: FunctionName, a: BoolColumn, b: BoolColumn): Uint8Array {
  const equal = op === "eq" ? 1 : 0;
  return a.values.map((value, row) => (value === b.values[row] ? equal : 1 - equal));
}

/** One loop for each comparison: a function called per row would cost more than what it does. */
function compareNumbers(op: FunctionName, a: Float64Array, b: Float64Array, length: number): Uint8Array {
  const result = new Uint8Array(length);
  switch (op) {
    case "eq":
      for (let row = 0; row < length; row++) result[row] = a[row] === b[row] ? 1 : 0;
      break;
    case "ne":
      for (let row = 0; row < length; row++) result[row] = a[row] !== b[row] ? 1 : 0;
      break;
    case "lt":
      for (let row = 0; row < length; row++) result[row] = (a[row] as number) < (b[row] as number) ? 1 : 0;
      break;
    case "le":
      for (let row = 0; row < length; row++) result[row] = (a[row] as number) <= (b[row] as number) ? 1 : 0;
      break;
    case "gt":
      for (let row = 0; row < length; row++) result[row] = (a[row] as number) > (b[row] as number) ? 1 : 0;
      break;
    case "ge":
      for (let row = 0; row < length; row++) result[row] = (a[row] as number) >= (b[row] as number) ? 1 : 0;
      break;
    default:
      throw new TypeError(`${op} is no comparison`);
  }
  return result;
}

function compareBig(op: FunctionName, a: BigInt64Array, b: BigInt64Array, length: number): Uint8Array {
  const result = new Uint8Array(length);
  const holds = BIG_COMPARISONS[op];
  if (holds === undefined) throw new TypeError(`${op} is no comparison`);
  for (let row = 0; row < length; row++) result[row] = Number(holds(a[row] as bigint, b[row] as bigint));
  return result;
}
const BIG_COMPARISONS: Readonly<Partial<Record<FunctionName, (a: bigint, b: bigint) => boolean>>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

type Arithmetic = "add" | "sub" | "mul" | "div" | "mod";

function arithmetic(op: Arithmetic, whole: boolean, left: Program, right: Program): Program {
  return (sides, length) => {
    const [a, b] = [left(sides, length) as Numbers, right(sides, length) as Numbers];
    if (a.type === "number" && b.type === "number") {
      const values = whole ? wholeLoop(op, a.values, b.values, length) : doubleLoop(op, a.values, b.values, length);
      if (values !== null) return { type: "number", values };
    }
    return { type: "big", values: bigLoop(op, bigValues(a), bigValues(b), length) };
  };
}

/** Null when a result is beyond 2^53: then it must be worked out exactly. */
function wholeLoop(op: Arithmetic, a: Float64Array, b: Float64Array, length: number): Float64Array | null {
  const values = new Float64Array(length);
  let largest = 0;
  const keep = (row: number, value: number): void => {
    const size = Math.abs(value);
    if (size > largest) largest = size;
    // -0 is no whole number of ours.
    values[row] = value + 0;
  };
  switch (op) {
    case "add":
      for (let row = 0; row < length; row++) keep(row, (a[row] as number) + (b[row] as number));
      break;
    case "sub":
      for (let row = 0; row < length; row++) keep(row, (a[row] as number) - (b[row] as number));
      break;
    case "mul":
      for (let row = 0; row < length; row++) keep(row, (a[row] as number) * (b[row] as number));
      break;
    case "div":
      for (let row = 0; row < length; row++) {
        const [x, y] = [a[row] as number, b[row] as number];
        // Without its remainder a quotient is exact.
        keep(row, y === 0 ? 0 : (x - (x % y)) / y);
      }
      break;
    case "mod":
      for (let row = 0; row < length; row++) keep(row, b[row] === 0 ? 0 : (a[row] as number) % (b[row] as number));
      break;
  }
  return largest <= Number.MAX_SAFE_INTEGER ? values : null;
}

function doubleLoop(op: Arithmetic, a: Float64Array, b: Float64Array, length: number): Float64Array {
  const values = new Float64Array(length);
  switch (op) {
    case "add":
      for (let row = 0; row < length; row++) values[row] = (a[row] as number) + (b[row] as number);
      break;
    case "sub":
      for (let row = 0; row < length; row++) values[row] = (a[row] as number) - (b[row] as number);
      break;
    case "mul":
      for (let row = 0; row < length; row++) values[row] = (a[row] as number) * (b[row] as number);
      break;
    case "div":
      for (let row = 0; row < length; row++) values[row] = (a[row] as number) / (b[row] as number);
      break;
    case "mod":
      for (let row = 0; row < length; row++) values[row] = (a[row] as number) % (b[row] as number);
      break;
  }
  for (let row = 0; row < length; row++) if (!Number.isFinite(values[row])) values[row] = 0;
  return values;
}

function bigLoop(op: Arithmetic, a: BigInt64Array, b: BigInt64Array, length: number): BigInt64Array {
  const values = new BigInt64Array(length);
  for (let row = 0; row < length; row++) values[row] = saturated(bigArithmetic(op, a[row] as bigint, b[row] as bigint));
  return values;
}

function bigArithmetic(op: Arithmetic, a: bigint, b: bigint): bigint {
  switch (op) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return a * b;
    case "div":
      return b === 0n ? 0n : a / b;
    case "mod":
      return b === 0n ? 0n : a % b;
  }
}

function absolute(of: Program): Program {
  return mapNumbers(of, (column) =>
    column.type === "number"
      ? { type: "number", values: column.values.map(Math.abs) }
      : { type: "big", values: column.values.map((value) => saturated(value < 0n ? -value : value)) },
  );
}

function mapNumbers(of: Program, map: (column: Numbers) => Column): Program {
  return (sides, length) => map(of(sides, length) as Numbers);
}

function choice(test: Test, yes: Program, no: Program): Program {
  return (sides, length) => choose(test(sides, length), yes(sides, length), no(sides, length));
}

function coalesce(of: Program, otherwise: Program): Program {
  return (sides, length) => {
    const column = of(sides, length);
    return column.nulls === undefined ? column : choose(column.nulls, otherwise(sides, length), column);
  };
}

/** Of two columns of one kind: the first where it says 1, else the second. */
function choose(chosen: Uint8Array, a: Column, b: Column): Column {
  const column = chooseCells(chosen, a, b);
  if (a.nulls === undefined && b.nulls === undefined) return column;
  return withNulls(column, chooseBytes(chosen, a.nulls, b.nulls));
}

function chooseBytes(chosen: Uint8Array, a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array {
  return chosen.map((one, row) => (one === 1 ? a : b)?.[row] ?? 0);
}

function chooseCells(chosen: Uint8Array, a: Column, b: Column): Column {
  if (a.type === "text" && b.type === "text") {
    const base = a.texts.length;
    const codes = new Uint32Array(chosen.length);
    for (let row = 0; row < codes.length; row++)
      codes[row] = chosen[row] === 1 ? (a.codes[row] as number) : (b.codes[row] as number) + base;
    return { type: "text", codes, texts: TextList.join([a.texts, b.texts]) };
  }
  if (a.type === "number" && b.type === "number") {
    const values = new Float64Array(chosen.length);
    for (let row = 0; row < chosen.length; row++)
      values[row] = (chosen[row] === 1 ? a.values[row] : b.values[row]) as number;
    return { type: "number", values };
  }
  if (a.type === "bool" && b.type === "bool") return { type: "bool", values: chooseBytes(chosen, a.values, b.values) };
  const [x, y] = [bigValues(a as Numbers), bigValues(b as Numbers)];
  return { type: "big", values: BigInt64Array.from(chosen, (one, row) => (one === 1 ? x[row] : y[row]) as bigint) };
}
