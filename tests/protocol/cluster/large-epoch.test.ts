/** An epoch whose writes and results do not fit one record. */
import { expect, test, vi } from "vitest";
import type { LIMITS } from "../../../protocol/limits.ts";
import { decodeRecord } from "../../../protocol/record/record.ts";
import { ANSWER_FLAG } from "../../../protocol/wire/answer.ts";
import { COORDINATOR } from "../../../protocol/wire/messages.ts";
import type { Step } from "../../../sim/program.ts";
import { add, on } from "../../workerd/support/steps.ts";
import { Cluster, isOf } from "../support/cluster.ts";
import { kernels } from "../support/lone-partition.ts";

vi.mock("../../../protocol/limits.ts", async (original) => {
  const real = await original<{ LIMITS: typeof LIMITS }>();
  return { LIMITS: { ...real.LIMITS, maxRecordBytes: 600, epochRecordBytes: 600, maxPartBytes: 200, foldBytes: 300 } };
});

const puts: Step[] = Array.from({ length: 40 }, (_, key) => ({ op: "put", key, value: key * 3 }));
const entries = puts.map((_, key) => [key, key * 3]);

async function prepared(): Promise<{ c: Cluster; seen: () => Promise<unknown> }> {
  const c = await Cluster.up(2);
  await c.ask(c.place(0), [...puts, on("call", c.place(1), ...puts)]);
  await c.run(isOf("prepared"));
  for (const store of c.stores) {
    const records = [...store.recovered().records].map(({ bytes }) => decodeRecord(kernels, bytes));
    expect(records.length).toBeGreaterThan(5);
    expect(new Set(records.map(({ epoch }) => epoch?.epoch)).size).toBe(1);
  }
  const seen = async () => {
    const requests = await Promise.all([0, 1].map((peer) => c.ask(c.place(peer), [{ op: "read" }], { name: "look" })));
    await c.settle();
    return requests.map(({ answer }) => (JSON.parse(answer?.body ?? "") as Array<{ entries: unknown }>)[0]?.entries);
  };
  return { c, seen };
}

test("is split, and there as a whole after a restart before or after its decision", async () => {
  for (const decided of [false, true]) {
    const { c, seen } = await prepared();
    if (decided) await c.run();
    await c.restart(0);
    await c.restart(1);
    await c.settle();
    expect(await seen()).toEqual([entries, entries]);
    await c.fold(1);
    await c.restart(1);
    expect(await seen()).toEqual([entries, entries]);
  }
});

test("is not folded before it is decided, and neither is what is committed behind it", async () => {
  const { c, seen } = await prepared();
  const behind = await c.ask(c.place(0, 1), [add(7)]);
  expect(behind.answers).toBe(1);
  const records = [...(c.stores[0]?.recovered().records ?? [])].length;
  await c.fold(0);
  expect([...(c.stores[0]?.recovered().records ?? [])]).toHaveLength(records);
  await c.restart(0);
  expect(await seen()).toEqual([entries, entries]);
  await c.fold(0);
  expect(c.stores[0]?.recovered().folded).toBeGreaterThanOrEqual(records);
  await c.restart(0);
  expect([await seen(), await c.look(c.place(0, 1))]).toEqual([[entries, entries], 7]);
});

test("keeps every result of it over a restart before its decision", async () => {
  const c = await Cluster.up(2);
  const steps = [...puts.slice(0, 2), on("call", c.place(1), { op: "read" } as const)];
  const requests = [];
  for (let n = 0; n < 8; n++) requests.push(await c.ask(c.place(0, n), steps));
  // All of them are in one epoch: it is not closed before the last has finished.
  await c.run(isOf("close"));
  await c.run((batch) => isOf("decide")(batch) || isOf("prepared")(batch));
  const records = [...(c.stores[0]?.recovered().records ?? [])].map(({ bytes }) => decodeRecord(kernels, bytes));
  expect(records.filter(({ results }) => results.length > 0).length).toBeGreaterThan(1);
  const ids = records.flatMap(({ results }) => results.map(({ requestId }) => requestId));
  expect(ids.length).toBeGreaterThan(3);
  await c.restart(0);
  await c.settle();
  for (const { id } of requests.filter((request) => ids.includes(request.id))) {
    const at = requests.findIndex((request) => request.id === id);
    const again = await c.ask(c.place(0, at), steps, { id });
    await c.settle();
    expect(again.answer).toMatchObject({ status: 200, flags: ANSWER_FLAG.replayed });
  }
});

test("is gone as a whole, with all its records void, when it is aborted", async () => {
  const c = await Cluster.upOrdered(2);
  await c.ask(c.place(0), [...puts, on("call", c.place(1), ...puts)]);
  await c.run(isOf("prepare", COORDINATOR, 1));
  const before = [...(c.stores[0]?.recovered().records ?? [])].length;
  expect(before).toBeGreaterThan(5);
  await c.restart(1);
  await c.restart(0);
  await c.settle();
  const left = [...(c.stores[0]?.recovered().records ?? [])].map(({ bytes }) => decodeRecord(kernels, bytes));
  expect(left).toHaveLength(before);
  expect(left.flatMap(({ writes, results }) => [...writes, ...results])).toEqual([]);
  expect(await c.look(c.place(0))).toBe(0);
});
