/** Expressions that kernels run come to what they come to without them, whatever they are and whatever the columns hold. */
import { expect, test } from "vitest";
import * as core from "../../core-wasm/column-program.ts";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { createReferenceKernels } from "../../core-wasm/reference/kernels.ts";
import { cellAt, lengthOf } from "../../dataflow/columns/column.ts";
import { PairProgram } from "../../dataflow/operators/pairs.ts";
import { compile, compileTest } from "../../dataflow/columns/expressions.ts";
import { type Rows, rowsOf } from "../../dataflow/columns/rows.ts";
import * as ops from "../../dataflow/columns/vector-ops.ts";
import type { VectorKernels } from "../../dataflow/columns/vectors.ts";
import { createRandom, type Random } from "../../sim/random.ts";
import { boolean, type ExpressionNode, float64, int64, optional, text, timestamp } from "../../sdk/index.ts";

type Kind = ExpressionNode["kind"];
const FIELDS = {
  i: int64(),
  j: int64(),
  o: optional(int64()),
  x: float64(),
  y: float64(),
  at: timestamp(),
  p: boolean(),
  q: boolean(),
  t: text(),
};
const NAMES: Readonly<Record<Kind, readonly string[]>> = {
  int64: ["i", "j"],
  float64: ["x", "y"],
  timestamp: ["at"],
  boolean: ["p", "q"],
  text: ["t"],
};
const DAY = 86_400_000;

const field = (kind: Kind, name: string, side: 0 | 1 = 0): ExpressionNode => ({ op: "field", kind, name, side });
const literal = (kind: Kind, value: bigint | number | string | boolean): ExpressionNode => ({
  op: "literal",
  kind,
  value,
});
const call = (op: string, kind: Kind, ...args: ExpressionNode[]) => ({ op, kind, args }) as ExpressionNode;

function leaf(kind: Kind, random: Random): ExpressionNode {
  if (random.oneIn(3)) {
    if (kind === "float64") return literal(kind, random.pick([0, -0, 0.5, -3, 1e300, 0.908]));
    if (kind === "boolean") return literal(kind, random.oneIn(2));
    if (kind === "text") return literal(kind, "b");
    return literal(kind, random.pick([0n, 1n, -7n, 123n, 2n ** 53n, 2n ** 53n - 1n]));
  }
  if (kind === "int64" && random.oneIn(6))
    return call("coalesce", kind, { ...field(kind, "o"), optional: true } as ExpressionNode, literal(kind, 5n));
  // As conditions of joins have them.
  return field(kind, random.pick(NAMES[kind]), random.oneIn(4) ? 1 : 0);
}

function expression(kind: Kind, depth: number, random: Random): ExpressionNode {
  if (depth === 0 || random.oneIn(8)) return leaf(kind, random);
  const of = (other: Kind) => expression(other, depth - 1, random);
  const choice = () => call("when", kind, of("boolean"), of(kind), of(kind));
  switch (kind) {
    case "int64":
      return random.pick([
        () => call(random.pick(["add", "sub", "mul", "div", "mod"]), kind, of(kind), of(kind)),
        () => call(random.pick(["neg", "abs"]), kind, of(kind)),
        () => call("to-int", kind, of(random.pick(["float64", "timestamp"]))),
        () => call(random.pick(["hour", "day-of-week"]), kind, of("timestamp")),
        () => call("length", kind, field("text", "t")),
        choice,
      ])();
    case "float64":
      return random.pick([
        () => call(random.pick(["add", "sub", "mul", "div", "mod"]), kind, of(kind), of(kind)),
        () => call(random.pick(["neg", "abs"]), kind, of(kind)),
        () => call("to-float", kind, of("int64")),
        choice,
      ])();
    case "timestamp":
      return random.pick([
        () => call("floor", kind, of(kind), literal(kind, BigInt(random.pick([1, 1_000, 7_777, DAY])))),
        () => call("to-timestamp", kind, of("int64")),
        () => call("add", kind, of(kind), literal(kind, 90_000n)),
        choice,
      ])();
    case "boolean": {
      const compared = random.pick(["int64", "float64", "timestamp"] as const);
      return random.pick([
        () => call(random.pick(["eq", "ne", "lt", "le", "gt", "ge"]), kind, of(compared), of(compared)),
        () => call(random.pick(["eq", "ne"]), kind, of(kind), of(kind)),
        () => call(random.pick(["eq", "ne"]), kind, field("text", "t"), literal("text", "b")),
        () => call(random.pick(["and", "or"]), kind, of(kind), of(kind)),
        () => call("not", kind, of(kind)),
        choice,
      ])();
    }
    case "text":
      return choice();
  }
}

function rowsWith(random: Random, length: number): Rows {
  const large = random.oneIn(5);
  const whole = (): number | bigint => {
    if (large && random.oneIn(50)) return random.pick([2n ** 53n, -(2n ** 60n), 2n ** 63n - 1n]);
    return (random.int(2_001) - 1_000) * (random.oneIn(20) ? 1_000_000_007 : 1);
  };
  const event = () => ({
    i: whole(),
    j: whole(),
    o: random.oneIn(3) ? null : whole(),
    x: (random.int(2_001) - 1_000) / 7,
    y: random.oneIn(10) ? random.pick([0, -0, 1e308, 5e-324, 1e17]) : random.int(100),
    at: random.int(100 * DAY) - 50 * DAY,
    p: random.oneIn(2),
    q: random.oneIn(3),
    t: random.pick(["a", "b", "é"]),
  });
  return rowsOf(FIELDS, Array.from({ length }, event), new Float64Array(length));
}

test("random expressions", () => {
  const random = createRandom(20_263);
  const used = { ran: 0, refused: 0 };
  const counting = (kernels: VectorKernels): VectorKernels => ({
    runProgram: (program, columns, rows) => {
      const made = kernels.runProgram(program, columns, rows);
      if (made === null) used.refused++;
      else used.ran++;
      return made;
    },
  });
  const all = [createKernels(loadCore()), createReferenceKernels()].map(counting);
  for (let i = 0; i < 1_500; i++) {
    const kind = random.pick(["int64", "float64", "timestamp", "boolean", "text"] as const);
    const node = expression(kind, 1 + random.int(4), random);
    const rows = rowsWith(random, random.pick([0, 1, 255, 256, 257, 300]));
    const cells = (column: ReturnType<ReturnType<typeof compile>>) =>
      Array.from({ length: lengthOf(column) }, (_, row) => cellAt(column, row));
    const sides = [rows, rowsWith(random, rows.length)] as const;
    const expected = cells(compile(node)(sides, rows.length));
    for (const kernels of all) {
      expect(cells(compile(node, kernels)(sides, rows.length)), `expression ${i}`).toEqual(expected);
      if (kind === "boolean")
        expect(compileTest(node, kernels)(sides, rows.length)).toEqual(compileTest(node)(sides, rows.length));
    }
  }
  expect(used.ran).toBeGreaterThan(500);
  expect(used.refused).toBeGreaterThan(20);
});

test("constants that are equal and not the same", () => {
  const test = call("and", "boolean", field("boolean", "p"), field("boolean", "q"));
  const node = call("when", "float64", call("not", "boolean", test), literal("float64", 0), literal("float64", -0));
  const rows = rowsWith(createRandom(1), 300);
  const of = (program: ReturnType<typeof compile>) => program([rows], 300);
  expect(of(compile(node, createKernels(loadCore())))).toEqual(of(compile(node)));
});

test("the numbers of instructions are those of the kernels", () => {
  const known = Object.fromEntries(Object.entries(ops));
  expect(Object.fromEntries(Object.entries(core))).toMatchObject(known);
  expect(Object.keys(known).length).toBe(core.INSTRUCTIONS + 1);
});

test("joins run their condition and what they select in kernels", () => {
  const random = createRandom(7);
  const sides = [rowsWith(random, 400), rowsWith(random, 400)] as const;
  const where = call("lt", "boolean", field("float64", "x"), field("float64", "y", 1));
  const sum = call("add", "float64", field("float64", "x"), field("float64", "x", 1));
  const spec = { left: FIELDS, right: FIELDS, where, columns: [{ name: "sum", expression: sum }] };
  let ran = 0;
  const { runProgram } = createKernels(loadCore());
  const kernels: VectorKernels = { runProgram: (...given) => (ran++, runProgram(...given)) };
  const time = new Float64Array(400);
  const [own, plain] = [{ ...spec, kernels }, spec].map((each) => new PairProgram(each).run(sides, time));
  expect(own?.length).toBe(plain?.length);
  expect(own?.column("sum")).toEqual(plain?.column("sum"));
  expect(ran).toBe(2);
});
