/** Column programs in Wasm: the columns go in, the result comes out. */
import { checkProgram } from "../check-program.ts";
import { INSTRUCTION_WORDS } from "../column-program.ts";
import type { ColumnProgram } from "../types.ts";
import type { CoreInstance } from "./instance.ts";

interface ProgramFunctions {
  runProgram(
    code: number,
    instructions: number,
    values: number,
    constants: number,
    inputs: number,
    columns: number,
    result: number,
    conditions: number,
    rows: number,
    out: number,
  ): number;
}

/** See {@link Kernels.runProgram}. */
export function runProgram(
  core: CoreInstance,
  program: ColumnProgram,
  columns: readonly (Float64Array | Uint8Array)[],
  rows: number,
): Float64Array | Uint8Array | null {
  checkProgram(program, columns, rows);
  core.resetScratch();
  const { code, constants, result, conditions } = program;
  const codeAt = core.writeScratch(new Uint8Array(code.buffer, code.byteOffset, code.byteLength));
  const valuesAt = core.writeScratch(new Uint8Array(constants.buffer, constants.byteOffset, constants.byteLength));
  const places = columns.flatMap((column) => [
    core.writeScratch(new Uint8Array(column.buffer, column.byteOffset, column.byteLength)),
    column instanceof Uint8Array ? 1 : 0,
  ]);
  const inputs = core.scratch(4 * places.length);
  const out = core.scratch(conditions ? rows : 8 * rows);
  core.u32.set(places, inputs >>> 2);
  const whole = core
    .functions<ProgramFunctions>()
    .runProgram(
      codeAt,
      code.length / INSTRUCTION_WORDS,
      valuesAt,
      constants.length,
      inputs,
      columns.length,
      result,
      conditions ? 1 : 0,
      rows,
      out,
    );
  if (whole === 0) return null;
  const bytes = core.copy(out, conditions ? rows : 8 * rows);
  return conditions ? bytes : new Float64Array(bytes.buffer, bytes.byteOffset, rows);
}
