/** Queries that read a snapshot over two partitions without locks. */
import { describe, expect, test } from "vitest";
import type { CallMessage } from "../../../protocol/wire/messages.ts";
import { add, on, pause, read } from "../../workerd/support/steps.ts";
import { Cluster, isOf, type Request } from "../support/cluster.ts";

const transfer = (c: Cluster, by: number): Promise<Request> =>
  c.ask(c.place(0), [add(-by), on("call", c.place(1), add(by))]);
const sumUp = (c: Cluster, gate = 0): Promise<Request> =>
  c.ask(c.place(0), [read, pause(gate), on("call", c.place(1), read)], { name: "look", snapshot: true });

function sumOf({ answer }: Request): number {
  const [a, [b]] = JSON.parse(answer?.body ?? "") as [{ n: number }, [{ n: number }]];
  return a.n + b.n;
}

function snapshotOf(c: Cluster): number[] {
  const calls = c.net.filter(isOf("call")).flatMap(({ messages }) => messages.filter(({ kind }) => kind === "call"));
  return calls.map((call) => (call as CallMessage).snapshot);
}

describe("a snapshot", () => {
  test("shows the same sum wherever a transfer is when it reads", async () => {
    for (const kind of ["call", "answer", "finish", "closed", "prepare", "prepared", "decide"]) {
      for (const readerAt of [0, 1]) {
        const c = await Cluster.up(2);
        await transfer(c, 1);
        await c.run();
        await transfer(c, 5);
        await c.until(kind);
        const request = await sumUp(c, 1);
        if (readerAt === 1) await c.run(isOf(kind));
        await c.open(1);
        const before = c.net.length;
        await c.run(isOf(kind));
        expect(before).toBeGreaterThan(0);
        await c.settle();
        expect(sumOf(request), `${kind}, ${readerAt}`).toBe(0);
      }
    }
  });

  test("takes no locks and joins no epoch where its boundary is fresh", async () => {
    const c = await Cluster.up(2);
    await transfer(c, 1);
    await c.run();
    c.log = [];
    const request = await sumUp(c);
    expect(snapshotOf(c)).toEqual([c.node(0).status.decided]);
    await c.run();
    expect(sumOf(request)).toBe(0);
    expect(c.log.filter((entry) => entry.includes(">"))).toEqual(["0>1 call", "1>0 answer", "0>1 abort"]);
  });

  test("is not torn by a local commit at a partition that it has yet to reach", async () => {
    const c = await Cluster.up(2);
    await transfer(c, 1);
    await c.run();
    const request = await sumUp(c, 1);
    await c.open(1);
    await c.until("call");
    await c.ask(c.place(1), [add(100)]);
    await c.run();
    expect([0, 100]).toContain(sumOf(request));
    const boundary = c.node(0).status.decided;
    // Whatever commits from here on is above the boundary that was shown.
    expect(c.node(1).status.clock).toBeGreaterThan(boundary);
  });

  test("may miss what its client has just written, unless that says which epoch it was told", async () => {
    for (const bounded of [false, true]) {
      const c = await Cluster.up(2);
      await transfer(c, 1);
      await c.run();
      // Behind it nothing commits at or below the boundary that it was shown.
      await sumUp(c);
      await c.run();
      await c.ask(c.place(1), [add(100)]);
      await c.run();
      // What the answer said.
      const told = c.node(1).status.clock;
      c.log = [];
      const both = [read, on("call", c.place(1), read)];
      const how = { name: "look", snapshot: true, ...(bounded ? { notBefore: told } : {}) };
      const request = await c.ask(c.place(0), both, how);
      await c.run();
      expect(sumOf(request)).toBe(bounded ? 100 : 0);
      expect(c.log.includes("0>1 finish")).toBe(bounded);
    }
  });

  test("takes no locks for the sake of an epoch that its boundary has reached", async () => {
    const c = await Cluster.up(2);
    await transfer(c, 1);
    await c.run();
    const { decided } = c.node(0).status;
    c.log = [];
    const both = [read, on("call", c.place(1), read)];
    const request = await c.ask(c.place(0), both, { name: "look", snapshot: true, notBefore: decided });
    await c.run();
    expect(sumOf(request)).toBe(0);
    expect(c.log).not.toContain("0>1 finish");
  });

  test("shows no local commit before that is written", async () => {
    const c = await Cluster.up(3);
    // An epoch that the partition to be read knows nothing of: what it commits by itself is below.
    await c.ask(c.place(0), [add(1), on("call", c.place(2), add(-1))]);
    await c.run();
    const request = await sumUp(c);
    await c.until("call");
    // Functions run; then messages leave, and only after them what the commit asked for is written.
    const functionsRun = async (): Promise<void> => {
      for (let n = 0; n < 50; n++) await Promise.resolve();
    };
    const asked = c.ask(c.place(1), [add(100)]);
    await functionsRun();
    const delivered = c.deliver(isOf("call"));
    await functionsRun();
    const records = (): number => [...(c.stores[1]?.recovered().records ?? [])].length;
    const before = records();
    c.node(1).callBack("dispatch");
    expect(c.net.some(isOf("answer"))).toBe(true);
    expect(records()).toBe(before + 1);
    await Promise.all([asked, delivered]);
    await c.run();
    expect(sumOf(request)).toBe(101);
  });

  /** A snapshot begun at a third partition, whose call comes only after `meanwhile`. */
  async function late(meanwhile: (c: Cluster) => Promise<unknown>): Promise<{ c: Cluster; request: Request }> {
    const c = await Cluster.up(3);
    await c.ask(c.place(2), [on("call", c.place(0), add(-1)), on("call", c.place(1), add(1))]);
    await c.run();
    const both = [on("call", c.place(0), read), on("call", c.place(1), read)];
    const request = await c.ask(c.place(2), both, { name: "look", snapshot: true });
    await c.until("call", 2, 1);
    const call = c.take(isOf("call"));
    expect(call).toHaveLength(1);
    await meanwhile(c);
    c.net.push(...call);
    await c.run();
    return { c, request };
  }
  const sum = ({ answer }: Request): number =>
    (JSON.parse(answer?.body ?? "") as Array<[{ n: number }]>).reduce((total, [{ n }]) => total + n, 0);

  test("is told where it is too old, and shows the right sum by another way", async () => {
    const { c, request } = await late(async (cluster) => {
      for (let n = 0; n < 4; n++) {
        await transfer(cluster, 10);
        await cluster.run();
      }
    });
    expect(c.log).toContain("1>2 too-old");
    await c.settle();
    expect(request.answers).toBe(1);
    expect(sum(request)).toBe(0);
  });

  test("of an epoch whose versions are still kept is shown as of that, though newer ones are there", async () => {
    const { c, request } = await late(async (cluster) => {
      await transfer(cluster, 10);
      await cluster.run();
    });
    expect(c.log).not.toContain("1>2 too-old");
    expect(request.answer?.body).toContain('"n":1');
    expect(sum(request)).toBe(0);
  });

  test("begins again where a restart has forgotten what keys held before", async () => {
    const { c, request } = await late(async (cluster) => {
      await transfer(cluster, 10);
      await cluster.run();
      await cluster.restart(1);
      await cluster.run();
    });
    await c.settle();
    expect(request.answers).toBe(1);
    expect(sum(request)).toBe(0);
  });
});

test("a snapshot query that takes longer than epochs are remembered goes on with locks and is answered", async () => {
  const c = await Cluster.up(3);
  const write = (): Promise<Request> => c.ask(c.place(1, 1), [add(1), on("call", c.place(2, 1), add(1))]);
  await write();
  await c.run();
  const request = await c.ask(c.place(0), [on("call", c.place(1), read), on("call", c.place(2), read)], {
    name: "look",
    snapshot: true,
  });
  const theirs = isOf("call", 0);
  for (let rounds = 0; rounds < 20 && !request.answer; rounds++) {
    // While a call is on its way, three more epochs are decided.
    for (let epochs = 0; epochs < 3; epochs++) {
      await write();
      await c.run(theirs);
    }
    await c.deliver(theirs);
    await c.run(theirs);
  }
  expect(request.answer?.status).toBe(200);
});
