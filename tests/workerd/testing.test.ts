/** `tidegate/testing/worker`: what tests of an app can do with it in real workerd. */
import { expect, test } from "vitest";
import { testWorker } from "../../testing/worker.ts";
import { Account } from "../app/src/account.ts";
import { freshKey, inside } from "./support/app.ts";

const domain = testWorker();
const client = domain.client({ Account });

test("calls, crashes of everything and of one object, and nothing that was answered is lost", async () => {
  const key = freshKey();
  const crashes = ["everything", "coordinator", { key }, await domain.partitionOf(key)] as const;
  for (const [n, what] of crashes.entries()) {
    expect(await client.account(key).deposit({ amount: 1 })).toBe(n + 1);
    const before = await incarnation(key);
    await domain.crash(what);
    expect(await client.account(key).balance()).toBe(n + 1);
    expect((await incarnation(key)) === before).toBe(what === "coordinator");
  }
});

/** Each instance of a partition's object keeps one of its own. */
function incarnation(key: string): Promise<unknown> {
  const query = "SELECT value FROM meta WHERE name = 'incarnation'";
  return inside(key, ({ storage }) => storage.sql.exec(query).one()["value"]);
}

test("a delayed message is delivered when its time has come, and not when it is cancelled", async () => {
  const [bob, carol] = [freshKey(), freshKey()];

  await client.account(bob).deposit.send({ amount: 3 }, { delay: "1h" });
  const { id } = await client.account(carol).deposit.send({ amount: 3 }, { delay: "1h" });
  await domain.drained();
  expect(await client.account(bob).balance()).toBe(0);
  expect(await client.cancel(id)).toBe(true);
  expect(await client.cancel(id)).toBe(false);
  await domain.advance("1h");
  await domain.drained();
  expect(await client.account(bob).balance()).toBe(3);
  expect(await client.account(carol).balance()).toBe(0);
});

test("messages are delivered when it has drained", async () => {
  const key = freshKey();
  await client.account(key).deposit.send({ amount: 7 });
  await domain.drained();
  expect(await client.account(key).balance()).toBe(7);
});

test("events are taken, and their number told", async () => {
  expect(await domain.ingest("sales", [{ item: "tea", amount: 2n ** 60n, at: Date.now() }])).toBe(1);
  await expect(domain.ingest("sales", [{ item: "tea" }])).rejects.toThrow("the events were refused: 422");
});

test("time passes when it is told to", async () => {
  const [before, object] = [Date.now(), new Date()];
  await domain.advance("2h");
  expect(Date.now() - before).toBeGreaterThanOrEqual(7_200_000);
  expect(Date.now() - before).toBeLessThan(7_300_000);
  expect(new Date().getTime() - object.getTime()).toBeGreaterThanOrEqual(7_200_000);
  expect(new Date(5).getTime()).toBe(5);
  const key = freshKey();
  expect(await client.account(key).deposit({ amount: 1 })).toBe(1);
  await domain.drained();
});

test("one's own token is used where one is given", async () => {
  const refused = await domain.fetch("/openapi.json", { headers: { authorization: "Bearer wrong" } });
  expect(refused.status).toBe(401);
  expect((await domain.fetch("/openapi.json")).status).toBe(200);
});
