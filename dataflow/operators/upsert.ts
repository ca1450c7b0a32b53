/** The newest row of each key, as a view shows it. */

import { NO_ROWS, type Rows } from "../columns/rows.ts";
import { cellAt, type Column } from "../columns/column.ts";
import { cellJson } from "../columns/rows.ts";
import { type GroupId, groupIds, groupText } from "../keys.ts";
import { NOTHING_LATE, type ShardInput, type ShardOperator, type ShardOutput } from "./operator.ts";
import type { ShardStore } from "./store.ts";
import { GROUPS } from "./windows.ts";

export interface UpsertSpec {
  readonly keys: readonly string[];
  /** Fields of a row, in the order in which it shows them. */
  readonly names: readonly string[];
  /** Those that are JSON already. */
  readonly json: ReadonlySet<string>;
}

export class Upsert implements ShardOperator {
  readonly #spec: UpsertSpec;
  /** What stands before the value of each field. */
  readonly #before: readonly string[];

  constructor(spec: UpsertSpec) {
    this.#spec = spec;
    this.#before = spec.names.map((name, at) => `${at === 0 ? "" : ","}${JSON.stringify(name)}:`);
  }

  apply({ inputs }: ShardInput, store: ShardStore): ShardOutput {
    const rows = inputs[0] as Rows;
    if (rows.length === 0) return { rows: NO_ROWS, late: NOTHING_LATE, next: Infinity };
    const idOf = groupIds(rows, this.#spec.keys);
    // Only the last row of a key counts, or that it was taken back.
    const last = new Map<GroupId, number>();
    for (let row = 0; row < rows.length; row++) last.set(idOf(row), row);
    const jsonOf = this.#jsonOf(rows);
    for (const [id, row] of last) {
      const gone = rows.sign !== null && (rows.sign[row] as number) < 0;
      store.put(GROUPS, groupText(id, this.#spec.keys.length), gone ? null : jsonOf(row));
    }
    return { rows: NO_ROWS, late: NOTHING_LATE, next: Infinity };
  }

  #jsonOf(rows: Rows): (row: number) => string {
    const { names, json } = this.#spec;
    const columns = names.map((name) => rows.column(name));
    const isJson = names.map((name) => json.has(name));
    return (row) => {
      let text = "{";
      for (let at = 0; at < columns.length; at++) {
        const cell = cellAt(columns[at] as Column, row);
        text += (this.#before[at] as string) + (isJson[at] === true ? String(cell) : cellJson(cell));
      }
      return `${text}}`;
    };
  }
}
