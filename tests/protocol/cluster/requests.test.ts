/** One request id, asked again at any time, is one transaction. */
import { expect, test } from "vitest";
import { ANSWER_FLAG } from "../../../protocol/wire/answer.ts";
import { COORDINATOR } from "../../../protocol/wire/messages.ts";
import { add, on, pause } from "../../workerd/support/steps.ts";
import { Cluster, isOf, type Request } from "../support/cluster.ts";

const transfer = (c: Cluster, id?: string): Promise<Request> =>
  c.ask(c.place(0), [add(-5), pause(1), on("call", c.place(1), add(5))], id === undefined ? {} : { id });

test.each([
  ["running", undefined],
  ["tagged", "finish"],
  ["recorded and undecided", "prepared"],
])("asked again while it is %s, it joins what runs and is answered with it", async (_when, kind) => {
  const c = await Cluster.up(2);
  const first = await transfer(c);
  if (kind !== undefined) {
    await c.open(1);
    await c.until(kind);
  }
  const second = await transfer(c, first.id);
  expect([first.answers, second.answers]).toEqual([0, 0]);
  await c.open(1);
  await c.settle();
  expect(first).toMatchObject({ answers: 1, answer: { status: 200, flags: 0 } });
  expect(second).toMatchObject({ answers: 1, answer: { status: 200, flags: ANSWER_FLAG.replayed } });
  expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([-5, 5]);
});

test("asked again after the root's restart with its record undecided, it waits for the decision and is answered from the record", async () => {
  const c = await Cluster.upOrdered(2);
  await c.open(1);
  const first = await transfer(c);
  await c.until("decide", COORDINATOR, 0);
  await c.restart(0);
  await c.run(isOf("hello"));
  const held = await transfer(c, first.id);
  expect(held.answers).toBe(0);
  await c.settle();
  expect(held).toMatchObject({ answers: 1, answer: { status: 200, flags: ANSWER_FLAG.replayed } });
  expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([-5, 5]);
});

test("asked again after its record was aborted, it runs once more", async () => {
  const c = await Cluster.upOrdered(2);
  await c.open(1);
  const first = await transfer(c);
  // The root has its record, the callee never will: it starts again before it was told to prepare.
  await c.run(isOf("prepare", COORDINATOR, 1));
  expect(c.stores[0]?.recovered().records).toHaveLength(1);
  await c.restart(1);
  await c.restart(0);
  await c.settle();
  expect(await c.look(c.place(0))).toBe(0);
  const again = await transfer(c, first.id);
  await c.settle();
  expect(again.answer).toMatchObject({ status: 200, flags: 0 });
  expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([-5, 5]);
});

test("after a restart it is answered from its folded or unfolded result", async () => {
  const c = await Cluster.up(2);
  await c.open(1);
  const first = await transfer(c);
  await c.settle();
  await c.restart(0);
  const again = await transfer(c, first.id);
  await c.settle();
  expect(again.answer).toMatchObject({ status: 200, flags: ANSWER_FLAG.replayed });
  expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([-5, 5]);
});
