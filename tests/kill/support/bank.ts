/** A bank under kills: some move money, others add up all accounts, fresh and of a snapshot; every sum must be the same. */
import { OPENING_BALANCE } from "../../app/src/bank.ts";
import type { Load } from "./load.ts";
import { queryPath, untilAnswered } from "./until-answered.ts";

export const ACCOUNTS: readonly string[] = Array.from({ length: 12 }, (_, n) => `account-${n}`);
const TOTAL = ACCOUNTS.length * OPENING_BALANCE;

export interface BankCounts {
  transfers: number;
  overdrawn: number;
  fresh: number;
  snapshot: number;
}
export const noCounts = (): BankCounts => ({ transfers: 0, overdrawn: 0, fresh: 0, snapshot: 0 });

export async function transferClient(load: Load, counts: BankCounts, process: number): Promise<void> {
  for (let n = 0; !load.stopping; n++) {
    const from = load.random.pick(ACCOUNTS);
    const to = load.random.pick(ACCOUNTS.filter((account) => account !== from));
    const body = JSON.stringify({ to, amount: 1 + load.random.int(60) });
    const post = { body, idempotencyKey: `bank-${process}-${n}` };
    const answer = await untilAnswered(load, { path: `/v1/services/bank/${from}/transfer`, post });
    if (answer?.status === 409) counts.overdrawn += 1;
    else if (answer?.status === 200) counts.transfers += 1;
    else load.faults.push(`a transfer got ${answer?.status ?? "no answer"} ${answer?.text ?? ""}`);
    load.answered += 1;
  }
}

export async function sumClient(load: Load, counts: BankCounts, kind: "fresh" | "snapshot"): Promise<void> {
  while (!load.stopping) {
    await checkSum(load, kind);
    counts[kind] += 1;
    load.answered += 1;
  }
}

export async function checkSum(load: Load, kind: "fresh" | "snapshot"): Promise<void> {
  const at = load.random.pick(ACCOUNTS);
  const path = queryPath("bank", at, "balances", { accounts: ACCOUNTS }, `consistency=${kind}`);
  const answer = await untilAnswered(load, { path });
  if (answer?.status !== 200) {
    load.faults.push(`a ${kind} sum got ${answer?.status ?? "no answer"} ${answer?.text ?? ""}`);
    return;
  }
  const balances = JSON.parse(answer.text) as number[];
  const sum = balances.reduce((total, balance) => total + balance, 0);
  if (sum !== TOTAL) load.faults.push(`a ${kind} sum is ${sum}, not ${TOTAL}: ${balances.join()}`);
  if (Math.min(...balances) < 0) load.faults.push(`an account is overdrawn: ${balances.join()}`);
}
