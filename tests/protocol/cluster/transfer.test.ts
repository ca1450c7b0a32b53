/** Transactions over two and three partitions, message by message. */
import { expect, test } from "vitest";
import { ANSWER_FLAG } from "../../../protocol/wire/answer.ts";
import type { FinishMessage } from "../../../protocol/wire/messages.ts";
import { encodedState } from "../support/stored.ts";
import { add, on, pause, read, refuse, shown } from "../../workerd/support/steps.ts";
import { Cluster, isOf } from "../support/cluster.ts";

test("a transfer takes a call, an answer, a finish, and one prepare and one decision for each participant", async () => {
  const c = await Cluster.upOrdered(2);
  const request = await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5), read)]);
  await c.run();
  const order = (kind: string) => c.log.indexOf(kind);
  expect([...c.log].sort()).toEqual(
    [
      ...["0>C join", "C>0 joined", "0>1 call", "1>0 answer", "0>1 finish", "0>C closed"],
      ...[
        "C>0 prepare",
        "C>1 prepare",
        "0 record",
        "1 record",
        "0>C prepared",
        "1>C prepared",
        "C>0 decide",
        "C>1 decide",
      ],
    ].sort(),
  );
  expect(order("1>0 answer")).toBeLessThan(order("0>1 finish"));
  expect(order("0>1 finish")).toBeLessThan(order("1 record"));
  expect(order("1 record")).toBeLessThan(order("1>C prepared"));
  expect(request).toMatchObject({ answers: 1, answer: { status: 200, body: JSON.stringify([[shown(5)]]) } });
  expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([-5, 5]);
});

test("alone, the root's partition is the sole member, which orders and decides the epoch: two messages less in a row, and the coordinator is in none", async () => {
  const c = await Cluster.up(2);
  const request = await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5), read)]);
  await c.run();
  const order = (kind: string) => c.log.indexOf(kind);
  expect([...c.log].sort()).toEqual(
    [
      ...["0>C join", "C>0 joined", "0>1 call", "1>0 answer", "0>1 finish", "0>1 prepare", "0>C closed"],
      ...["0 record", "1 record", "1>0 prepared", "0>C decided", "0>1 decide"],
    ].sort(),
  );
  expect(order("0>1 finish")).toBe(order("0>1 prepare") - 1);
  expect(order("0>C closed")).toBe(order("0>C decided") - 1);
  expect(request).toMatchObject({ answers: 1, answer: { status: 200, body: JSON.stringify([[shown(5)]]) } });
  expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([-5, 5]);
});

test("who needs an epoch beside the sole member of one gets the next, and waits for no function of that", async () => {
  const c = await Cluster.up(3);
  const slow = await c.ask(c.place(0), [on("call", c.place(1), add(1)), pause(1)]);
  await c.run();
  expect(c.coordinator.machine.status).toMatchObject({ closing: { phase: "sole" }, members: [] });
  const quick = await c.ask(c.place(2), [on("call", c.place(1, 1), add(2))]);
  await c.run();
  expect([slow.answers, quick.answer?.status]).toEqual([0, 200]);
  await c.open(1);
  await c.run();
  expect(slow.answer?.status).toBe(200);
  expect([await c.look(c.place(1)), await c.look(c.place(1, 1))]).toEqual([1, 2]);
  expect(c.coordinator.machine.status.aborts).toBe(0);
});

test("locks are free at finish, and the answer leaves only with the decision", async () => {
  const c = await Cluster.up(2);
  const request = await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))]);
  await c.until("answer");
  expect([c.node(0).status.locks, c.node(1).status.locks]).toEqual([1, 1]);
  await c.until("finish");
  expect([c.node(0).status.locks, c.node(1).status.locks]).toEqual([0, 1]);
  await c.deliver(isOf("finish"));
  expect(c.node(1).status.locks).toBe(0);
  await c.until("prepared", 1, 0);
  expect(request.answers).toBe(0);
  expect(c.node(0).status.undecided).toBe(1);
  await c.deliver(isOf("prepared", 1, 0));
  expect(request.answers).toBe(1);
});

test("no record is made before every finish of the epoch is there, though the order to prepare is", async () => {
  const c = await Cluster.upOrdered(2);
  await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))]);
  await c.run(isOf("finish"));
  expect(c.log).toContain("C>1 prepare");
  expect(c.log).not.toContain("1 record");
  await c.run();
  expect(c.log).toContain("1 record");
  expect(c.coordinator.machine.status.aborts).toBe(0);
});

test("a partition that was only read has a record too, and what overwrites it there comes in a later epoch", async () => {
  const c = await Cluster.upOrdered(3);
  // The epoch that opens an era is known to everybody: this one is not.
  for (let n = 0; n < 2; n++) {
    await c.ask(c.place(0), [on("call", c.place(2), add(1))]);
    await c.run();
  }
  const before = c.node(1).status.clock;
  c.log = [];
  await c.ask(c.place(0), [add(1), on("call", c.place(1), read)]);
  await c.run((batch) => isOf("prepare")(batch) || isOf("close")(batch));
  expect(c.log).toContain("0>1 finish");
  expect(c.node(1).status.clock).toBe(c.node(0).status.clock);
  expect(c.node(1).status.clock).toBeGreaterThan(before);
  await c.run();
  expect(c.log).toContain("1 record");
});

test("a refusal is a finish that drops its writes, with a record at every participant and one result for ever", async () => {
  const c = await Cluster.up(2);
  const request = await c.ask(c.place(0), [add(7), on("call", c.place(1), add(7)), refuse]);
  await c.until("finish");
  const finish = c.net.find(isOf("finish"))?.messages.find(({ kind }) => kind === "finish") as FinishMessage;
  expect(finish.drop).toBe(true);
  expect(request.answers).toBe(0);
  await c.run();
  expect(request).toMatchObject({ answers: 1, answer: { status: 409 } });
  expect(c.log.filter((entry) => entry.endsWith("record"))).toHaveLength(2);
  expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([0, 0]);
  await c.restart(0);
  const again = await c.ask(c.place(0), [add(7), on("call", c.place(1), add(7)), refuse], { id: request.id });
  await c.run();
  expect(again.answer).toEqual({ status: 409, flags: ANSWER_FLAG.replayed, body: request.answer?.body });
  expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([0, 0]);
});

test("an error that no contract declares drops everything and is answered with its epoch", async () => {
  const c = await Cluster.up(2);
  const request = await c.ask(c.place(0), [add(7), on("call", c.place(1), add(7)), { op: "throw" }]);
  await c.until("prepared");
  expect(request.answers).toBe(0);
  await c.run();
  expect(request.answer?.status).toBe(500);
  expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([0, 0]);
  expect(encodedState(c.stores[1])).not.toContain("7");
});

test("A → B → A runs on the root's own copy, and A → B → C names C as participant though A never called it", async () => {
  const c = await Cluster.up(3);
  const [a, b, d] = [c.place(0), c.place(1), c.place(2)];
  const back = await c.ask(a, [add(1), on("call", b, add(5), on("call", a, read, add(10)), read), read]);
  await c.settle();
  expect(back.answer?.body).toBe(JSON.stringify([[[shown(1)], shown(5)], shown(11)]));
  c.log = [];
  await c.ask(a, [on("call", b, on("call", d, add(3)))]);
  await c.settle();
  expect(c.log).toContain("0>2 finish");
  expect(c.log).toContain("2 record");
  expect([await c.look(a), await c.look(b), await c.look(d)]).toEqual([11, 5, 3]);
});
