/** Random transactions with crashes at every boundary of durability, against a sequential model. */
import { expect, test, vi } from "vitest";
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { runTransactions } from "../../sim/transactions-run.ts";

vi.mock("../../protocol/limits.ts", async (original) => {
  const { smallLimits } = await import("./support/small-limits.ts");
  return smallLimits(await original());
});

/** More of them, or one: TIDEGATE_SEEDS=5000, TIDEGATE_SEED=17. */
const SEEDS = Number(process.env["TIDEGATE_SEEDS"] ?? 400);
const ONLY = process.env["TIDEGATE_SEED"];
const kernels = createKernels(loadCore());

test(`${ONLY === undefined ? `${SEEDS} seeds` : `seed ${ONLY}`}: answers, records and state are those of the model, whatever crashes when`, async () => {
  const total = { committed: 0, refused: 0, failed: 0, crashes: 0, folds: 0, steps: 0 };
  const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, n) => n + 1) : [Number(ONLY)];
  for (const seed of seeds) {
    const report = await runTransactions({ kernels, seed, transactions: 40, crashes: 4 });
    expect(report.faults).toEqual([]);
    for (const name of Object.keys(total) as Array<keyof typeof total>) total[name] += report[name];
  }
  console.log(`${seeds.length} seeds: ${JSON.stringify(total)}`);
  for (const [name, count] of Object.entries(total)) expect(count, name).toBeGreaterThan(0);
}, 120_000);

test("a seed gives the same run again", async () => {
  const options = { kernels, seed: 7, transactions: 40, crashes: 4 };
  expect(await runTransactions(options)).toEqual(await runTransactions(options));
});
