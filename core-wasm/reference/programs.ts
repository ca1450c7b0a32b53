/** Twin of column programs: row by row. */
import { checkProgram } from "../check-program.ts";
import * as ops from "../column-program.ts";
import type { ColumnProgram } from "../types.ts";

class Beyond extends Error {}

function whole(value: number): number {
  if (Math.abs(value) > ops.MAX_WHOLE) throw new Beyond();
  return value + 0;
}
const finite = (value: number): number => (Number.isFinite(value) ? value : 0);

/** Conditions are 1 and 0. */
function perform(op: number, a: number, b: number, c: number): number {
  switch (op) {
    case ops.ADD:
      return whole(a + b);
    case ops.SUB:
      return whole(a - b);
    case ops.MUL:
      return whole(a * b);
    case ops.DIV:
      return b === 0 ? 0 : whole((a - (a % b)) / b);
    case ops.MOD:
      return b === 0 ? 0 : whole(a % b);
    case ops.TRUNC:
      return whole(Math.trunc(a));
    case ops.ADD_FLOAT:
      return finite(a + b);
    case ops.SUB_FLOAT:
      return finite(a - b);
    case ops.MUL_FLOAT:
      return finite(a * b);
    case ops.DIV_FLOAT:
      return finite(a / b);
    case ops.ABS:
      return Math.abs(a);
    case ops.FLOOR_DIV:
      return whole(Math.floor(a / b));
    case ops.MODULO:
      return whole(a % b < 0 ? (a % b) + b : a % b);
    case ops.EQ:
      return Number(a === b);
    case ops.NE:
      return Number(a !== b);
    case ops.LT:
      return Number(a < b);
    case ops.LE:
      return Number(a <= b);
    case ops.GT:
      return Number(a > b);
    case ops.GE:
      return Number(a >= b);
    case ops.AND:
      return a & b;
    case ops.OR:
      return a | b;
    case ops.XOR:
      return a ^ b;
    case ops.NOT:
      return 1 - a;
    case ops.SELECT:
      return c === 1 ? a : b;
    default:
      throw new RangeError(`no instruction ${op}`);
  }
}

/** See {@link Kernels.runProgram}. */
export function runProgram(
  program: ColumnProgram,
  columns: readonly (Float64Array | Uint8Array)[],
  rows: number,
): Float64Array | Uint8Array | null {
  checkProgram(program, columns, rows);
  const { code, constants, result, conditions } = program;
  const out = conditions ? new Uint8Array(rows) : new Float64Array(rows);
  try {
    for (let row = 0; row < rows; row++) {
      const registers = [...constants, ...columns.map((column) => column[row] as number)];
      for (let at = 0; at < code.length; at += ops.INSTRUCTION_WORDS) {
        const [op, , a, b, c] = code.subarray(at, at + ops.INSTRUCTION_WORDS) as unknown as [
          number,
          number,
          number,
          number,
          number,
        ];
        registers.push(perform(op, registers[a] as number, registers[b] as number, registers[c] as number));
      }
      out[row] = registers[result] as number;
    }
  } catch (error) {
    if (error instanceof Beyond) return null;
    throw error;
  }
  return out;
}
