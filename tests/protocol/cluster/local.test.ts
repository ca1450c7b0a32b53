/** The local path beside epochs. */
import { expect, test } from "vitest";
import { COORDINATOR } from "../../../protocol/wire/messages.ts";
import { add, on, read, shown } from "../../workerd/support/steps.ts";
import { Cluster, isOf } from "../support/cluster.ts";

test("a local transaction sends nothing", async () => {
  const c = await Cluster.up(2);
  const request = await c.ask(c.place(0), [add(1), read]);
  expect(request.answer?.body).toBe(JSON.stringify([shown(1)]));
  expect([c.log, c.net]).toEqual([["0 record"], []]);
});

test("one that reads what is not decided goes through an epoch, and its answer waits for that", async () => {
  const c = await Cluster.up(2);
  await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))]);
  await c.until("decide");
  const reader = await c.ask(c.place(1), [read], { name: "look" });
  const writer = await c.ask(c.place(1), [add(1), read]);
  expect([reader.answers, writer.answers]).toEqual([0, 0]);
  await c.run();
  expect([reader.answer?.body, writer.answer?.body]).toEqual([JSON.stringify([shown(5)]), JSON.stringify([shown(6)])]);
  expect(c.node(1).status.decided).toBeGreaterThan(c.node(0).status.decided);
});

test("one that reads what is not decided is done again when that is aborted", async () => {
  const c = await Cluster.upOrdered(2);
  await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))]);
  await c.until("prepare", COORDINATOR, 1);
  const reader = await c.ask(c.place(1), [read], { name: "look" });
  await c.restart(0);
  await c.settle();
  // The root's memory is gone and nobody asks again.
  expect(reader).toMatchObject({ answers: 1, answer: { body: JSON.stringify([shown(0)]) } });
});

test("one on another key of the partition waits for nobody while an epoch is undecided", async () => {
  const c = await Cluster.up(2);
  await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))]);
  await c.until("decide");
  expect((await c.ask(c.place(1, 1), [add(1)])).answers).toBe(1);
});

test.each([["before"], ["after"]])(
  "a local commit right after the decision is above it, when it restarts %s the fold",
  async (when) => {
    const c = await Cluster.up(2);
    await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))]);
    await c.run();
    await c.ask(c.place(1), [add(10)]);
    if (when === "after") await c.fold(1);
    await c.restart(1);
    await c.settle();
    expect(await c.look(c.place(1))).toBe(15);
    await c.restart(1);
    await c.restart(0);
    await c.settle();
    expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([-5, 15]);
  },
);

test("a local commit that is written after an epoch's record and before its decision keeps its place over a restart", async () => {
  const c = await Cluster.up(2);
  await c.ask(c.place(0), [add(-5), on("call", c.place(1), add(5))]);
  await c.until("decide", 0, 1);
  const other = await c.ask(c.place(1, 1), [add(3)]);
  expect(other.answers).toBe(1);
  await c.deliver(isOf("decide", 0, 1));
  await c.ask(c.place(1), [add(10)]);
  await c.ask(c.place(1, 1), [add(4)]);
  // Nothing of the coordinator arrives: what the partition knows, it knows from its records.
  await c.restart(1);
  await c.settle();
  expect([await c.look(c.place(1)), await c.look(c.place(1, 1))]).toEqual([15, 7]);
});
