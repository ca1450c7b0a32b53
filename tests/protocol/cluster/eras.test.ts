/** What an abort and a recovery leave of messages that are still on their way. */
import { expect, test } from "vitest";
import { LIMITS } from "../../../protocol/limits.ts";
import { COORDINATOR } from "../../../protocol/wire/messages.ts";
import { add, on, pause, read, shown } from "../../workerd/support/steps.ts";
import { Cluster, isOf } from "../support/cluster.ts";

/** A domain with a transaction that never ends; a restart of its root's partition, 2, aborts the epoch that this is a member of. */
async function spoilt(): Promise<Cluster> {
  const c = await Cluster.up(3);
  await c.ask(c.place(2), [on("call", c.place(1, 1), add(1)), pause(9)]);
  await c.run();
  return c;
}

test("a call of an older era is dropped where the new one has begun, and the root calls again", async () => {
  const c = await spoilt();
  const request = await c.ask(c.place(0), [on("call", c.place(1), add(5))]);
  await c.until("call", 0);
  const era = c.node(1).status.era;
  await c.restart(2);
  // The callee enters the new era first; the call of the old one comes after that, and before its sender's news.
  await c.run((batch) => isOf("call", 0)(batch) || isOf("era", COORDINATOR, 0)(batch));
  expect(c.node(1).status.era).toBeGreaterThan(era);
  expect(c.node(0).status.era).toBe(era);
  await c.deliver(isOf("call", 0));
  expect(c.node(1).status).toMatchObject({ attempts: 0, held: 0 });
  await c.settle();
  expect(request).toMatchObject({ answers: 1, answer: { status: 200 } });
  expect(await c.look(c.place(1))).toBe(5);
});

test("a call of a later era is held until that has begun here", async () => {
  const c = await spoilt();
  const request = await c.ask(c.place(0), [pause(1), on("call", c.place(1), add(5))]);
  await c.restart(2);
  await c.run(isOf("era", COORDINATOR, 1));
  await c.open(1);
  await c.run(isOf("era", COORDINATOR, 1));
  expect(c.log).toContain("0>1 call");
  expect(c.node(0).status.era).toBeGreaterThan(c.node(1).status.era);
  expect(c.node(1).status.held).toBe(1);
  expect(c.log).not.toContain("1>0 answer");
  await c.settle();
  expect(request.answer?.status).toBe(200);
  expect(await c.look(c.place(1))).toBe(5);
});

test("a fenced partition handles no message of another partition, not even of its own time", async () => {
  const c = await Cluster.up(2);
  const request = await c.ask(c.place(0), [pause(1), on("call", c.place(1), add(5))]);
  await c.restartCoordinator();
  await c.until("report", 1);
  expect(c.node(1).status.phase).toBe("fenced");
  const other = await c.ask(c.place(1, 1), [add(1)]);
  await c.run(isOf("report"));
  expect([c.node(0).status.phase, c.node(1).status.phase, other.answers]).toEqual(["fenced", "fenced", 0]);
  await c.open(1);
  // The function that went on belongs to no transaction any more.
  expect(c.net.some(isOf("call"))).toBe(false);
  await c.settle();
  expect([request.answer?.status, other.answer?.status]).toEqual([200, 200]);
  expect(await c.look(c.place(1))).toBe(5);
});

test("a call that arrives while its receiver is fenced is not run before the era, and not in it", async () => {
  const c = await Cluster.upOrdered(2);
  const request = await c.ask(c.place(0), [on("call", c.place(1), add(5))]);
  await c.until("call");
  await c.restartCoordinator();
  await c.until("report", 1);
  await c.run((batch) => isOf("report")(batch) || isOf("recover", COORDINATOR, 0)(batch));
  expect(c.log).toContain("0>1 call");
  expect(c.node(1).status).toMatchObject({ phase: "fenced", attempts: 0, locks: 0, held: 1 });
  await c.settle();
  expect(request.answer?.status).toBe(200);
  expect(await c.look(c.place(1))).toBe(5);
});

test("requests that come before a partition is up are answered once it is", async () => {
  const c = await Cluster.up(1);
  await c.restart(0);
  const request = await c.ask(c.place(0), [add(1), read]);
  expect([c.node(0).status.phase, request.answers]).toEqual(["starting", 0]);
  await c.run();
  expect(request.answer?.body).toBe(JSON.stringify([shown(1)]));
});

test("an idle partition that starts again ends no era, though the open epoch once had it as a member", async () => {
  const c = await Cluster.up(3);
  const request = await c.ask(c.place(0), [on("call", c.place(1), add(1)), pause(1)]);
  await c.run();
  // It is given up: nothing was given the epoch, and its members have left.
  for (let ms = 0; ms <= LIMITS.transactionMs; ms += LIMITS.tickMs) await c.pass(LIMITS.tickMs);
  await c.settle();
  expect(request.answer?.status).toBe(504);
  c.log = [];
  await c.restart(0);
  await c.settle();
  expect(c.log).toEqual(["0>C hello", "C>0 era"]);
  expect(c.coordinator.machine.status.aborts).toBe(0);
  const after = await c.ask(c.place(0), [on("call", c.place(1), add(1))]);
  await c.settle();
  expect([after.answer?.status, c.coordinator.machine.status.aborts]).toEqual([200, 0]);
});
