/** Fuzzing of column programs: the kernel as its twin, the rows in one piece and cut anywhere. */
import * as ops from "../../core-wasm/column-program.ts";
import { runProgram } from "../../core-wasm/reference/programs.ts";
import type { Kernels } from "../../core-wasm/types.ts";
import { type ProgramCase, randomProgram } from "../core-wasm/support/programs.ts";
import { differ, plain, type Target, without } from "./target.ts";

interface Case extends ProgramCase {
  readonly rows: number;
}
type Result = Float64Array | Uint8Array | null;

/** Around the rows that are worked on at a time. */
const ROWS = [0, 1, 2, 3, 5, 9, 127, 128, 129, 130, 257];

/** Rows of a case: columns in memory that lies at no address in particular. */
function part({ program, columns }: Case, rows: readonly number[]): Case {
  const picked = columns.map((column) => {
    const values = rows.map((row) => column[row] as number);
    if (column instanceof Uint8Array) return Uint8Array.of(0, ...values).subarray(1);
    return Float64Array.of(0, ...values).subarray(1);
  });
  return { program, columns: picked, rows: rows.length };
}

/** Of each register, whether it holds conditions. */
function areConditions({ program: { code, constants }, columns }: ProgramCase): boolean[] {
  const kinds = [...Array.from(constants, () => false), ...columns.map((column) => column instanceof Uint8Array)];
  for (let at = 0; at < code.length; at += ops.INSTRUCTION_WORDS) {
    const [op, , a] = code.subarray(at, at + ops.INSTRUCTION_WORDS) as unknown as [number, number, number];
    kinds.push(op === ops.SELECT ? (kinds[a] as boolean) : op >= ops.EQ);
  }
  return kinds;
}

function run(kernels: Kernels, { program, columns, rows }: Case): Result {
  return kernels.runProgram(program, columns, rows);
}

const joined = (a: Result, b: Result) => (a === null || b === null ? null : [...a, ...b]);

export const programs: Target<Case> = {
  make(random) {
    const rows = random.pick(ROWS);
    return { ...randomProgram(random, rows), rows };
  },
  check({ kernels }, item) {
    const { rows } = item;
    const expected = runProgram(item.program, item.columns, rows);
    const wrong = differ(run(kernels, item), expected);
    if (wrong !== null) return wrong;
    const all = Array.from({ length: rows }, (_, row) => row);
    const cuts = rows < 10 ? all : [1, 63, 127, 128, rows - 1];
    for (const cut of cuts) {
      const [before, behind] = [all.slice(0, cut), all.slice(cut)].map((some) => run(kernels, part(item, some)));
      const apart = differ(joined(before as Result, behind as Result), expected && [...expected]);
      if (apart !== null) return `cut before row ${cut}: ${apart}`;
    }
    return null;
  },
  *smaller(item) {
    for (const rows of without(Array.from({ length: item.rows }, (_, row) => row))) yield part(item, rows);
    // What is there before the last instruction, while that is wrong too.
    const { code, constants } = item.program;
    const shorter = { ...item, program: { ...item.program, code: code.slice(0, -ops.INSTRUCTION_WORDS) } };
    for (const [result, conditions] of areConditions(shorter).entries())
      if (code.length > 0) yield { ...shorter, program: { code: shorter.program.code, constants, result, conditions } };
  },
  show: plain,
};
