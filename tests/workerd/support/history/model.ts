/** The model of histories: a plain map of rows, with steps taken as written or with whole transactions one after the other. */
import { matches, type RowOperation, type Rows, type RowsSeen } from "../../../app/src/row-operation.ts";
import { type History, transactionsOf } from "./notation.ts";

/** The rows that every history begins with. */
export const INITIAL: Rows = [
  [1, 10],
  [2, 20],
];

/** What came of a history. */
export interface Outcome {
  /** What each committed transaction saw. */
  readonly seen: ReadonlyMap<string, readonly RowsSeen[]>;
  readonly rows: Rows;
}

type Table = Map<number, number>;
type Undo = () => void;

/** Every step acts at once on what is there, with no isolation; an abort puts back what its transaction has overwritten. */
export function withoutIsolation(history: History): Outcome {
  const rows: Table = new Map(INITIAL);
  const seen = new Map<string, RowsSeen[]>();
  const undos = new Map<string, Undo[]>();
  for (const { transaction } of history) seen.set(transaction, []);
  for (const { transaction, operation } of history) {
    const undo = undos.get(transaction) ?? [];
    undos.set(transaction, undo);
    const shown = apply(rows, operation, undo);
    if (shown !== undefined) seen.get(transaction)?.push(shown);
    if (operation.op !== "abort") continue;
    for (const back of undo.reverse()) back();
    seen.delete(transaction);
  }
  return { seen, rows: sorted(rows) };
}

/** The committed transactions of a history one after the other, in this order. */
export function inOrder(history: History, order: readonly string[]): Outcome {
  const rows: Table = new Map(INITIAL);
  const transactions = transactionsOf(history);
  const seen = new Map<string, RowsSeen[]>();
  for (const name of order) {
    const shown = (transactions.get(name) ?? []).map((operation) => apply(rows, operation, []));
    seen.set(
      name,
      shown.filter((item) => item !== undefined),
    );
  }
  return { seen, rows: sorted(rows) };
}

function sorted(rows: Table): Rows {
  return [...rows].sort(([a], [b]) => a - b);
}

function apply(rows: Table, operation: RowOperation, undo: Undo[]): RowsSeen | undefined {
  switch (operation.op) {
    case "read":
      return rows.get(operation.row) ?? null;
    case "select":
      return sorted(rows).filter(([, value]) => matches(operation.where, value));
    case "write":
      return put(rows, operation.row, operation.value, undo);
    case "increase": {
      const value = rows.get(operation.row);
      return value === undefined ? undefined : put(rows, operation.row, value + operation.by, undo);
    }
    case "delete":
      for (const [row, value] of [...rows]) if (matches(operation.where, value)) put(rows, row, undefined, undo);
      return undefined;
    default:
      return undefined;
  }
}

function put(rows: Table, row: number, value: number | undefined, undo: Undo[]): undefined {
  const before = rows.get(row);
  undo.push(() => set(rows, row, before));
  set(rows, row, value);
}

function set(rows: Table, row: number, value: number | undefined): void {
  if (value === undefined) rows.delete(row);
  else rows.set(row, value);
}
