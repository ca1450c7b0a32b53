/** What is shown of the last transactions. The page is another program, with types of its own: it is loaded by its path. */
import { expect, test } from "vitest";

const TRANSACTIONS = "../../console/parts/transactions.tsx";
interface Node {
  readonly type: unknown;
  readonly props: { readonly children?: unknown };
}

/** All that is to be read in what a component gives. None of these has state. */
function textOf(shown: unknown): string {
  if (Array.isArray(shown)) return shown.map(textOf).join("");
  if (typeof shown !== "object" || shown === null) return typeof shown === "boolean" ? "" : String(shown ?? "");
  const { type, props } = shown as Node;
  return textOf(typeof type === "function" ? (type as (props: object) => unknown)(props) : props.children);
}

test.each([
  [[], ""],
  [[2], "Partition 2 did not answer: transactions from there are missing."],
  [[0, 2], "Partitions 0, 2 did not answer: transactions from there are missing."],
])("partitions that did not answer are named: %j", async (silent, line) => {
  const { Transactions } = (await import(TRANSACTIONS)) as { Transactions: (props: object) => unknown };
  const text = textOf(Transactions({ of: { transactions: [], silent } }));
  expect(text).toBe(`${line}Partitions remember no transaction: they do so in memory, for a while.`);
});
