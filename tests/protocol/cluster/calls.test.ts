/** Tried calls, cycles and wounds across partitions. */
import { describe, expect, test } from "vitest";
import type { Step } from "../../../sim/program.ts";
import { add, all, fail, on, pause, read, refuse, shown } from "../../workerd/support/steps.ts";
import { Cluster, isOf } from "../support/cluster.ts";

const idle = { attempts: 0, locks: 0, undecided: 0, waiting: 0, member: false };

async function expectIdle(c: Cluster): Promise<void> {
  await c.settle();
  for (const peer of c.stores.keys()) expect(c.node(peer).status).toMatchObject(idle);
}

describe("a tried call of another partition that fails", () => {
  test("is undone in every partition that its subtree reached before its caller goes on", async () => {
    const c = await Cluster.up(3);
    const [a, b, d] = [c.place(0), c.place(1), c.place(2)];
    const request = await c.ask(a, [
      on("try", b, add(5), on("call", d, add(7)), refuse),
      on("call", b, read),
      on("call", d, read),
    ]);
    await c.until("scope-end", 0, 2);
    // Both are told; while one has not answered, nothing else is called.
    await c.run(isOf("scope-end", 0, 2));
    expect(c.log.filter((entry) => entry === "0>1 call")).toHaveLength(1);
    await c.settle();
    expect(request.answer?.body).toBe(JSON.stringify([{ failed: "no" }, [shown(0)], [shown(0)]]));
    expect(await c.look(d)).toBe(0);
    await expectIdle(c);
  });

  test("leaves what was done there before", async () => {
    const c = await Cluster.up(2);
    const [a, b] = [c.place(0), c.place(1)];
    await c.ask(a, [on("call", b, add(1)), on("try", b, add(5), fail), on("call", b, add(2))]);
    await c.settle();
    expect(await c.look(b)).toBe(3);
  });

  test("undoes what came back to its caller's partition", async () => {
    const c = await Cluster.up(2);
    const [a, b] = [c.place(0), c.place(1)];
    const request = await c.ask(a, [add(1), on("try", b, add(5), on("call", a, add(100)), fail), read]);
    await c.settle();
    expect(request.answer?.body).toBe(JSON.stringify([{ failed: "internal-error" }, shown(1)]));
    expect([await c.look(a), await c.look(b)]).toEqual([1, 0]);
  });
});

describe("a tried function that has returned before its calls", () => {
  test("ends once, when what it goes on with fails", async () => {
    const c = await Cluster.up(2);
    const [a, b, k] = [c.place(0), c.place(1), c.place(0, 1)];
    const then = [on("catch", c.place(0, 2), fail), add(4)];
    const request = await c.ask(a, [on("try", k, { op: "loose", at: b, steps: [add(5)], then }, add(1)), add(2)]);
    await c.settle();
    expect(request.answer?.body).toBe(JSON.stringify([{ failed: "internal-error" }]));
    expect([await c.look(a), await c.look(k), await c.look(b)]).toEqual([2, 0, 0]);
    await expectIdle(c);
  });

  test("does nothing more while it is undone elsewhere", async () => {
    const c = await Cluster.up(2);
    const [a, b, k] = [c.place(0), c.place(1), c.place(0, 1)];
    const stray: Step = { op: "loose", at: c.place(0, 2), steps: [], then: [pause(1), add(1000)] };
    const request = await c.ask(a, [on("try", k, on("call", b, add(5)), stray, fail), add(2)]);
    await c.until("scope-end", 0, 1);
    await c.open(1);
    await c.settle();
    expect(request.answer?.body).toBe(JSON.stringify([{ failed: "internal-error" }]));
    expect([await c.look(a), await c.look(k), await c.look(b)]).toEqual([2, 0, 0]);
    await expectIdle(c);
  });
});

describe("a tried call that made a tried call", () => {
  test.each([
    ["fails", fail],
    ["ends well", add(0)],
  ])(
    "keeps no key of a third partition that hears of its end before that of the inner one, when it %s",
    async (_, last) => {
      const c = await Cluster.up(3);
      const [a, b, d] = [c.place(0), c.place(1), c.place(2)];
      const request = await c.ask(a, [on("try", b, on("try", d, add(5)), pause(1), last), on("call", d, add(1))]);
      await c.until("scope-end", 1, 2);
      const late = c.take(isOf("scope-end", 1, 2));
      await c.open(1);
      await c.run();
      c.net.push(...late);
      await c.run();
      expect(request.answer?.status).toBe(200);
      await expectIdle(c);
    },
  );
});

test("a key that a function still runs on is not given to its sibling, though a call of it has ended within a tried call", async () => {
  for (const partitions of [1, 3]) {
    const c = await Cluster.up(partitions);
    const [a, b, d] = [c.place(0), c.place(partitions === 1 ? 0 : 1, 1), c.place(partitions === 1 ? 0 : 2, 2)];
    const again = { at: d, steps: [on("call", d, add(1)), pause(1), add(1)] };
    const failing = { at: d, tried: true, steps: [pause(2), fail] };
    const request = await c.ask(a, [on("try", b, { op: "all", calls: [again, failing] })]);
    await c.run();
    await c.open(1);
    await c.run();
    await c.open(2);
    await c.settle();
    expect(request.answer?.body).toBe(JSON.stringify([[[[[]], { failed: "internal-error" }]]]));
    expect(await c.look(d), `${partitions} partitions`).toBe(2);
  }
});

describe("a cycle of calls in one transaction", () => {
  test("across partitions, B → C and C → B by siblings, is found and told, and ends", async () => {
    const c = await Cluster.up(3);
    const [a, b, d] = [c.place(0), c.place(1), c.place(2)];
    const request = await c.ask(a, [all([b, pause(1), on("call", d, add(1))], [d, pause(1), on("call", b, add(1))])]);
    await c.run();
    await c.open(1);
    await c.run();
    expect(c.log.some((entry) => entry.endsWith("chase"))).toBe(true);
    expect(request).toMatchObject({ answers: 1, answer: { status: 500 } });
    expect(request.answer?.body).toContain("call-cycle");
    await expectIdle(c);
  });

  test("of three partitions is found", async () => {
    const c = await Cluster.up(4);
    const [a, b, d, e] = [c.place(0), c.place(1), c.place(2), c.place(3)];
    const request = await c.ask(a, [
      all(
        [b, pause(1), on("call", d, add(1))],
        [d, pause(1), on("call", e, add(1))],
        [e, pause(1), on("call", b, add(1))],
      ),
    ]);
    await c.run();
    await c.open(1);
    await c.run();
    expect(request.answer?.body).toContain("call-cycle");
    await expectIdle(c);
  });

  test("is found where one waits for what a tried call keeps, whose home is another partition", async () => {
    const c = await Cluster.up(4);
    const [a, b, d, e] = [c.place(0), c.place(1), c.place(2), c.place(3)];
    const tried = { at: b, tried: true, steps: [on("call", d, add(1)), pause(1), on("call", e, add(1))] };
    const request = await c.ask(a, [
      { op: "all", calls: [tried, { at: e, steps: [pause(2), on("call", d, add(1))] }] },
    ]);
    await c.run();
    await c.open(2);
    await c.run();
    await c.open(1);
    await c.run();
    expect(c.log.filter((entry) => entry.endsWith("cycle"))).not.toEqual([]);
    await c.run();
    expect(request).toMatchObject({ answers: 1 });
    await expectIdle(c);
  });

  test("is not seen where one waits for what a tried call keeps, which ends", async () => {
    const c = await Cluster.up(4);
    const [a, b, d, e] = [c.place(0), c.place(1), c.place(2), c.place(3)];
    const tried = { at: b, tried: true, steps: [on("call", d, add(1)), pause(1), on("call", e, add(1))] };
    const request = await c.ask(a, [
      { op: "all", calls: [tried, { at: c.place(3, 1), steps: [on("call", d, add(1))] }] },
    ]);
    await c.run();
    await c.pass(2_000);
    await c.run();
    await c.open(1);
    await c.settle();
    expect(request.answer?.status).toBe(200);
    expect([await c.look(d), await c.look(e)]).toEqual([2, 1]);
  });

  test("is not seen where siblings only wait for each other in turn", async () => {
    const c = await Cluster.up(3);
    const [a, b, d] = [c.place(0), c.place(1), c.place(2)];
    const request = await c.ask(a, [all([b, pause(1), on("call", d, add(1))], [d, pause(1), add(1)])]);
    await c.run();
    await c.open(1);
    await c.settle();
    expect(request.answer?.status).toBe(200);
    expect(await c.look(d)).toBe(2);
  });
});

describe("two transactions that lock the same keys of two partitions in opposite order", () => {
  test("both end: the older kills the younger, which runs again with its age", async () => {
    const c = await Cluster.up(2);
    const [a, b] = [c.place(0), c.place(1)];
    const older = await c.ask(a, [add(1), pause(1), on("call", b, add(1))]);
    c.clock += 5;
    const younger = await c.ask(b, [add(10), pause(2), on("call", a, add(10))]);
    const ages = (): number[] => [...agesOf(c, "call", 1)];
    await c.open(2);
    await c.until("call", 1);
    const [first] = ages();
    await c.open(1);
    await c.settle();
    expect([older.answer?.status, younger.answer?.status]).toEqual([200, 200]);
    expect([await c.look(a), await c.look(b)]).toEqual([11, 11]);
    expect(first).toBeGreaterThan(0);
    await expectIdle(c);
  });

  test("the younger one is killed by way of its root on a third partition, and keeps its age", async () => {
    const c = await Cluster.up(3);
    const [a, b, d] = [c.place(0), c.place(1), c.place(2)];
    const older = await c.ask(a, [pause(1), on("call", b, add(1))]);
    c.clock += 5;
    const younger = await c.ask(d, [on("call", b, add(10)), pause(2)]);
    await c.until("call", 2);
    const [before] = agesOf(c, "call", 2);
    await c.run();
    await c.open(1);
    await c.until("kill");
    expect(c.net.find(isOf("kill"))).toMatchObject({ to: 2 });
    await c.until("call", 2);
    expect(agesOf(c, "call", 2)).toEqual([before]);
    await c.run();
    expect([older.answers, younger.answers]).toEqual([1, 0]);
    await c.open(2);
    await c.settle();
    expect(younger.answer?.status).toBe(200);
    expect(await c.look(b)).toBe(11);
    await expectIdle(c);
  });

  test("a kill that comes when the younger one has its epoch changes nothing", async () => {
    const c = await Cluster.up(3);
    const [a, b, d] = [c.place(0), c.place(1), c.place(2)];
    const older = await c.ask(a, [pause(1), on("call", b, add(1))]);
    c.clock += 5;
    const younger = await c.ask(d, [on("call", b, add(10))]);
    await c.until("finish");
    const finish = c.take(isOf("finish"));
    await c.open(1);
    await c.until("kill");
    await c.deliver(isOf("kill"));
    c.net.unshift(...finish);
    await c.settle();
    expect(c.log.filter((entry) => entry === "2>1 call")).toHaveLength(1);
    expect([older.answer?.status, younger.answer?.status]).toEqual([200, 200]);
    expect(await c.look(b)).toBe(11);
  });
});

function agesOf(c: Cluster, kind: "call", from: number): number[] {
  return c.net
    .filter(isOf(kind, from))
    .flatMap(({ messages }) => messages.flatMap((message) => (message.kind === "call" ? [message.age] : [])));
}

describe("a call of a function that the version of the code there does not know yet", () => {
  test("fails its transaction so that it is asked for again, and goes through when that is there", async () => {
    const c = await Cluster.up(2);
    const [a, b] = [c.place(0), c.place(1)];
    const code = c as { app: Cluster["app"] };
    const whole = code.app;
    const services = new Map([...whole.services].filter(([name]) => name !== "pb"));
    code.app = { ...whole, services };
    await c.restart(1);
    await c.settle();
    const steps = [on("call", ["pb", b[1]], add(5))];
    const { answer } = await c.ask(a, steps).then(async (request) => {
      await c.settle();
      return request;
    });
    expect([answer?.status, JSON.parse(answer?.body ?? "")]).toMatchObject([
      503,
      { type: "/problems/overloaded", retryable: true },
    ]);
    code.app = whole;
    await c.restart(1);
    await c.settle();
    const again = await c.ask(a, steps);
    await c.settle();
    expect(again.answer?.status).toBe(200);
    await expectIdle(c);
  });
});
