/** A clock that is set back: what goes by times in memory would stand still for as long, so that each instance starts over. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../protocol/limits.ts";
import { add, on, pause } from "../../workerd/support/steps.ts";
import { Cluster } from "../support/cluster.ts";

const HOUR = 3_600_000;

/** In steps, with all that is on its way arriving. */
async function pass(c: Cluster, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    await c.pass(250);
    await c.run();
  }
}
const startedOver = (c: Cluster): string[] => c.log.filter((line) => line.endsWith("starts over"));

describe.each([LIMITS.maxClockBackMs, LIMITS.maxClockBackMs + 1_000, HOUR])("set back by %i ms", (back) => {
  const isFar = back > LIMITS.maxClockBackMs;

  test("a transaction whose participant was lost comes to an end, and its keys are free", async () => {
    const c = await Cluster.up(2);
    const asked = await c.ask(c.place(0), [add(1), on("call", c.place(1), pause(7), add(1))]);
    await c.run();
    await c.restart(1);
    await c.open(7);
    c.clock -= back;
    await pass(c, 30_000);
    // As a client does that was not answered.
    if (isFar) await c.ask(c.place(0), [add(1), on("call", c.place(1), pause(7), add(1))], { id: asked.id });
    await pass(c, 30_000);
    expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([1, 1]);
    for (const peer of [0, 1]) expect(c.node(peer).status).toMatchObject({ attempts: 0, locks: 0, undecided: 0 });
    // Once, and not again by the clock as it is then.
    expect(startedOver(c)).toEqual(isFar ? [expect.stringMatching(/^[01] starts over$/), expect.anything()] : []);
  });

  test("a standstill whose asker is lost ends", async () => {
    const c = await Cluster.up(2);
    await c.admin(0, { op: "freeze", id: "b" });
    c.clock -= back;
    const asked = await c.ask(c.place(0), [add(1)]);
    await pass(c, LIMITS.freezeMs + LIMITS.maxClockBackMs + 1_000);
    if (isFar) await c.ask(c.place(0), [add(1)], { id: asked.id });
    await pass(c, 1_000);
    expect(await c.look(c.place(0))).toBe(1);
  });

  test("what was committed is there, and the coordinator decides again", async () => {
    const c = await Cluster.up(2);
    await c.ask(c.place(0), [add(1), on("call", c.place(1), add(1))]);
    await c.settle();
    c.clock -= back;
    const { incarnation } = c.coordinator;
    // Undecided when they start over.
    const asked = await c.ask(c.place(0), [add(1), on("call", c.place(1), add(1))]);
    await pass(c, 5_000);
    if (asked.answer === undefined) await c.ask(c.place(0), [add(1), on("call", c.place(1), add(1))], { id: asked.id });
    await c.settle();
    expect([await c.look(c.place(0)), await c.look(c.place(1))]).toEqual([2, 2]);
    expect(c.coordinator.incarnation > incarnation).toBe(isFar);
  });
});

test("a partition that cannot read its storage starts over as well: what it has to send again would wait", async () => {
  const c = await Cluster.up(2);
  await c.damage(1);
  await c.run();
  c.clock -= HOUR;
  await c.restartCoordinator();
  await expect(c.run()).rejects.toThrow("the clock was set back by 3600000 ms");
});
