/** A bank over all partitions: whoever adds up all accounts while money moves finds the same sum. */
import { afterAll, expect, test } from "vitest";
import { OPENING_BALANCE } from "../app/src/bank.ts";
import { type Answer, ask, call, freshKey, leftovers } from "./support/app.ts";
import { keysApart } from "./support/spread.ts";

const accounts: readonly string[] = keysApart(12);
const TOTAL = accounts.length * OPENING_BALANCE;
const TRANSFERS = 400;
const AT_ONCE = 16;

afterAll(async () => expect(await leftovers()).toBe(0));

function transfer(n: number): Promise<Answer> {
  const from = accounts[(n * 7) % accounts.length] as string;
  const to = accounts[(n * 7 + 1 + (n % (accounts.length - 1))) % accounts.length] as string;
  return call(["bank", from], "transfer", { to, amount: 1 + ((n * 13) % 60) });
}

/** The sum as one query sees it, asked at an account or at a key of its own. */
async function sum(n: number, parameters: string): Promise<number> {
  const at = n % 2 === 0 ? (accounts[n % accounts.length] as string) : freshKey();
  const { status, body } = await ask(["bank", at], "balances", { accounts }, parameters);
  if (status !== 200) throw new Error(`a sum got ${status} ${JSON.stringify(body)}`);
  return (body as number[]).reduce((total, balance) => total + balance, 0);
}

/** Runs a reader again and again until the work is done; what it found, each sum once. */
async function sumsUntil(done: Promise<unknown>, parameters: string): Promise<{ sums: Set<number>; count: number }> {
  let working = true;
  void done.finally(() => (working = false));
  const sums = new Set<number>();
  let count = 0;
  for (; working || count === 0; count++) {
    sums.add(await sum(count, parameters));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return { sums, count };
}

async function moveMoney(): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  let next = 0;
  const client = async () => {
    while (next < TRANSFERS) {
      const { status } = await transfer(next++);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return statuses;
}

test("every sum equals the total, fresh and of a snapshot, and no account is overdrawn", async () => {
  const moved = moveMoney();
  const readers = ["", "", "consistency=snapshot", "consistency=snapshot"].map((how) => sumsUntil(moved, how));
  const found = await Promise.all(readers);
  const statuses = await moved;
  console.log(`${TRANSFERS} transfers, sums read: ${found.map(({ count }) => count).join()}`);
  expect(found.map(({ sums }) => [...sums])).toEqual(found.map(() => [TOTAL]));
  expect([...statuses.keys()].filter((status) => status !== 200 && status !== 409)).toEqual([]);
  expect(statuses.get(200)).toBeGreaterThan(TRANSFERS / 4);
  const { body } = await ask(["bank", freshKey()], "balances", { accounts });
  expect(Math.min(...(body as number[]))).toBeGreaterThanOrEqual(0);
  expect((body as number[]).reduce((total, balance) => total + balance, 0)).toBe(TOTAL);
});
