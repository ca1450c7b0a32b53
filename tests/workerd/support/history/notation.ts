/**
 * The notation of histories: one step a line, in the order in which they are to begin.
 *
 *     T1 write 1 11
 *     T2 read 1                    waits for T1
 *     T1 insert 3 30               T3 begins again
 *     T2 select value % 3 = 0
 *     T1 commit
 *
 * What stands to the right is what a step does under locks, the older transaction (the one that begins first) having
 * precedence: `waits for T1` when it ends only after T1 has, `T3 begins again` when T3 has to give way and runs once more.
 */
import type { Predicate, RowOperation } from "../../../app/src/row-operation.ts";

export interface HistoryStep {
  /** As it is written. */
  readonly text: string;
  readonly transaction: string;
  /** Its place among the steps of its transaction. */
  readonly number: number;
  readonly operation: RowOperation;
  readonly waitsFor: string | undefined;
  readonly beginsAgain: string | undefined;
}
export type History = readonly HistoryStep[];

const LINE = /^(T\d) (.*?)(?:\s{2,}(?:waits for (T\d)|(T\d) begins again))?$/;

export function parseHistory(text: string): History {
  const counts = new Map<string, number>();
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").map((line) => parseLine(line, counts));
}

function parseLine(text: string, counts: Map<string, number>): HistoryStep {
  const [, transaction, words, waitsFor, beginsAgain] = LINE.exec(text) ?? [];
  if (transaction === undefined || words === undefined) throw new Error(`not a step of a history: ${text}`);
  const number = counts.get(transaction) ?? 0;
  counts.set(transaction, number + 1);
  return { text, transaction, number, operation: parseOperation(words), waitsFor, beginsAgain };
}

function parseOperation(words: string): RowOperation {
  const [op, first, second] = words.split(" ");
  const row = Number(first);
  if (op === "commit" || op === "abort") return { op };
  if (op === "read") return { op, row };
  if (op === "write" || op === "insert") return { op: "write", row, value: Number(second) };
  if (op === "increase") return { op, row, by: Number(second) };
  if (op === "select" || op === "delete") return { op, where: parsePredicate(words.slice(op.length + 1)) };
  throw new Error(`not an operation: ${words}`);
}

function parsePredicate(words: string): Predicate {
  if (words === "all") return "all";
  const [, divisor, value] = /^value (?:% (\d+) = 0|= (\d+))$/.exec(words) ?? [];
  if (divisor !== undefined) return { divisibleBy: Number(divisor) };
  if (value !== undefined) return { is: Number(value) };
  throw new Error(`not a predicate: ${words}`);
}

/** The transactions of a history in the order in which they begin, each with its operations. */
export function transactionsOf(history: History): Map<string, RowOperation[]> {
  const transactions = new Map<string, RowOperation[]>();
  for (const { transaction, operation } of history) {
    const operations = transactions.get(transaction);
    if (operations) operations.push(operation);
    else transactions.set(transaction, [operation]);
  }
  return transactions;
}
