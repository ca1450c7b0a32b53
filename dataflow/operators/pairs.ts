/** Rows that joins keep, and pairs of them as events. */

import { TidegateError } from "../../sdk/errors.ts";
import { decodeValue, encodeValue } from "../../sdk/values.ts";
import type { ComputedField, ExpressionNode, Fields } from "../../sdk/index.ts";
import { type Cell, cellAt, type Column, columnOf } from "../columns/column.ts";
import { chosen } from "../columns/chosen.ts";
import { compile, compileTest, type Program, type Test } from "../columns/expressions.ts";
import { concatRows, NO_ROWS, Rows } from "../columns/rows.ts";
import type { VectorKernels } from "../columns/vectors.ts";
import { PAIRS_MAX, PAIRS_TOGETHER } from "../limits.ts";

/** A row: its event time, then its cells. */
export type Kept = readonly [time: number, ...cells: Cell[]];

/** Makes the row of a number. */
export function keptReader(rows: Rows, names: readonly string[]): (row: number) => Kept {
  const columns = names.map((name) => rows.column(name));
  const { time } = rows;
  return (row) => {
    const kept: [number, ...Cell[]] = [time[row] as number];
    for (const column of columns) kept.push(cellAt(column, row));
    return kept;
  };
}

export function encodeKept(rows: readonly Kept[]): string {
  return encodeValue(rows);
}

export function decodeKept(text: string): Kept[] {
  return decodeValue(text) as Kept[];
}

export interface PairSpec {
  readonly left: Fields;
  readonly right: Fields;
  readonly where: ExpressionNode | null;
  readonly columns: readonly ComputedField[];
  /** Run what they can of these expressions. */
  readonly kernels?: VectorKernels | undefined;
}

/** Makes events of pairs: a condition, and what is selected, over columns. */
export class PairProgram {
  readonly #test: Test | null;
  readonly #programs: ReadonlyArray<readonly [string, Program]>;

  constructor({ where, columns, kernels }: PairSpec) {
    this.#test = where === null ? null : compileTest(where, kernels);
    this.#programs = columns.map(({ name, expression }) => [name, compile(expression, kernels)] as const);
  }

  /** @param sides of which the same rows are pairs */
  run(sides: readonly [Rows, Rows], time: Float64Array): Rows {
    const { length } = time;
    if (length === 0) return NO_ROWS;
    const columns = new Map<string, () => Column>();
    for (const [name, program] of this.#programs) columns.set(name, () => program(sides, length));
    const rows = new Rows(columns, time);
    return this.#test === null ? rows : rows.pick(chosen(this.#test(sides, length)));
  }
}

/** What a join gives in one batch, made a block of pairs at a time. */
export class PairsGiven {
  readonly #blocks: Rows[] = [];
  #length = 0;

  /** @throws TidegateError `transaction-too-large` for more than a batch may give */
  add(rows: Rows): void {
    if (rows.length === 0) return;
    this.#length += rows.length;
    if (this.#length > PAIRS_MAX) {
      const message = `a join gives more than ${PAIRS_MAX} pairs in one batch: let its condition, its windows or its keys be narrower`;
      throw new TidegateError("transaction-too-large", message);
    }
    // A column that is made later would hold what the whole block was made of.
    for (const name of rows.names) rows.column(name);
    this.#blocks.push(rows);
  }

  get rows(): Rows {
    return concatRows(this.#blocks);
  }
}

/** Gathers pairs of rows that are kept one by one. */
export class Pairs {
  readonly #spec: PairSpec;
  readonly #program: PairProgram;
  readonly #left: Kept[] = [];
  readonly #right: Kept[] = [];
  #given = new PairsGiven();

  constructor(spec: PairSpec) {
    this.#spec = spec;
    this.#program = new PairProgram(spec);
  }

  add(left: Kept, right: Kept): void {
    if (this.#left.length === PAIRS_TOGETHER) this.#run();
    this.#left.push(left);
    this.#right.push(right);
  }

  /** Takes the pairs so far. Their time is the later of the two. */
  take(): Rows {
    this.#run();
    const { rows } = this.#given;
    this.#given = new PairsGiven();
    return rows;
  }

  #run(): void {
    const [lefts, rights] = [this.#left.splice(0), this.#right.splice(0)];
    const time = Float64Array.from(lefts, (left, at) => Math.max(left[0], (rights[at] as Kept)[0]));
    const sides = [sideOf(this.#spec.left, lefts, time), sideOf(this.#spec.right, rights, time)] as const;
    this.#given.add(this.#program.run(sides, time));
  }
}

function sideOf(fields: Fields, kept: readonly Kept[], time: Float64Array): Rows {
  const columns = new Map<string, () => Column>();
  for (const [at, [name, field]] of Object.entries(fields).entries()) {
    columns.set(name, () =>
      columnOf(
        field,
        kept.map((row) => row[at + 1]),
      ),
    );
  }
  return new Rows(columns, time);
}
