/** What undecided epochs hold has a bound, whoever's transactions they are of. */
import { expect, test, vi } from "vitest";
import type { LIMITS } from "../../../protocol/limits.ts";
import { add, on } from "../../workerd/support/steps.ts";
import { Cluster, isOf } from "../support/cluster.ts";

vi.mock("../../../protocol/limits.ts", async (original) => {
  const real = await original<{ LIMITS: typeof LIMITS }>();
  return { LIMITS: { ...real.LIMITS, maxUndecidedUnits: 100 } };
});

test("above it a partition takes neither requests nor calls, and after the decision it takes both", async () => {
  const c = await Cluster.up(3);
  const [a, b] = [c.place(0), c.place(1)];
  const writes = Array.from({ length: 10 }, (_, key) => ({ op: "put" as const, key, value: key }));
  const first = await c.ask(a, [on("call", b, ...writes)]);
  await c.until("prepared", 1);
  const held = isOf("prepared", 1);
  const asked = await c.ask(c.place(1, 1), [add(1)]);
  const called = await c.ask(c.place(2), [on("call", c.place(1, 2), add(1))]);
  const tried = await c.ask(c.place(2, 1), [on("try", c.place(1, 2), add(1))]);
  await c.run(held);
  expect([first.answers, asked.answer?.status, called.answer?.status]).toEqual([0, 503, 503]);
  await c.settle();
  expect([first.answer?.status, tried.answer?.body]).toEqual([200, '[{"failed":"overloaded"}]']);
  const after = await c.ask(c.place(2), [on("call", c.place(1, 2), add(1))]);
  await c.settle();
  expect(after.answer?.status).toBe(200);
  for (const peer of [0, 1, 2]) expect(c.node(peer).status).toMatchObject({ attempts: 0, locks: 0, undecided: 0 });
});
