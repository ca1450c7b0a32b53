/** Column programs: the kernel as its twin, on random programs over whole numbers, doubles and conditions. */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as ops from "../../core-wasm/column-program.ts";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { randomProgram } from "./support/programs.ts";
import { random as seeded } from "./support/random.ts";

const wasm = createKernels(loadCore());
const twin = createReferenceKernels();

test("random programs", () => {
  const random = seeded(4711);
  let beyond = 0;
  for (let i = 0; i < 6_000; i++) {
    const rows = random.pick([0, 1, 2, 3, 127, 128, 129, 255, 300]);
    const { program, columns } = randomProgram(random, rows);
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
