/** Expressions as programs of the kernels: what is arithmetic, comparison, condition, or a time's hour or day, of columns that are doubles or conditions. */

import type { ExpressionNode } from "../../sdk/index.ts";
import type { Column } from "./column.ts";
import type { Program } from "./expressions.ts";
import * as ops from "./vector-ops.ts";

/** The kernels' `ColumnProgram`. */
export interface VectorProgram {
  readonly code: Uint32Array;
  readonly constants: Float64Array;
  readonly result: number;
  readonly conditions: boolean;
}
/** The kernels that run such programs; null when a whole number came to be beyond 2^53 - 1. */
export interface VectorKernels {
  runProgram(
    program: VectorProgram,
    columns: ReadonlyArray<Float64Array | Uint8Array>,
    rows: number,
  ): Float64Array | Uint8Array | null;
}

/** Over fewer rows the calls are what counts. */
const LEAST_ROWS = 256;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** 1970 began on a Thursday. */
const FIRST_DAY = 3;

/**
 * The program of an expression for the kernels, with another for what they cannot do: few rows, rows without a value, and whole numbers beyond
 * 2^53. Null where it is nothing for them.
 * @param inner compiles what is within and none of it: texts, say
 * @param plain compiles the whole without kernels
 */
export function vectorised(
  node: ExpressionNode,
  kernels: VectorKernels,
  inner: (node: ExpressionNode) => Program,
  plain: (node: ExpressionNode) => Program,
): Program | null {
  const plan = Plan.of(node);
  if (plan === null) return null;
  const inputs = plan.inputs.map(inner);
  const otherwise = plain(node);
  return (sides, length) => {
    const columns = length < LEAST_ROWS ? null : valuesOf(inputs.map((input) => input(sides, length)));
    const made = columns === null ? null : kernels.runProgram(plan.program, columns, length);
    if (made === null) return otherwise(sides, length);
    return made instanceof Uint8Array ? { type: "bool", values: made } : { type: "number", values: made };
  };
}

/** Whether kernels run all of an expression, where its columns allow it: nothing but fields goes into their program. */
export function isVector(node: ExpressionNode): boolean {
  return Plan.of(node)?.inputs.every(({ op }) => op === "field") ?? false;
}

/** Null where one is none for the kernels. */
function valuesOf(columns: readonly Column[]): Array<Float64Array | Uint8Array> | null {
  const values: Array<Float64Array | Uint8Array> = [];
  for (const column of columns) {
    if (column.nulls !== undefined || (column.type !== "number" && column.type !== "bool")) return null;
    values.push(column.values);
  }
  return values;
}

type Operand = readonly [of: "constant" | "input" | "made", number: number];
type Instruction = readonly [op: number, ...from: Operand[]];
type Call = Extract<ExpressionNode, { readonly args: readonly ExpressionNode[] }>;

const WHOLE: Readonly<Record<string, number>> = {
  add: ops.ADD,
  sub: ops.SUB,
  mul: ops.MUL,
  div: ops.DIV,
  mod: ops.MOD,
};
const FLOAT: Readonly<Record<string, number>> = {
  add: ops.ADD_FLOAT,
  sub: ops.SUB_FLOAT,
  mul: ops.MUL_FLOAT,
  div: ops.DIV_FLOAT,
};
const COMPARISONS: Readonly<Record<string, number>> = {
  eq: ops.EQ,
  ne: ops.NE,
  lt: ops.LT,
  le: ops.LE,
  gt: ops.GT,
  ge: ops.GE,
};

/** An expression that is being made a program. */
class Plan {
  readonly inputs: ExpressionNode[] = [];
  readonly #constants: number[] = [];
  readonly #made: Instruction[] = [];
  /** Each part once, however often it is in the expression. */
  readonly #known = new Map<ExpressionNode | string, Operand>();
  program: VectorProgram = NOTHING;

  /** Null where it is nothing for the kernels. */
  static of(node: ExpressionNode): Plan | null {
    if (node.kind === "text" || node.optional === true) return null;
    const plan = new Plan();
    const result = plan.#operand(node);
    const registers = plan.#constants.length + plan.inputs.length + plan.#made.length;
    if (plan.#made.length === 0 || registers > ops.MAX_REGISTERS) return null;
    plan.program = plan.#numbered(result, node.kind === "boolean");
    return plan;
  }

  #numbered(result: Operand, conditions: boolean): VectorProgram {
    const columns = this.#constants.length;
    const first = columns + this.inputs.length;
    const bases = { constant: 0, input: columns, made: first };
    const registerOf = ([of, number]: Operand): number => bases[of] + number;
    const code = this.#made.flatMap(([op, ...from], at) => {
      const [a = 0, b = 0, c = 0] = from.map(registerOf);
      return [op, first + at, a, b, c];
    });
    const constants = Float64Array.from(this.#constants);
    return { code: Uint32Array.from(code), constants, result: registerOf(result), conditions };
  }

  #operand(node: ExpressionNode): Operand {
    const key = node.op === "field" ? `${node.side}${node.name}` : node;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const operand = this.#literal(node) ?? ("args" in node ? this.#call(node) : null) ?? this.#input(node);
    this.#known.set(key, operand);
    return operand;
  }

  #input(node: ExpressionNode): Operand {
    return ["input", this.inputs.push(node) - 1];
  }
  #constant(value: number): Operand {
    const known = this.#constants.findIndex((other) => Object.is(other, value));
    return ["constant", known < 0 ? this.#constants.push(value) - 1 : known];
  }
  #make(op: number, ...from: Operand[]): Operand {
    return ["made", this.#made.push([op, ...from]) - 1];
  }

  /** Null for what is no number that doubles can have. */
  #literal(node: ExpressionNode): Operand | null {
    if (node.op !== "literal") return null;
    const { value } = node;
    if (typeof value === "number") return this.#constant(value);
    return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? this.#constant(Number(value)) : null;
  }

  /** Null for what the kernels do not know. */
  #call(node: Call): Operand | null {
    const { op, args } = node;
    const [first, second, third] = args;
    if (first === undefined || node.optional === true) return null;
    const isFloat = node.kind === "float64";
    const code = op in WHOLE ? (isFloat ? FLOAT : WHOLE)[op] : COMPARISONS[op];
    if (code !== undefined && second !== undefined) return this.#two(code, first, second);
    switch (op) {
      case "neg":
        return this.#make(isFloat ? ops.SUB_FLOAT : ops.SUB, this.#constant(0), this.#operand(first));
      case "abs":
        return this.#make(ops.ABS, this.#operand(first));
      case "to-float":
      case "to-timestamp":
        return this.#operand(first);
      case "to-int":
        if (first.kind === "timestamp") return this.#operand(first);
        return first.kind === "float64" ? this.#make(ops.TRUNC, this.#operand(first)) : null;
      case "not":
        return this.#make(ops.NOT, this.#operand(first));
      case "and":
      case "or":
        if (second === undefined) return null;
        return this.#make(op === "and" ? ops.AND : ops.OR, this.#operand(first), this.#operand(second));
      case "when":
        if (node.kind === "text" || second === undefined || third === undefined) return null;
        return this.#make(ops.SELECT, this.#operand(second), this.#operand(third), this.#operand(first));
      case "floor":
      case "hour":
      case "day-of-week":
        return this.#time(op, this.#operand(first), second);
      default:
        return null;
    }
  }

  #two(code: number, first: ExpressionNode, second: ExpressionNode): Operand | null {
    if (first.kind === "text") return null;
    const [left, right] = [this.#operand(first), this.#operand(second)];
    if (first.kind !== "boolean") return this.#make(code, left, right);
    const differ = this.#make(ops.XOR, left, right);
    return code === ops.NE ? differ : this.#make(ops.NOT, differ);
  }

  #time(op: "floor" | "hour" | "day-of-week", time: Operand, size: ExpressionNode | undefined): Operand | null {
    const day = this.#constant(DAY);
    if (op === "hour") return this.#make(ops.FLOOR_DIV, this.#make(ops.MODULO, time, day), this.#constant(HOUR));
    if (op === "day-of-week") {
      const shifted = this.#make(ops.ADD, this.#make(ops.FLOOR_DIV, time, day), this.#constant(FIRST_DAY));
      return this.#make(ops.ADD, this.#make(ops.MODULO, shifted, this.#constant(7)), this.#constant(1));
    }
    const by = size === undefined ? null : this.#literal(size);
    return by === null ? null : this.#make(ops.MUL, this.#make(ops.FLOOR_DIV, time, by), by);
  }
}
const NOTHING: VectorProgram = { code: new Uint32Array(), constants: new Float64Array(), result: 0, conditions: false };
