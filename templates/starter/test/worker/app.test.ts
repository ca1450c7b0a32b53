import { testWorker } from "tidegate/testing/worker";
import { expect, test } from "vitest";
import { Account } from "../../src/contracts.ts";
import { Visits, visitsPerMinute } from "../../src/visits.ts";

const domain = testWorker();
const client = domain.client({ Account });

test("a transfer happens as a whole, and is there after a crash", async () => {
  expect(await client.account("alice").deposit({ amount: 100 })).toBe(100);
  expect(await client.account("alice").transfer({ to: "bob", amount: 30 })).toBe(70);
  await domain.crash("everything");
  expect(await client.account("bob").balance()).toBe(30);
});

test("who has too little is refused, and nothing changes", async () => {
  const refused = await client.account("carol").transfer.try({ to: "bob", amount: 5 });
  expect(refused).toEqual({ ok: false, refusal: "insufficient-funds", data: { balance: 0 } });
});

test("visits are counted by page", async () => {
  const at = Date.now();
  await client.stream(Visits).send([
    { page: "/", at },
    { page: "/", at },
    { page: "/about", at },
  ]);
  const { rows } = await client.view(visitsPerMinute).get("/");
  expect(rows).toMatchObject([{ key: "/", visits: 2 }]);
});
