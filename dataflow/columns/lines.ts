/** Events as lines of JSON. */

import { type Cell, cellAt } from "./column.ts";
import { cellJson, type Rows } from "./rows.ts";

/** @param json fields that are JSON texts already */
export function rowLines(rows: Rows, names: readonly string[], json: readonly string[] = []): string[] {
  const columns = names.map((name) => {
    const text: (cell: Cell) => string = json.includes(name) ? String : cellJson;
    return { name: JSON.stringify(name), column: rows.column(name), text };
  });
  return Array.from({ length: rows.length }, (_, row) => {
    const members = columns.map(({ name, column, text }) => `${name}:${text(cellAt(column, row))}`);
    return `{${members.join(",")}}`;
  });
}
