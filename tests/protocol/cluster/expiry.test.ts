/** The time limit of a transaction over partitions. */
import { expect, test } from "vitest";
import { LIMITS } from "../../../protocol/limits.ts";
import { add, on, pause } from "../../workerd/support/steps.ts";
import { Cluster, isOf } from "../support/cluster.ts";

test("a transaction that takes too long is answered 504, and its keys are free in all partitions", async () => {
  const c = await Cluster.up(3);
  const [a, b, d] = [c.place(0), c.place(1), c.place(2)];
  const slow = await c.ask(a, [add(1), on("call", b, add(1), on("call", d, add(1), pause(1)))]);
  await c.run();
  expect([0, 1, 2].map((peer) => c.node(peer).status.locks)).toEqual([1, 1, 1]);
  await c.pass(10);
  const waiting = await c.ask(d, [add(10)]);
  await c.pass(LIMITS.transactionMs - 10);
  await c.run();
  expect([slow.answers, waiting.answers]).toEqual([0, 0]);
  await c.pass(2);
  await c.run();
  expect(slow).toMatchObject({ answers: 1, answer: { status: 504 } });
  expect([0, 1, 2].map((peer) => c.node(peer).status.locks)).toEqual([0, 0, 0]);
  // The function that outlived it changes nothing.
  await c.open(1);
  await c.settle();
  expect([await c.look(a), await c.look(b), await c.look(d)]).toEqual([0, 0, 10]);
});

test("one that has its epoch does not expire, however long the decision takes", async () => {
  const c = await Cluster.up(2);
  const request = await c.ask(c.place(0), [add(1), on("call", c.place(1), add(1))]);
  await c.until("decide");
  await c.pass(LIMITS.transactionMs + 1);
  await c.settle();
  expect(request).toMatchObject({ answers: 1, answer: { status: 200 } });
  expect(await c.look(c.place(1))).toBe(1);
});

test("a participant whose root is gone without a word asks after it, learns that, and frees its keys", async () => {
  const c = await Cluster.up(2);
  await c.ask(c.place(0), [on("call", c.place(1), add(1)), pause(1)]);
  // The root is no member yet, so that its restart aborts no epoch and the participant is told nothing.
  await c.run(isOf("join"));
  c.take(isOf("join"));
  await c.restart(0);
  await c.run();
  expect(c.coordinator.machine.status.aborts).toBe(0);
  expect(c.node(1).status.locks).toBe(1);
  await c.pass(LIMITS.probeMs);
  await c.run();
  expect(c.node(1).status.locks).toBe(0);
  expect(await c.look(c.place(1))).toBe(0);
});
