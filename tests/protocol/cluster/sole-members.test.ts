/** A partition that has an epoch to itself, where something comes between its order to prepare and its decision, or it cannot order. */
import { expect, test } from "vitest";
import { LIMITS } from "../../../protocol/limits.ts";
import { SOLE_FORMAT } from "../../../protocol/wire/codec.ts";
import { type ClosedMessage, COORDINATOR } from "../../../protocol/wire/messages.ts";
import { add, on, pause } from "../../workerd/support/steps.ts";
import { type Batch, Cluster, isOf, type Request } from "../support/cluster.ts";

/** A transfer has its epoch at partition 0, where another root runs on; its order to prepare has not left. */
async function tagged(c: Cluster): Promise<Request> {
  await c.ask(c.place(0, 1), [pause(1)]);
  const request = await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))]);
  await c.until("answer", 1, 0);
  const [answer] = c.take(isOf("answer", 1, 0));
  if (answer === undefined) throw new Error("no answer comes");
  c.node(0).input({ kind: "deliver", ticket: 999_999, bytes: answer.bytes });
  // The function has ended; nothing has been dispatched.
  for (let step = 0; step < 5; step++) await new Promise((resolve) => setImmediate(resolve));
  return request;
}

/** Long enough for every probe. */
async function passTime(c: Cluster, held: Parameters<Cluster["run"]>[0] = () => false): Promise<void> {
  for (let ms = 0; ms < 4 * LIMITS.probeMs; ms += LIMITS.tickMs) {
    await c.pass(LIMITS.tickMs);
    await c.run(held);
  }
}

test("what it has closed by its order is told before it closes the next epoch", async () => {
  const c = await Cluster.up(2);
  const request = await tagged(c);
  c.node(0).callBack("flush");
  c.node(0).callBack("dispatch");
  expect([c.net.some(isOf("prepare", 0, 1)), c.net.some(isOf("closed", 0, COORDINATOR))]).toEqual([true, false]);
  // The other root ends, and the partition leaves the next epoch.
  await c.open(1);
  await c.pass(LIMITS.tickMs);
  const told = c.net.filter(({ to }) => to === COORDINATOR).flatMap(({ messages }) => messages);
  const closed = told.filter((message): message is ClosedMessage => message.kind === "closed");
  expect(closed.map(({ ordered }) => ordered)).toEqual([true, false]);
  await c.settle();
  expect([request.answer?.status, c.coordinator.machine.status.aborts]).toEqual([200, 0]);
});

test("where a participant runs older code the coordinator orders, though other roots run on", async () => {
  const c = await Cluster.up(2);
  const request = await tagged(c);
  // As an era says when somebody has come back with older code.
  c.node(0).engine.machine.formats.agree(SOLE_FORMAT - 1);
  await c.run();
  await passTime(c);
  expect(c.log).toContain("C>1 prepare");
  expect(request.answer?.status).toBe(200);
});

/** A transfer that its sole member has ordered prepared, and of which this is about to be delivered. */
async function stopped(kind: string, from: number, to: number): Promise<{ c: Cluster; request: Request }> {
  const c = await Cluster.up(2);
  const request = await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))]);
  await c.until(kind, from, to);
  return { c, request };
}
const balances = async (c: Cluster): Promise<unknown[]> => [await c.look(c.place(0)), await c.look(c.place(1))];

test("what a sole member has decided and told nobody is found in the records, by a coordinator that starts over", async () => {
  const { c, request } = await stopped("closed", 0, COORDINATOR);
  c.take((batch) => batch.from.peer === 0);
  await c.restart(0);
  await c.settle();
  expect(c.coordinator.machine.status).toMatchObject({ generation: 2, aborts: 0 });
  expect([request.answer?.status, await balances(c)]).toEqual([200, [-5, 5]]);
});

test("a participant that does not hear of the decision, since who made it is gone, hears of it from the coordinator", async () => {
  const { c, request } = await stopped("decide", 0, 1);
  await c.deliver(isOf("closed", 0, COORDINATOR));
  c.take(isOf("decide"));
  await c.restart(0);
  await c.settle();
  await passTime(c);
  expect(c.coordinator.machine.status).toMatchObject({ generation: 1, aborts: 0 });
  expect([c.node(1).status.undecided, request.answer?.status, await balances(c)]).toEqual([0, 200, [-5, 5]]);
});

test("a sole member whose participant is lost before it has heard that it is prepared gives the epoch up, and the transaction runs again", async () => {
  const { c, request } = await stopped("prepared", 1, 0);
  c.take(isOf("prepared"));
  await c.restart(1);
  await c.settle();
  await passTime(c);
  expect(c.coordinator.machine.status).toMatchObject({ generation: 1, aborts: 1 });
  expect([request.answer?.status, await balances(c)]).toEqual([200, [-5, 5]]);
});

/** Nothing reaches this one, and nothing comes from it. */
async function cutOff(c: Cluster, peer: number, ms: number): Promise<void> {
  const isCut = (batch: Batch): boolean => batch.to === peer || batch.from.peer === peer;
  for (let passed = 0; passed < ms; passed += LIMITS.tickMs) {
    await c.run(isCut);
    for (const { from, to, batch } of c.take(isCut)) from.input({ kind: "sent", to, batch, incarnation: null });
    await c.pass(LIMITS.tickMs);
  }
}

test("a participant that cannot be reached holds up others no longer than a sole member waits for it", async () => {
  const c = await Cluster.up(3);
  await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))]);
  await c.until("prepare", 0, 1);
  await cutOff(c, 1, LIMITS.decideMs + 2 * LIMITS.probeMs);
  const other = await c.ask(c.place(2), [add(-5), on("call", c.place(0, 7), add(5))]);
  await cutOff(c, 1, 3_000);
  expect([other.answer?.status, c.coordinator.machine.status.generation]).toEqual([200, 1]);
});

test("a sole member that has recorded nothing comes back, and others that cannot be reached hold nobody up", async () => {
  const c = await Cluster.up(3);
  await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))]);
  await c.until("answer", 1, 0);
  c.take(isOf("answer", 1, 0));
  expect(c.coordinator.machine.status.closing?.phase).toBe("sole");
  await c.restart(0);
  await cutOff(c, 2, 3_000);
  const other = await c.ask(c.place(0, 3), [add(-5), on("call", c.place(1, 7), add(5))]);
  await cutOff(c, 2, 3_000);
  expect([other.answer?.status, c.coordinator.machine.status.generation]).toEqual([200, 1]);
});

test("a coordinator that is known to be replaced is told of no decision before it has asked for records: its code may know of none", async () => {
  const { c, request } = await stopped("prepared", 1, 0);
  await c.restartCoordinator();
  // As an acknowledgement says; its order to recover is still on the way.
  c.node(0).input({ kind: "sent", to: COORDINATOR, batch: 0, incarnation: 2 });
  await c.deliver(isOf("prepared", 1, 0));
  expect(c.net.some(isOf("decided", 0, COORDINATOR))).toBe(false);
  await c.settle();
  expect([request.answer?.status, await balances(c)]).toEqual([200, [-5, 5]]);
});

test("a sole member tells its decision to nobody who may have come back with older code: the coordinator does", async () => {
  const { c, request } = await stopped("prepared", 1, 0);
  c.node(0).engine.machine.formats.agree(SOLE_FORMAT - 1);
  await c.deliver(isOf("prepared", 1, 0));
  expect([request.answer?.status, c.net.some(isOf("decide", 0, 1)), c.node(1).status.undecided]).toEqual([
    200,
    false,
    1,
  ]);
  await passTime(c);
  expect(c.node(1).status.undecided).toBe(0);
});

test("who has a finish and no order asks after its epoch, so that a sole member that is gone is started again", async () => {
  const { c } = await stopped("answer", 1, 0);
  c.node(0).engine.machine.formats.agree(SOLE_FORMAT - 1);
  await c.run((batch) => isOf("finish", 0, 1)(batch) || isOf("want", 0)(batch) || isOf("closed", 0)(batch));
  await c.deliver(isOf("finish", 0, 1));
  c.take((batch) => batch.from.peer === 0);
  c.node(0).alive = false;
  await passTime(c, (batch) => batch.to === 0);
  expect(c.net.some((batch) => batch.from.peer === COORDINATOR && batch.to === 0)).toBe(true);
});

test("key groups are frozen when the sole member has decided its epoch, not before", async () => {
  const c = await Cluster.up(2, [], [], 2);
  const request = await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))]);
  await c.until("prepared", 1, 0);
  c.coordinator.rescale(1);
  await passTime(c, isOf("prepared"));
  expect([c.coordinator.machine.rescaleStatus?.phase, c.coordinator.machine.status.aborts]).toEqual(["copying", 0]);
  await passTime(c);
  expect([request.answer?.status, c.coordinator.machine.status.generation]).toEqual([200, 1]);
  expect(c.coordinator.machine.rescaleStatus?.phase).toBe("still");
});

test.each([
  ["sole member", () => Cluster.up(2)],
  ["member", () => Cluster.upOrdered(2)],
])("a %s whose participant proves replaced before the order has its transaction run again", async (_, up) => {
  const c = await up();
  const request = await tagged(c);
  // A batch of before is answered by the successor.
  c.node(0).input({ kind: "sent", to: 1, batch: 0, incarnation: 2 });
  await c.restart(1);
  await c.run();
  await passTime(c);
  expect(request.answer?.status).toBe(200);
  expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([-5, 5]);
});
