/** What shells ask of a partition's or the coordinator's machine to know that one transaction alone is under way: then they gather nothing before they send. */
import { expect, test } from "vitest";
import { add, all, on, pause } from "../../workerd/support/steps.ts";
import { type Batch, Cluster, isOf } from "../support/cluster.ts";

function alone(c: Cluster): boolean[] {
  const [one, other] = [c.node(0), c.node(1)].map((node) => node.engine.machine.transactions.attempts.isAlone);
  return [one as boolean, other as boolean, c.coordinator.machine.isAlone];
}

test("a lone transfer is alone everywhere, from its request to its answer", async () => {
  const c = await Cluster.up(2);
  const request = await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))]);
  expect(alone(c)).toEqual([true, true, true]);
  while (await c.deliver()) expect(alone(c)).toEqual([true, true, true]);
  expect(request.answer?.status).toBe(200);
});

test("with a second transaction at its partition neither is alone there, until one is answered", async () => {
  const c = await Cluster.up(2);
  await c.ask(c.place(0, 1), [pause(1)]);
  const request = await c.ask(c.place(0), [add(1)]);
  expect(request.answer?.status).toBe(200);
  expect(alone(c)).toEqual([true, true, true]);
  await c.ask(c.place(0, 2), [pause(2)]);
  expect(alone(c)).toEqual([false, true, true]);
  await c.open(1);
  expect(alone(c)).toEqual([true, true, true]);
});

test("a partition that one transaction calls twenty times is not alone before the last has ended", async () => {
  const c = await Cluster.up(2);
  const calls = Array.from({ length: 20 }, (_, n) => [c.place(1, n), add(1)] as const);
  const request = await c.ask(c.place(0), [all(...calls)]);
  expect(alone(c)).toEqual([false, true, true]);
  await c.until("call", 0, 1);
  const [batch] = c.take(isOf("call", 0, 1));
  c.node(1).input({ kind: "deliver", ticket: 999_999, bytes: (batch as Batch).bytes });
  // Delivered; the functions have not ended.
  expect(alone(c)[1]).toBe(false);
  await c.turn();
  expect(alone(c)[1]).toBe(true);
  await c.settle();
  expect(request.answer?.status).toBe(200);
});

test("a called partition is not alone with two calls, nor is the coordinator with two members", async () => {
  const c = await Cluster.up(3);
  const transfers = [c.place(0), c.place(2)].map((from, n) =>
    c.ask(from, [add(-5), on("call", c.place(1, n), add(5), pause(1))]),
  );
  const requests = await Promise.all(transfers);
  await c.run();
  expect(alone(c)).toEqual([true, false, false]);
  await c.open(1);
  await c.settle();
  expect(requests.map(({ answer }) => answer?.status)).toEqual([200, 200]);
  expect(alone(c)).toEqual([true, true, true]);
});
