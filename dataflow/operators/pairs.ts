/** Rows that joins keep, and pairs of them as events. */

import { decodeValue, encodeValue } from "../../sdk/values.ts";
import type { ComputedField, ExpressionNode, Fields } from "../../sdk/index.ts";
import { type Cell, cellAt, type Column, columnOf } from "../columns/column.ts";
import { compile, compileTest, type Program, type Sides, type Test } from "../columns/expressions.ts";
import { Rows } from "../columns/rows.ts";

export interface Kept {
  readonly time: number;
  readonly cells: readonly Cell[];
}

export function keptRows(rows: Rows, names: readonly string[]): Kept[] {
  const columns = names.map((name) => rows.column(name));
  return Array.from({ length: rows.length }, (_, row) => ({
    time: rows.time[row] as number,
    cells: columns.map((column) => cellAt(column, row)),
  }));
}

export function encodeKept(rows: readonly Kept[]): string {
  return encodeValue(rows.map(({ time, cells }) => [time, ...cells]));
}

export function decodeKept(text: string): Kept[] {
  return (decodeValue(text) as Array<[number, ...Cell[]]>).map(([time, ...cells]) => ({ time, cells }));
}

export interface PairSpec {
  readonly left: Fields;
  readonly right: Fields;
  readonly where: ExpressionNode | null;
  readonly columns: readonly ComputedField[];
}

/** Makes events of pairs: a condition, and what is selected, over columns. */
export class Pairs {
  readonly #spec: PairSpec;
  readonly #test: Test | null;
  readonly #programs: ReadonlyArray<readonly [string, Program]>;
  readonly #left: Kept[] = [];
  readonly #right: Kept[] = [];

  constructor(spec: PairSpec) {
    this.#spec = spec;
    this.#test = spec.where === null ? null : compileTest(spec.where);
    this.#programs = spec.columns.map(({ name, expression }) => [name, compile(expression)] as const);
  }

  add(left: Kept, right: Kept): void {
    this.#left.push(left);
    this.#right.push(right);
  }

  /** Takes the pairs so far. @param time of each; the later of the two when left out */
  take(time?: number): Rows {
    const [lefts, rights] = [this.#left.splice(0), this.#right.splice(0)];
    const times = Float64Array.from(lefts, (left, at) => time ?? Math.max(left.time, (rights[at] as Kept).time));
    const sides: Sides = [sideOf(this.#spec.left, lefts, times), sideOf(this.#spec.right, rights, times)];
    const { length } = lefts;
    const columns = new Map<string, () => Column>();
    for (const [name, program] of this.#programs) columns.set(name, () => program(sides, length));
    const rows = new Rows(columns, times);
    if (this.#test === null) return rows;
    return rows.pick(chosen(this.#test(sides, length)));
  }
}

/** Numbers of the rows for which a condition holds. */
export function chosen(test: Uint8Array): Uint32Array {
  let count = 0;
  for (let row = 0; row < test.length; row++) count += test[row] as number;
  const index = new Uint32Array(count);
  for (let row = 0, at = 0; row < test.length; row++) if (test[row] === 1) index[at++] = row;
  return index;
}

function sideOf(fields: Fields, kept: readonly Kept[], time: Float64Array): Rows {
  const columns = new Map<string, () => Column>();
  for (const [at, [name, { kind }]] of Object.entries(fields).entries()) {
    columns.set(name, () =>
      columnOf(
        kind,
        kept.map(({ cells }) => cells[at]),
      ),
    );
  }
  return new Rows(columns, time);
}
