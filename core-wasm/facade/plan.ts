/** Column types and window plans as bytes for the kernels; the layout is in assembly/flow.ts and assembly/filter.ts. */
import type { ColumnTest, ColumnType, Comparison, EventColumn, WindowPlan } from "../types.ts";

/** Numbers of assembly/columns.ts. */
export const TYPE_NUMBERS: Readonly<Record<ColumnType, number>> = { i64: 1, f64: 2, text: 3, bool: 4 };
const OPTIONAL = 256;
/** Added to the type of a column of events that frames do not have. */
export const CHECKED = 512;

/** A column's type as frames have it. */
export function typeNumber({ type, optional }: EventColumn): number {
  return TYPE_NUMBERS[type] + (optional === true ? OPTIONAL : 0);
}

const OPPOSITE = 4;
const LESS = 0;
const EQUAL = 1;
const GREATER = 2;
/** Numbers of assembly/filter.ts: `ge` is the opposite of `lt`. */
const OPERATORS: Readonly<Record<Comparison, number>> = {
  lt: LESS,
  eq: EQUAL,
  gt: GREATER,
  ge: LESS | OPPOSITE,
  ne: EQUAL | OPPOSITE,
  le: GREATER | OPPOSITE,
};
const NEVER = 8;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

const PLAN_HEAD = 64;
const TEST_BYTES = 16;
const encoder = new TextEncoder();

/** A test as the kernel runs it; null when every row passes. */
interface CompiledTest {
  readonly operator: number;
  readonly value: bigint | number | Uint8Array;
}
const never: CompiledTest = { operator: NEVER, value: 0n };

/** What is left of a comparison with a value that lies between two values of the column's type: `up` is the side it lies on. */
function between(op: Comparison, below: bigint | number, above: bigint | number): CompiledTest | null {
  if (op === "eq") return never;
  if (op === "ne") return null;
  if (op === "lt" || op === "le") return { operator: OPERATORS.le, value: below };
  return { operator: OPERATORS.ge, value: above };
}

function compileLong(op: Comparison, value: bigint | number): CompiledTest | null {
  if (Number.isNaN(value)) return op === "ne" ? null : never;
  if (value > INT64_MAX) return op === "lt" || op === "le" || op === "ne" ? null : never;
  if (value < INT64_MIN) return op === "gt" || op === "ge" || op === "ne" ? null : never;
  if (typeof value === "bigint") return { operator: OPERATORS[op], value };
  if (Number.isInteger(value)) return { operator: OPERATORS[op], value: BigInt(value) };
  return between(op, BigInt(Math.floor(value)), BigInt(Math.ceil(value)));
}

function compileFloat(op: Comparison, value: bigint | number): CompiledTest | null {
  const float = Number(value);
  if (Number.isNaN(float)) return op === "ne" ? null : never;
  const exact = typeof value === "number" || (Number.isFinite(float) && BigInt(float) === value);
  if (exact) return { operator: OPERATORS[op], value: float };
  // No float lies between the value and the one nearest to it, so only the nearest decides, and only by its side;
  // JavaScript compares a number with a bigint exactly.
  const upper = float > value;
  if (op === "eq") return never;
  if (op === "ne") return null;
  if (op === "lt" || op === "le") return { operator: upper ? OPERATORS.lt : OPERATORS.le, value: float };
  return { operator: upper ? OPERATORS.ge : OPERATORS.gt, value: float };
}

function compileTest(columns: readonly EventColumn[], test: ColumnTest): CompiledTest | null {
  const { op, value } = test;
  if (typeof value !== "string") {
    return columns[test.column]?.type === "i64" ? compileLong(op, value) : compileFloat(op, value);
  }
  // A lone surrogate has no UTF-8, so no column holds it.
  if (!value.isWellFormed()) return op === "ne" ? null : never;
  return { operator: OPERATORS[op], value: encoder.encode(value) };
}

/** The plan as bytes; `hashName` gives the hash that frames have for a column's name. */
export function encodePlan(plan: WindowPlan, hashName: (name: Uint8Array) => number): Uint8Array {
  const tests = plan.filter
    .map((test) => ({ column: test.column, compiled: compileTest(plan.columns, test) }))
    .filter(({ compiled }) => compiled !== null) as { column: number; compiled: CompiledTest }[];
  const strings = tests.map(({ compiled }) =>
    compiled.value instanceof Uint8Array ? compiled.value : new Uint8Array(),
  );
  const fixed = PLAN_HEAD + 8 * plan.columns.length + TEST_BYTES * tests.length;
  const bytes = new Uint8Array(fixed + strings.reduce((sum, string) => sum + string.length, 0));
  const view = new DataView(bytes.buffer);
  for (const [i, value] of [plan.columns.length, tests.length, plan.key, plan.time].entries()) {
    view.setUint32(4 * i, value, true);
  }
  view.setBigInt64(16, BigInt(plan.size), true);
  view.setUint32(24, plan.measures.length, true);
  view.setUint32(28, plan.maxGroups, true);
  for (const [i, measure] of plan.measures.entries()) view.setUint32(32 + 4 * i, measure, true);
  for (const [i, column] of plan.columns.entries()) {
    view.setUint32(PLAN_HEAD + 8 * i, typeNumber(column), true);
    view.setUint32(PLAN_HEAD + 8 * i + 4, hashName(encoder.encode(column.name)), true);
  }
  let stringAt = 0;
  for (const [i, { column, compiled }] of tests.entries()) {
    const at = PLAN_HEAD + 8 * plan.columns.length + TEST_BYTES * i;
    const { value } = compiled;
    view.setUint32(at, column, true);
    view.setUint32(at + 4, compiled.operator, true);
    if (typeof value === "bigint") view.setBigInt64(at + 8, value, true);
    else if (typeof value === "number") view.setFloat64(at + 8, value, true);
    else {
      view.setUint32(at + 8, stringAt, true);
      view.setUint32(at + 12, value.length, true);
      bytes.set(value, fixed + stringAt);
      stringAt += value.length;
    }
  }
  return bytes;
}
