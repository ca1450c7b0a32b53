/** The short form of `npm run test:long`: transactions over lists on several partitions, and a bank, while the server dies. */
import { expect, test } from "vitest";
import { runListAppend } from "./support/list-append/run.ts";

const TRANSACTIONS = 2_000;
const KILLS = 4;
const PATIENCE_MS = 90_000;

test(`${TRANSACTIONS} transactions around ${KILLS} kills are strictly serializable, and every sum of the bank is the same`, async () => {
  const seed = Number(process.env["TIDEGATE_SEED"] ?? Date.now() % 1_000_000);
  const plan = { transactions: TRANSACTIONS, kills: KILLS, patienceMs: PATIENCE_MS, seed };
  const report = await runListAppend({ ...plan, progress: () => undefined });
  console.log(`seed ${seed}\n${report.summary}`);
  expect(report.faults.slice(0, 10)).toEqual([]);
  // Otherwise nothing was tried.
  expect(report.transactions).toBeGreaterThanOrEqual(TRANSACTIONS);
  expect(report.repeats).toBeGreaterThanOrEqual(KILLS);
  expect(Math.min(report.bank.transfers, report.bank.fresh, report.bank.snapshot)).toBeGreaterThan(0);
}, 120_000);
