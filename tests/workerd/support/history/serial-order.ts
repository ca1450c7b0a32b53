/** Whether an outcome is that of some serial order which respects real time. */
import { inOrder, type Outcome } from "./model.ts";
import { type History, transactionsOf } from "./notation.ts";

/** Pairs of transactions: the first was answered before the second began. */
export type RealTime = ReadonlyArray<readonly [answered: string, began: string]>;

/** The first order of the committed transactions that explains the outcome, or `null` when none does. */
export function serialOrderOf(
  history: History,
  outcome: Outcome,
  realTime: RealTime = realTimeAsWritten(history),
): readonly string[] | null {
  const orders = permutations([...outcome.seen.keys()]).filter((order) => respects(order, realTime));
  return orders.find((order) => textOf(inOrder(history, order)) === textOf(outcome)) ?? null;
}

/** A transaction whose last step is written above the first of another ends before it, unless that last step has to wait. */
export function realTimeAsWritten(history: History): RealTime {
  const names = [...transactionsOf(history).keys()];
  const endOf = (name: string) => history.findLastIndex(({ transaction }) => transaction === name);
  const beginOf = (name: string) => history.findIndex(({ transaction }) => transaction === name);
  return names.flatMap((first) =>
    names
      .filter((second) => history[endOf(first)]?.waitsFor === undefined && endOf(first) < beginOf(second))
      .map((second) => [first, second] as const),
  );
}

function respects(order: readonly string[], realTime: RealTime): boolean {
  return realTime.every(
    ([first, second]) =>
      !order.includes(first) || order.indexOf(first) < order.indexOf(second) || !order.includes(second),
  );
}

function permutations(names: readonly string[]): string[][] {
  if (names.length === 0) return [[]];
  return names.flatMap((name) => permutations(names.filter((other) => other !== name)).map((rest) => [name, ...rest]));
}

/** Two outcomes with one text are the same. */
function textOf({ seen, rows }: Outcome): string {
  return JSON.stringify([[...seen].sort(([a], [b]) => a.localeCompare(b)), rows]);
}
