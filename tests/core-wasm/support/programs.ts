/** Random column programs, with columns for them: whole numbers, doubles and conditions, each where it belongs. */
import * as ops from "../../../core-wasm/column-program.ts";
import type { ColumnProgram } from "../../../core-wasm/types.ts";
import type { Random } from "./random.ts";

/** `positive` is a whole number above 0, which only constants are known to be. */
type Kind = "positive" | "whole" | "float" | "condition";
/** What instructions take and give; `n` is a whole number or a double, the same of all. */
const SIGNATURES: ReadonlyArray<readonly [op: number, from: ReadonlyArray<Kind | "n">, to: Kind | "n"]> = [
  ...[ops.ADD, ops.SUB, ops.MUL, ops.DIV, ops.MOD].map((op) => [op, ["whole", "whole"], "whole"] as const),
  ...[ops.ADD_FLOAT, ops.SUB_FLOAT, ops.MUL_FLOAT, ops.DIV_FLOAT].map(
    (op) => [op, ["float", "float"], "float"] as const,
  ),
  ...[ops.FLOOR_DIV, ops.MODULO].map((op) => [op, ["whole", "positive"], "whole"] as const),
  [ops.TRUNC, ["float"], "whole"],
  [ops.ABS, ["n"], "n"],
  ...[ops.EQ, ops.NE, ops.LT, ops.LE, ops.GT, ops.GE].map((op) => [op, ["n", "n"], "condition"] as const),
  ...[ops.AND, ops.OR, ops.XOR].map((op) => [op, ["condition", "condition"], "condition"] as const),
  [ops.NOT, ["condition"], "condition"],
  [ops.SELECT, ["n", "n", "condition"], "n"],
  [ops.SELECT, ["condition", "condition", "condition"], "condition"],
];

const wholeOf = (random: Random): number => {
  const kind = random.int(8);
  if (kind === 0) return random.pick([0, 1, -1, ops.MAX_WHOLE, -ops.MAX_WHOLE, 2 ** 52 + 1, 94_906_267]);
  const value = random.int(kind < 4 ? 10 : 2_000_000_000) * (kind === 7 ? 1_000_003 : 1);
  return random.int(2) === 0 ? value : 0 - value;
};
const floatOf = (random: Random): number =>
  random.int(4) === 0
    ? random.pick([0, -0, 0.5, -1.5, 1e308, -1e308, 5e-324, 2 ** 53, 1e300])
    : (random.int(2_000_001) - 1_000_000) / random.pick([1, 3, 7, 1_000]);

const fits = (kind: Kind, wanted: Kind): boolean => kind === wanted || (wanted === "whole" && kind === "positive");

/** A program, and columns that it can be run on. */
export interface ProgramCase {
  readonly program: ColumnProgram;
  readonly columns: readonly (Float64Array | Uint8Array)[];
}

/** A program of up to ten instructions over up to three constants and four columns of so many rows. */
export function randomProgram(random: Random, rows: number): ProgramCase {
  const kinds: Kind[] = [];
  const constants = Array.from({ length: random.int(3) }, () => {
    const kind = random.pick(["positive", "whole", "float"] as const);
    kinds.push(kind);
    if (kind === "positive") return Math.abs(wholeOf(random)) || 1;
    return kind === "whole" ? wholeOf(random) : floatOf(random);
  });
  const columns = Array.from({ length: 1 + random.int(4) }, () => {
    const kind = random.pick(["whole", "float", "condition"] as const);
    kinds.push(kind);
    if (kind === "condition") return Uint8Array.from({ length: rows }, () => random.int(2));
    return Float64Array.from({ length: rows }, () => (kind === "whole" ? wholeOf(random) : floatOf(random)));
  });
  const code: number[] = [];
  for (let more = random.int(10); more > 0; more--) {
    const [op, from, to] = random.pick(SIGNATURES);
    const n = random.pick(["whole", "float"] as const);
    const registers = from.map((kind) => {
      const wanted = kind === "n" ? n : kind;
      const fit = [...kinds.keys()].filter((at) => fits(kinds[at] as Kind, wanted));
      return fit.length === 0 ? -1 : random.pick(fit);
    });
    if (registers.includes(-1)) continue;
    code.push(op, kinds.length, ...registers, ...[0, 0, 0].slice(registers.length));
    kinds.push(to === "n" ? n : to);
  }
  const result = random.int(3) === 0 ? random.int(kinds.length) : kinds.length - 1;
  const conditions = kinds[result] === "condition";
  const program = { code: Uint32Array.from(code), constants: Float64Array.from(constants), result, conditions };
  return { program, columns };
}
