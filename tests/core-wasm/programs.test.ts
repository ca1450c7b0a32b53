/** Column programs: the kernel as its twin, on random programs over whole numbers, doubles and conditions. */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as ops from "../../core-wasm/column-program.ts";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import type { ColumnProgram } from "../../core-wasm/types.ts";
import { type Random, random as seeded } from "./support/random.ts";

const wasm = createKernels(loadCore());
const twin = createReferenceKernels();

type Kind = "whole" | "float" | "condition";
/** What instructions take and give; `n` is a whole number or a double, the same of all. */
const SIGNATURES: ReadonlyArray<readonly [op: number, from: ReadonlyArray<Kind | "n">, to: Kind | "n"]> = [
  ...[ops.ADD, ops.SUB, ops.MUL, ops.DIV, ops.MOD].map((op) => [op, ["whole", "whole"], "whole"] as const),
  ...[ops.ADD_FLOAT, ops.SUB_FLOAT, ops.MUL_FLOAT, ops.DIV_FLOAT].map(
    (op) => [op, ["float", "float"], "float"] as const,
  ),
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

interface Made {
  readonly program: ColumnProgram;
  readonly columns: ReadonlyArray<Float64Array | Uint8Array>;
}

function made(random: Random, rows: number): Made {
  const kinds: Kind[] = [];
  const constants = Array.from({ length: random.int(3) }, () => {
    const kind = random.pick(["whole", "float"] as const);
    kinds.push(kind);
    return kind === "whole" ? wholeOf(random) : floatOf(random);
  });
  const columns = Array.from({ length: 1 + random.int(4) }, () => {
    const kind = random.pick(["whole", "float", "condition"] as const);
    kinds.push(kind);
    if (kind === "condition") return Uint8Array.from({ length: rows }, () => random.int(2));
    return Float64Array.from({ length: rows }, () => (kind === "whole" ? wholeOf(random) : floatOf(random)));
  });
  const code: number[] = [];
  for (let wanted = random.int(10); wanted > 0; wanted--) {
    const [op, from, to] = random.pick(SIGNATURES);
    const n = random.pick(["whole", "float"] as const);
    const registers = from.map((kind) => {
      const fit = [...kinds.keys()].filter((at) => kinds[at] === (kind === "n" ? n : kind));
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

test("random programs", () => {
  const random = seeded(4711);
  let beyond = 0;
  for (let i = 0; i < 6_000; i++) {
    const rows = random.pick([0, 1, 2, 3, 127, 128, 129, 255, 300]);
    const { program, columns } = made(random, rows);
    const expected = twin.runProgram(program, columns, rows);
    if (expected === null) beyond++;
    // Object.is: no negative zero where there is none.
    expect(wasm.runProgram(program, columns, rows), `program ${i}: ${program.code.join()}`).toEqual(expected);
  }
  expect(beyond).toBeGreaterThan(100);
  expect(beyond).toBeLessThan(3_000);
});

test("times: whole days and hours, before 1970 too", () => {
  const code = Uint32Array.of(ops.MODULO, 3, 2, 0, 0, ops.FLOOR_DIV, 4, 3, 1, 0);
  const program = { code, constants: Float64Array.of(86_400_000, 3_600_000), result: 4, conditions: false };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -8.64e15, max: 8.64e15 }), { maxLength: 300 }), (times) => {
      const column = Float64Array.from(times);
      const hours = Float64Array.from(times, (time) => new Date(time).getUTCHours());
      expect(wasm.runProgram(program, [column], times.length)).toEqual(hours);
      expect(twin.runProgram(program, [column], times.length)).toEqual(hours);
    }),
  );
});

test("quotients and what is left are exact up to 2^53", () => {
  const program = (op: number) => ({
    code: Uint32Array.of(op, 2, 0, 1, 0),
    constants: Float64Array.of(),
    result: 2,
    conditions: false,
  });
  const bits = fc
    .integer({ min: 0, max: 53 })
    .chain((power) => fc.maxSafeInteger().map((value) => Math.trunc(value / 2 ** (53 - power))));
  fc.assert(
    fc.property(fc.array(fc.tuple(bits, bits, fc.integer({ min: -2, max: 2 })), { maxLength: 100 }), (pairs) => {
      // Near multiples, where a rounded quotient would be wrong.
      const values = pairs.map(([a, b, near]) => {
        const value = Math.trunc(a / (b || 1)) * (b || 1) + near;
        return Number.isSafeInteger(value) ? value : a;
      });
      const [a, b] = [Float64Array.from(values), Float64Array.from(pairs, (pair) => pair[1])];
      const exact = (of: (a: bigint, b: bigint) => bigint) =>
        Float64Array.from(values, (value, at) =>
          b[at] === 0 ? 0 : Number(of(BigInt(value), BigInt(b[at] as number))),
        );
      expect(wasm.runProgram(program(ops.DIV), [a, b], a.length)).toEqual(exact((x, y) => x / y));
      expect(wasm.runProgram(program(ops.MOD), [a, b], a.length)).toEqual(exact((x, y) => x % y));
    }),
    { numRuns: 500 },
  );
});

test("programs that are none are refused", () => {
  const columns = [Float64Array.of(1, 2)];
  const constants = Float64Array.of(3);
  const program = (...code: number[]) => ({ code: Uint32Array.from(code), constants, result: 2, conditions: false });
  for (const kernels of [wasm, twin]) {
    expect(kernels.runProgram(program(ops.ADD, 2, 0, 1, 0), columns, 2)).toEqual(Float64Array.of(4, 5));
    for (const wrong of [
      program(ops.ADD, 2, 0, 1),
      program(ops.INSTRUCTIONS, 2, 0, 1, 0),
      program(ops.ADD, 1, 0, 1, 0),
      program(ops.ADD, 2, 0, 2, 0),
      program(),
      { ...program(ops.ADD, 2, 0, 1, 0), constants: new Float64Array(ops.MAX_REGISTERS) },
    ])
      expect(() => kernels.runProgram(wrong, columns, 2)).toThrow(/^bad-program: /);
    expect(() => kernels.runProgram(program(ops.ADD, 2, 0, 1, 0), columns, 3)).toThrow(/^bad-program: /);
  }
});
