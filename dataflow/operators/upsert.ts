/** The newest row of each key, as a view shows it. */

import { NO_ROWS, type Rows } from "../columns/rows.ts";
import { cellAt } from "../columns/column.ts";
import { cellJson } from "../columns/rows.ts";
import { groupIds, groupText } from "../keys.ts";
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

  constructor(spec: UpsertSpec) {
    this.#spec = spec;
  }

  apply({ inputs }: ShardInput, store: ShardStore): ShardOutput {
    const rows = inputs[0] as Rows;
    const idOf = groupIds(rows, this.#spec.keys);
    // Only the last row of a key counts, or that it was taken back.
    const last = new Map<string, number>();
    for (let row = 0; row < rows.length; row++) last.set(groupText(idOf(row), this.#spec.keys.length), row);
    for (const [text, row] of last) {
      const gone = rows.sign !== null && (rows.sign[row] as number) < 0;
      store.put(GROUPS, text, gone ? null : this.#json(rows, row));
    }
    return { rows: NO_ROWS, late: NOTHING_LATE, next: Infinity };
  }

  #json(rows: Rows, row: number): string {
    const members = this.#spec.names.map((name) => {
      const cell = cellAt(rows.column(name), row);
      return `${JSON.stringify(name)}:${this.#spec.json.has(name) ? String(cell) : cellJson(cell)}`;
    });
    return `{${members.join(",")}}`;
  }
}
