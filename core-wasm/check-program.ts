/** What a column program must be: every register is written before it is read, and columns are as long as they should. */
import { INSTRUCTIONS, INSTRUCTION_WORDS, MAX_REGISTERS } from "./column-program.ts";
import type { ColumnProgram } from "./types.ts";

/** @throws RangeError `bad-program: …` */
export function checkProgram(
  { code, constants, result }: ColumnProgram,
  columns: readonly (Float64Array | Uint8Array)[],
  rows: number,
): void {
  const given = constants.length + columns.length;
  const count = code.length / INSTRUCTION_WORDS;
  if (!Number.isInteger(count) || given + count > MAX_REGISTERS) throw bad("its length");
  for (let at = 0; at < count; at++) {
    const [op, to, ...from] = code.subarray(at * INSTRUCTION_WORDS, (at + 1) * INSTRUCTION_WORDS);
    if (op === undefined || op >= INSTRUCTIONS) throw bad(`instruction ${String(op)}`);
    // Each writes the register behind those that are there.
    if (to !== given + at || from.some((register) => register >= given + at))
      throw bad(`registers of instruction ${at}`);
  }
  if (result >= given + count) throw bad("its result");
  if (columns.some(({ length }) => length !== rows)) throw bad("the length of a column");
}

function bad(what: string): RangeError {
  return new RangeError(`bad-program: ${what}`);
}
