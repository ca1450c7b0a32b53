/** The newest row of each key, as a view shows it. */

import { NO_ROWS, type Rows } from "../columns/rows.ts";
import { type Cell, cellAt, type Column } from "../columns/column.ts";
import { cellJson, earlierJson, typedJson } from "../columns/rows.ts";
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

type CellJson = (cell: Cell) => string;

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
    const shown = rows.sign === null ? this.#last(rows) : this.#changed(rows, rows.sign, store);
    for (const [id, text] of shown) store.put(GROUPS, this.#text(id), text);
    return { rows: NO_ROWS, late: NOTHING_LATE, next: Infinity };
  }

  #text(id: GroupId): string {
    return groupText(id, this.#spec.keys.length);
  }

  /** Only the last row of a key counts. */
  #last(rows: Rows): Map<GroupId, string> {
    const idOf = groupIds(rows, this.#spec.keys);
    const last = new Map<GroupId, number>();
    for (let row = 0; row < rows.length; row++) last.set(idOf(row), row);
    const jsonOf = this.#jsonOf(rows);
    return new Map([...last].map(([id, row]) => [id, jsonOf(row)]));
  }

  /** What is taken back is shown no longer, unless what another result gave stands in its place by now. */
  #changed(rows: Rows, sign: Int8Array, store: ShardStore): Map<GroupId, string | null> {
    const idOf = groupIds(rows, this.#spec.keys);
    const jsonOf = this.#jsonOf(rows);
    const earlierJsonOf = this.#jsonOf(rows, cellJson, (list) => earlierJson(String(list)));
    const withEarlierLists = this.#jsonOf(rows, typedJson, (list) => earlierJson(String(list)));
    const shown = new Map<GroupId, string | null>();
    for (let row = 0; row < rows.length; row++) {
      const id = idOf(row);
      const text = jsonOf(row);
      if ((sign[row] as number) > 0) shown.set(id, text);
      else {
        const there = shown.has(id) ? shown.get(id) : store.get(GROUPS, this.#text(id));
        // Earlier versions of the engine stored float64s beyond 2^53 without an exponent: in lists the later ones, too.
        const isThis = there === text || there === withEarlierLists(row) || there === earlierJsonOf(row);
        if (isThis) shown.set(id, null);
      }
    }
    return shown;
  }

  #jsonOf(rows: Rows, valueJson: CellJson = typedJson, listJson: CellJson = String): (row: number) => string {
    const { names, json } = this.#spec;
    const columns = names.map((name) => rows.column(name));
    const isJson = names.map((name) => json.has(name));
    return (row) => {
      let text = "{";
      for (let at = 0; at < columns.length; at++) {
        const cell = cellAt(columns[at] as Column, row);
        text += (this.#before[at] as string) + (isJson[at] === true ? listJson(cell) : valueJson(cell));
      }
      return `${text}}`;
    };
  }
}
