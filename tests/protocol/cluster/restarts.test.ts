/** A transfer while one of those who take part in it starts again, in every window: it is never half done, and answered once. */
import { describe, expect, test } from "vitest";
import { epochOf } from "../../../protocol/epochs/epoch.ts";
import { LIMITS } from "../../../protocol/limits.ts";
import { COORDINATOR, type Peer } from "../../../protocol/wire/messages.ts";
import { add, on } from "../../workerd/support/steps.ts";
import { Cluster, isOf, type Request } from "../support/cluster.ts";

/** Where a transfer is stopped: before the delivery of the first message of this kind. */
type Window = readonly [name: string, kind: string, from: Peer | undefined, to: Peer | undefined];
/** Where the coordinator orders the epoch prepared. */
const ORDERED: readonly Window[] = [
  ["before the call", "call", undefined, undefined],
  ["after the call", "answer", undefined, undefined],
  ["after the answer", "finish", undefined, undefined],
  ["before the epoch is closed", "closed", undefined, undefined],
  ["after the finish, before the root's record", "prepare", COORDINATOR, 0],
  ["after the finish, before the callee's record", "prepare", COORDINATOR, 1],
  ["after the root's record, before it is told", "prepared", 0, undefined],
  ["after the callee's record, before it is told", "prepared", 1, undefined],
  ["after the decision, before the root knows", "decide", COORDINATOR, 0],
  ["after the decision, before the callee knows", "decide", COORDINATOR, 1],
];
/** Where the root's partition does, as the sole member, which decides it too. */
const SOLE: readonly Window[] = [
  ["sole member, before it is one", "joined", undefined, undefined],
  ["sole member, after the answer", "finish", undefined, undefined],
  ["sole member, before its order", "prepare", 0, 1],
  ["sole member, after the callee's record, before it is told", "prepared", 1, 0],
  ["sole member, after its decision, before the coordinator knows", "closed", 0, COORDINATOR],
  ["sole member, after its decision, before the callee knows", "decide", 0, 1],
];
const WINDOWS = [
  ...ORDERED.map((window) => ({ name: window[0], window, up: () => Cluster.upOrdered(2) })),
  ...SOLE.map((window) => ({ name: window[0], window, up: () => Cluster.up(2) })),
];
type Case = (typeof WINDOWS)[number];

const transfer = (c: Cluster, request?: Request): Promise<Request> =>
  c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))], request ? { id: request.id } : {});

async function stopped({ window: [, kind, from, to], up }: Case): Promise<{ c: Cluster; request: Request }> {
  const c = await up();
  const request = await transfer(c);
  await c.until(kind, from, to);
  return { c, request };
}

/** The client asks again, as it does when nobody answers; then the transfer has happened once. */
async function expectOnce(c: Cluster, request: Request): Promise<void> {
  await c.settle();
  const again = await transfer(c, request);
  await c.settle();
  expect(again).toMatchObject({ answers: 1, answer: { status: 200, body: "[[]]" } });
  expect(request.answers).toBeLessThanOrEqual(1);
  expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([-5, 5]);
  for (const peer of [0, 1]) {
    const { attempts, locks, undecided, waiting, phase } = c.node(peer).status;
    expect({ attempts, locks, undecided, waiting, phase }).toEqual({
      ...{ attempts: 0, locks: 0, undecided: 0, waiting: 0, phase: "up" },
    });
  }
}

describe.each(WINDOWS)("$name", (window) => {
  test.each([
    ["root", 0],
    ["callee", 1],
  ])("the %s starts again", async (_who, peer) => {
    const { c, request } = await stopped(window);
    await c.restart(peer);
    await expectOnce(c, request);
  });

  test("both start again", async () => {
    const { c, request } = await stopped(window);
    await c.restart(1);
    await c.restart(0);
    await expectOnce(c, request);
  });

  test("the coordinator starts again", async () => {
    const { c, request } = await stopped(window);
    await c.restartCoordinator();
    await expectOnce(c, request);
    expect(request.answers).toBe(1);
  });

  test("the coordinator and the callee start again", async () => {
    const { c, request } = await stopped(window);
    await c.restart(1);
    await c.restartCoordinator();
    await expectOnce(c, request);
  });

  test("all start again", async () => {
    const { c, request } = await stopped(window);
    await c.restart(1);
    await c.restartCoordinator();
    await c.restart(0);
    await expectOnce(c, request);
  });

  test("the callee starts again while the coordinator recovers", async () => {
    const { c, request } = await stopped(window);
    await c.restartCoordinator();
    await c.until("report", 1);
    await c.restart(1);
    await expectOnce(c, request);
  });
});

test("an epoch that all its participants hold is committed by the next coordinator", async () => {
  const c = await Cluster.up(2);
  const request = await transfer(c);
  await c.run(isOf("prepared"));
  c.take(isOf("prepared"));
  expect([0, 1].map((peer) => c.stores[peer]?.recovered().records)).toMatchObject([{ length: 1 }, { length: 1 }]);
  await c.restartCoordinator();
  await c.until("era", COORDINATOR, 0);
  expect(c.coordinator.machine.status.committed).toBe(epochOf(1, 1));
  expect(request.answers).toBe(0);
  await c.run();
  expect(request.answers).toBe(1);
  await expectOnce(c, request);
});

test("an epoch that one participant lacks is aborted by the next coordinator, and a late order to prepare it changes nothing", async () => {
  const c = await Cluster.upOrdered(2);
  const request = await transfer(c);
  await c.run(isOf("prepare", COORDINATOR, 1));
  const late = c.take(isOf("prepare"));
  expect(late).toHaveLength(1);
  await c.restartCoordinator();
  await c.until("era", COORDINATOR, 1);
  c.net.unshift(...late);
  await c.deliver();
  expect(c.stores[1]?.recovered().records).toHaveLength(0);
  expect(c.coordinator.machine.status.committed).toBe(0);
  await expectOnce(c, request);
});

test("a replaced coordinator that was about to decide decides nothing", async () => {
  const c = await Cluster.upOrdered(2);
  const request = await transfer(c);
  await c.until("decide", COORDINATOR, 0);
  const late = c.take(isOf("decide"));
  await c.restartCoordinator();
  await c.until("report", 0);
  c.net.unshift(...late);
  await c.deliver(isOf("decide", COORDINATOR, 0));
  expect([c.node(0).status.phase, c.node(0).status.decided, request.answers]).toEqual(["fenced", 0, 0]);
  await expectOnce(c, request);
});

test("a record of an aborted epoch stays aborted for a partition that hears of it only after later epochs are committed", async () => {
  const c = await Cluster.upOrdered(3);
  await transfer(c);
  await c.run(isOf("prepare", COORDINATOR, 1));
  expect(c.stores[0]?.recovered().records).toHaveLength(1);
  await c.restart(1);
  await c.run(isOf("era", COORDINATOR, 0));
  const later = await c.ask(c.place(2), [on("call", c.place(1), add(1))]);
  await c.run(isOf("era", COORDINATOR, 0));
  expect(later.answer?.status).toBe(200);
  c.take(isOf("era", COORDINATOR, 0));
  await c.restart(0);
  await c.settle();
  expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([0, 1]);
});

test("who was called in turn hears late that the root has finished, after its caller has heard that the root is lost", async () => {
  const c = await Cluster.up(3);
  const asks = (id?: string): Promise<Request> =>
    c.ask(c.place(0), [add(1), on("call", c.place(1), add(1), on("call", c.place(2), add(1)))], id ? { id } : {});
  const request = await asks();
  await c.run(isOf("finish"));
  expect(c.net.filter(isOf("finish", 0)).map(({ to }) => to)).toEqual(expect.arrayContaining([1, 2]));
  await c.restart(0);
  await c.pass(LIMITS.probeMs);
  // The coordinator has heard nothing yet, and the partition at the end of the chain neither.
  await c.deliver(isOf("inquire", 1, 0));
  expect(c.node(1).status.attempts).toBe(0);
  await c.run((batch) => batch.from.peer !== 1 || batch.to !== 2);
  await c.deliver(isOf("finish", 0, 2));
  await c.settle();
  await asks(request.id);
  await c.settle();
  expect(await Promise.all([0, 1, 2].map((peer) => c.look(c.place(peer))))).toEqual([1, 1, 1]);
  expect([0, 1, 2].map((peer) => c.node(peer).status.locks)).toEqual([0, 0, 0]);
});
