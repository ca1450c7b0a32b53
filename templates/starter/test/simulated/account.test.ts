import { testApp } from "tidegate/testing";
import { expect, test } from "vitest";
import { account } from "../../src/account.ts";
import { Account } from "../../src/contracts.ts";

test.each([1, 2, 3])("money is neither made nor lost, whatever breaks (seed %i)", async (seed) => {
  const app = testApp({ services: [account], seed, faults: true });
  const client = app.client({ Account });
  const names = ["alice", "bob", "carol"];
  for (const name of names) await client.account(name).deposit({ amount: 100 });

  const transfers = Array.from({ length: 30 }, (_, n) => {
    const [from = "", to = ""] = [names[n % 3], names[(n + 1) % 3]];
    return client.account(from).transfer.try({ to, amount: ((n * 17) % 60) + 1 });
  });
  await Promise.all(transfers);
  await app.drained();

  const balances = await Promise.all(names.map((name) => client.account(name).balance()));
  expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(300);
  expect(Math.min(...balances)).toBeGreaterThanOrEqual(0);
});
