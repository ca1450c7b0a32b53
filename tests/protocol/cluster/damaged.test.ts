/** A partition whose storage cannot be read, among others. */
import { describe, expect, test } from "vitest";
import { COORDINATOR } from "../../../protocol/wire/messages.ts";
import type { MapStore } from "../../../sim/map-store.ts";
import { add, on, read, refuse } from "../../workerd/support/steps.ts";
import { Cluster, isOf, type Request } from "../support/cluster.ts";

const transfer = (c: Cluster, from = 0, to = 1): Promise<Request> =>
  c.ask(c.place(from), [add(-5), on("call", c.place(to), add(5))]);

function loseMarks(c: Cluster, peer: number): void {
  const { records } = c.stores[peer] as MapStore;
  for (const [at, record] of records.entries()) records[at] = { ...record, mark: "" };
}

describe("a damaged partition", () => {
  test("does not keep others from going on, when the coordinator starts again too", async () => {
    const c = await Cluster.up(3);
    await transfer(c);
    await c.settle();
    await c.damage(1);
    await c.restartCoordinator();
    await c.settle();
    const request = await transfer(c, 0, 2);
    await c.settle();
    expect(request.answer?.status).toBe(200);
    expect(c.coordinator.machine.status).toMatchObject({ phase: "running", recovery: null });
  });

  test("fails calls to it at once, and takes no part in what its caller does instead", async () => {
    const c = await Cluster.up(3);
    await c.damage(1);
    await c.run();
    const failed = await transfer(c);
    await c.run();
    expect(failed).toMatchObject({ answers: 1, answer: { status: 500 } });
    expect(failed.answer?.body).toContain("the partition's storage is damaged");
    const instead = await c.ask(c.place(0), [on("try", c.place(1), add(5)), on("call", c.place(2), add(5))]);
    await c.run();
    expect(instead.answer?.body).toBe(JSON.stringify([{ failed: "internal-error" }, []]));
    expect(await c.look(c.place(2))).toBe(5);
    expect(c.log).not.toContain("C>1 prepare");
    expect(c.coordinator.machine.status.aborts).toBe(0);
  });

  test("lets a tried call end that had reached it behind another partition", async () => {
    const c = await Cluster.up(3);
    await c.damage(1);
    await c.run();
    const request = await c.ask(c.place(0), [
      on("try", c.place(2), add(1), on("catch", c.place(1), add(5)), refuse),
      read,
    ]);
    await c.settle();
    expect(request.answer?.status).toBe(200);
    expect(await c.look(c.place(2))).toBe(0);
  });

  test("aborts the epoch that it was in, and its callers run again and are told", async () => {
    const c = await Cluster.upOrdered(2);
    const request = await transfer(c);
    await c.until("prepare", COORDINATOR, 1);
    await c.damage(1);
    await c.settle();
    expect(request).toMatchObject({ answers: 1, answer: { status: 500 } });
    expect(await c.look(c.place(0))).toBe(0);
  });

  test("obeys no older coordinator than it reported to, also when it can read again", async () => {
    const c = await Cluster.up(2);
    await c.damage(1);
    await c.restartCoordinator();
    await c.until("report", 1);
    expect(c.stores[1]?.meta.get("generation")).toBe("2");
    await c.settle();
    await c.restart(1);
    await c.settle();
    expect(c.node(1).status.phase).toBe("up");
  });
});

describe("a sole member's epoch", () => {
  test("is aborted when who was ordered to prepare it proves damaged: the sole member says that it will not decide", async () => {
    const c = await Cluster.up(2);
    const request = await transfer(c);
    await c.until("prepare", 0, 1);
    await c.damage(1);
    await c.settle();
    expect(request).toMatchObject({ answers: 1, answer: { status: 500 } });
    expect(await c.look(c.place(0))).toBe(0);
    expect(c.coordinator.machine.status).toMatchObject({ generation: 1, aborts: 1 });
  });

  test.each([
    ["proves damaged before anybody heard of it", false],
    ["proves damaged as the sole member of a later one, which makes the coordinator start over", true],
  ])("that it alone took part in is not aborted when it %s, without a mark", async (_, later) => {
    const c = await Cluster.up(3);
    await c.damage(1);
    await c.settle();
    // The call that fails leaves nobody else in it.
    const request = await c.ask(c.place(0), [add(7), on("try", c.place(1), add(5))]);
    if (later) {
      await c.settle();
      await c.ask(c.place(0, 1), [add(1), on("call", c.place(2), add(5))]);
      await c.until("answer", 2, 0);
      expect(c.coordinator.machine.status.closing?.phase).toBe("sole");
    } else await c.run(isOf("decided", 0, COORDINATOR));
    expect(request.answer?.status).toBe(200);
    c.take((batch) => batch.from.peer === 0);
    loseMarks(c, 0);
    await c.damage(0);
    await c.settle();
    for (const peer of [1, 0]) await c.restart(peer);
    await c.settle();
    expect(await c.look(c.place(0))).toBe(7);
  });

  test("before that of a sole member that proves damaged is committed: it has recorded a later one", async () => {
    const c = await Cluster.up(3);
    const request = await transfer(c);
    await c.run(isOf("decide", 0, 1));
    await c.ask(c.place(0, 1), [add(-5), on("call", c.place(2), add(5))]);
    await c.run((batch) => isOf("decide", 0, 1)(batch) || isOf("prepare", 0, 2)(batch));
    expect([request.answer?.status, c.coordinator.machine.status.closing?.phase]).toEqual([200, "sole"]);
    c.take((batch) => batch.from.peer === 0);
    await c.damage(0);
    await c.settle();
    expect(c.coordinator.machine.status).toMatchObject({ generation: 2, phase: "running" });
    expect(await c.look(c.place(1))).toBe(5);
  });

  test("is committed though the sole member proves damaged before anybody heard that it had decided", async () => {
    const c = await Cluster.up(2);
    const request = await transfer(c);
    await c.until("closed", 0, COORDINATOR);
    c.take((batch) => batch.from.peer === 0);
    await c.damage(0);
    await c.settle();
    expect(request.answers).toBe(1);
    expect(c.coordinator.machine.status).toMatchObject({ generation: 2, phase: "running" });
    expect(await c.look(c.place(1))).toBe(5);
  });
});

describe("an epoch whose record is at a damaged partition when the coordinator starts again", () => {
  test("is committed where all others hold it, and is whole once the damaged one is mended", async () => {
    const c = await Cluster.upOrdered(2);
    const request = await transfer(c);
    await c.until("decide", COORDINATOR, 0);
    c.take(isOf("decide"));
    await c.damage(1);
    await c.restartCoordinator();
    await c.settle();
    expect(request).toMatchObject({ answers: 1, answer: { status: 200 } });
    expect(await c.look(c.place(0))).toBe(-5);
    await c.restart(1);
    await c.settle();
    expect(await c.look(c.place(1))).toBe(5);
  });

  test("is committed though the damaged one alone took part in it", async () => {
    const c = await Cluster.upOrdered(2);
    await transfer(c);
    await c.until("decide", COORDINATOR, 1);
    // It reads what is not decided, so it is in an epoch of its own.
    const lone = await c.ask(c.place(1), [add(100)]);
    await c.run(isOf("decide", COORDINATOR, 0));
    expect(lone.answer?.status).toBe(200);
    await c.damage(1);
    await c.restartCoordinator();
    await c.settle();
    await c.restart(1);
    await c.settle();
    expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([-5, 105]);
  });

  test("is not claimed any more once it was aborted", async () => {
    const c = await Cluster.upOrdered(2);
    await transfer(c);
    await c.run(isOf("prepare", COORDINATOR, 1));
    expect(c.stores[0]?.mark).toContain("=");
    await c.restart(1);
    await c.restart(0);
    await c.settle();
    expect(c.stores[0]?.mark).toBeUndefined();
  });

  test("is waited for when the damaged one has lost even the mark of it, until it is mended", async () => {
    const c = await Cluster.upOrdered(2);
    const request = await transfer(c);
    await c.until("decide", COORDINATOR, 0);
    c.take(isOf("decide"));
    loseMarks(c, 1);
    await c.damage(1);
    await c.restartCoordinator();
    await c.run();
    await c.pass(1_000);
    await c.run();
    const undecidable = { epoch: c.node(0).status.clock, partitions: [1] };
    expect(c.coordinator.machine.status).toMatchObject({
      phase: "recovering",
      recovery: { damaged: [1], undecidable },
    });
    expect(request.answers).toBe(0);
    await c.restart(1);
    await c.settle();
    expect(request).toMatchObject({ answers: 1, answer: { status: 200 } });
    expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([-5, 5]);
  });
});
