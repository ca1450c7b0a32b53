/** The books: sums over all that is stored, which must agree with what the customers brought and with each other. */
import type { PlacedOrder } from "../../src/contracts.ts";
import { differs, type Findings } from "../findings.ts";
import type { Counter } from "../judge.ts";
import type { Level } from "../shelf.ts";

export interface Books {
  /** Orders and cents of the run's customers, as they are stored. */
  readonly stored: readonly PlacedOrder[];
  readonly money: number;
  /** What was brought in this run. */
  readonly counter: Counter;
  /** Pieces in stock before this run, and after it. */
  readonly before: number;
  readonly levels: Readonly<Record<string, Level>>;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Money taken is the orders' totals, pieces sold are the orders' lines, and each total is the sum of its lines. */
export function auditSums(findings: Findings, books: Books): void {
  const faults: string[] = [];
  const standing = books.stored.filter(({ status }) => status === "placed");
  for (const { id, total, lines } of books.stored) {
    const priced = sum(lines.map(({ price, quantity }) => price * quantity));
    if (priced !== total) faults.push(differs(`total of order "${id}"`, priced, total));
  }
  const earned = sum(standing.map(({ total }) => total));
  const taken = books.counter.cents - books.money;
  if (taken !== earned) faults.push(differs("cents taken", earned, taken));
  findings.check("cents taken from accounts are the totals of the orders that stand", earned, faults);
  const sold = sum(standing.flatMap(({ lines }) => lines.map(({ quantity }) => quantity)));
  const after = sum(Object.values(books.levels).map(({ available }) => available));
  const gone = books.before + books.counter.pieces - after;
  const wrong = gone === sold ? [] : [differs("pieces taken from stock", sold, gone)];
  findings.check("pieces taken from stock are the lines of the orders that stand", sold, wrong);
}
