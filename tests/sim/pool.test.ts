/** The threads that run seeds: one that is lost costs the seed that it was at, and no other. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { obey } from "../../sim/pool/obey.ts";
import { Pool } from "../../sim/pool/pool.ts";

const settings = { transactions: 200, sends: true, local: false, bug: null };
const how = { thread: join(import.meta.dirname, "support/stuck-thread.ts"), longestMs: 300 };

test("a seed with a turn without an end has failed, and so has one that ends its thread; those beside it are run", async () => {
  const pool = new Pool(settings, 2, how);
  const orders = [[1, 2, 3, 4, 5, 6], [7, 8], [3]];
  const answers = await Promise.all(orders.map((seeds) => pool.ask({ kind: "seeds", seeds })));
  await pool.close();
  const found = answers.map((answer) =>
    answer.kind === "seeds" ? answer.results.map(({ seed, failures }) => [seed, ...failures]) : [],
  );
  const endless = [3, "it has a turn without an end: nothing was heard of it for 0.3 s"];
  expect(found).toEqual([
    [[1], [2], [4], [6], [5, "it ended its thread: out of memory"], endless],
    [[7], [8]],
    [endless],
  ]);
});

test("who shows a seed or cuts it down says when a run begins, so that one without an end is found there too", async () => {
  const begun: number[] = [];
  const begins = (seed: number): void => void begun.push(seed);
  await obey({ ...settings, transactions: 20 }, { kind: "show", seed: 7 }, begins);
  expect(begun).toEqual([7]);
  await obey({ ...settings, transactions: 20 }, { kind: "shrink", seed: 7, budgetMs: 0 }, begins);
  expect(begun).toEqual([7, 7]);
});
