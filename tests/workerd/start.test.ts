/** Objects that cannot start: a partition is not forgotten, though nobody asks for it, and who asks is told. */
import { abortAllDurableObjects, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import { InvariantError } from "../../protocol/assert.ts";
import { CoordinatorMachine } from "../../protocol/coordinator/machine.ts";
import { PartitionMachine } from "../../protocol/partition/machine.ts";
import { isUnstarted } from "../../protocol/unstarted.ts";
import { PartitionStore } from "../../durable/store.ts";
import { useLimits } from "../support/limits.ts";
import { ask, batch, call, coordinator, freshKey, partitionOf, stub } from "./support/app.ts";
import { refusalOf } from "./support/refusal.ts";

useLimits({ alarmMs: 200 });
afterEach(() => void vi.restoreAllMocks());

test("tries again by itself, and serves when it can", async () => {
  const key = freshKey();
  expect((await call(["account", key], "deposit", { amount: 5 })).status).toBe(200);
  // As where storage is of another version, while code is deployed that cannot read it.
  const open = vi.spyOn(PartitionStore.prototype, "open").mockImplementation(() => {
    throw new Error("this code cannot start");
  });
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  await abortAllDurableObjects();
  const told = await refusalOf(() => stub(partitionOf(key)).status());
  expect(told).toContain("this code cannot start");
  expect(log).toHaveBeenCalledWith(expect.objectContaining({ message: expect.stringContaining("does not start") }));
  // Nobody asks it for anything any more. The platform's own patience is six more tries, from two seconds on.
  const tries = open.mock.calls.length;
  await new Promise((resolve) => setTimeout(resolve, 1_800));
  expect(open.mock.calls.length).toBeGreaterThan(tries + 2);
  open.mockRestore();
  expect((await ask(["account", key], "balance")).body).toBe(5);
});

test("whoever calls it meanwhile is told that, and that nothing was done", async () => {
  const key = freshKey();
  expect((await call(["account", key], "deposit", { amount: 5 })).status).toBe(200);
  const open = vi.spyOn(PartitionStore.prototype, "open").mockImplementation(() => {
    throw new Error("this code cannot start");
  });
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  await abortAllDurableObjects();
  const refused = { type: "/problems/overloaded", retryable: true, detail: expect.stringContaining("does not start") };
  const deposit = { service: "account", key, function: "deposit", input: { amount: 1 } };
  const [called, lines] = await Promise.all([call(["account", key], "deposit", { amount: 1 }), batch([deposit])]);
  expect([called.status, called.body]).toEqual([503, expect.objectContaining(refused)]);
  expect(lines).toEqual([expect.objectContaining({ line: 1, status: 503, problem: expect.objectContaining(refused) })]);
  expect(JSON.stringify([called, lines])).not.toContain("this code cannot start");
  open.mockRestore();
  expect((await ask(["account", key], "balance")).body).toBe(5);
});

test("says what is wrong where its machine does not hold what it is sure of, and serves when it does", async () => {
  const key = freshKey();
  expect((await call(["account", key], "deposit", { amount: 5 })).status).toBe(200);
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const step = vi.spyOn(PartitionMachine.prototype, "step").mockImplementation(() => {
    throw new InvariantError("1: what cannot be");
  });
  await abortAllDurableObjects();
  const told = await refusalOf(() => stub(partitionOf(key)).status());
  expect(told).toContain("1: what cannot be");
  expect(log).toHaveBeenCalledWith(expect.objectContaining({ message: expect.stringContaining("does not serve") }));
  step.mockRestore();
  await abortAllDurableObjects();
  expect((await ask(["account", key], "balance")).body).toBe(5);
});

test("is called again where its machine fails itself, since what it keeps may wait for its time", async () => {
  const key = freshKey();
  expect((await call(["clock", key], "later", { to: key, delay: 3_600_000 })).status).toBe(200);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const step = vi.spyOn(PartitionMachine.prototype, "step").mockImplementation(() => {
    throw new InvariantError("1: what cannot be");
  });
  await abortAllDurableObjects();
  const partition = stub(partitionOf(key));
  await runDurableObjectAlarm(partition);
  const { alarmAt } = await partition.usage();
  expect(alarmAt).not.toBeNull();
  step.mockRestore();
  await abortAllDurableObjects();
  expect((await ask(["clock", key], "rung")).body).toEqual([]);
});

test("a coordinator that does not start says so to whoever asks it, and serves when it can", async () => {
  const start = vi.spyOn(CoordinatorMachine.prototype, "start").mockImplementation(() => {
    throw new Error("this code cannot start");
  });
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  await abortAllDurableObjects();
  const told = await coordinator()
    .keyGroupMap()
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(isUnstarted(told)).toBe(true);
  expect(log).toHaveBeenCalledWith(expect.objectContaining({ message: "the coordinator does not start" }));
  start.mockRestore();
  expect((await coordinator().keyGroupMap()).partitions).toBeGreaterThan(0);
});
