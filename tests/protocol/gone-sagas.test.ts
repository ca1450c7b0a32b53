/** Runs of a saga that the code does not have any more. */
import { expect, test } from "vitest";
import { saga } from "../../sdk/index.ts";
import { LonePartition } from "./support/lone-partition.ts";

const ship = saga("ship", { keep: "1m", steps: [{ name: "one", run: () => 1 }] });
const HOUR_MS = 3_600_000;

test("what is sent to them is counted and given up like what is sent to a function that is gone", async () => {
  const partition = new LonePartition([], { sagas: [ship] });
  const call = (service: string, key: string, name: string, input?: unknown) =>
    partition.call({ service, key, name, internal: true, input });
  const letters = async () => {
    const { body } = await call("#dead", "#saga.ship", "list", { after: "", limit: 10 });
    return (JSON.parse(body) as { letters: Array<{ function: string; attempts: Array<{ type: string }> }> }).letters;
  };
  await call("#saga.ship", "r", "start", {});
  await partition.pass(500);
  await partition.redeploy([]);
  await partition.pass(HOUR_MS, 5_000);
  expect((await letters()).map((letter) => [letter.function, letter.attempts.map(({ type }) => type)])).toEqual([
    ["forget", Array.from({ length: 10 }, () => "misconfigured")],
  ]);
  expect(partition.partition.engine.machine.status.outbox).toBe(0);
});

test("a saga that comes back in time has lost nothing", async () => {
  const partition = new LonePartition([], { sagas: [ship] });
  const call = (name: string, input?: unknown) =>
    partition.call({ service: "#saga.ship", key: "r", name, internal: true, input });
  await call("start", {});
  await partition.pass(500);
  await partition.redeploy([]);
  await partition.pass(HOUR_MS / 12, 5_000);
  await partition.redeploy([], { sagas: [ship] });
  await partition.pass(HOUR_MS, 5_000);
  expect((await call("status")).status).toBe(404);
});

test("what an erased run waited for tells nothing to the next of its id", async () => {
  const approve = saga("approve", {
    steps: [
      { name: "boss", promise: {} },
      { name: "second", promise: {} },
    ],
  });
  const partition = new LonePartition([], { sagas: [approve] });
  const call = (service: string, key: string, name: string, input?: unknown) =>
    partition.call({ service, key, name, internal: true, input });
  const begun = async (): Promise<{ step: string; promise: string }> => {
    await call("#saga.approve", "x", "start", {});
    await partition.pass(2_000);
    return JSON.parse((await call("#saga.approve", "x", "status")).body);
  };
  const { promise } = await begun();
  // As who erases it does.
  await call("#saga.approve", "x", "forget");
  const next = await begun();
  expect((await call("#promises", promise, "settle", { ok: true, value: "of the first" })).status).toBe(200);
  await partition.pass(2_000);
  expect(JSON.parse((await call("#saga.approve", "x", "status")).body)).toMatchObject(next);
  expect((await call("#promises", next.promise, "settle", { ok: true, value: "of the next" })).status).toBe(200);
  await partition.pass(2_000);
  expect(JSON.parse((await call("#saga.approve", "x", "status")).body)).toMatchObject({
    step: "second",
    results: { boss: "of the next" },
  });
});
