/** A partition whose database is full takes nothing that writes, from nobody; what reads and what makes room goes on. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LIMITS } from "../../../protocol/limits.ts";
import { MoveContent } from "../../../protocol/moves/content.ts";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { contract, fn, query, service } from "../../../sdk/index.ts";
import { MapStore } from "../../../sim/map-store.ts";
import { edgeIdPrefix } from "../../../worker/idempotency.ts";
import { useLimits } from "../../support/limits.ts";
import { Cluster } from "../support/cluster.ts";
import { clientId } from "../support/ingest-frame.ts";
import { kernels } from "../support/lone-partition.ts";
import { nameOn } from "../support/names-on.ts";
import * as z from "zod";

/** Of partition 1; the others have room. */
const there = nameOn(1, 2, "k", 0);
const Box = contract("box", {
  add: fn({ input: z.any(), output: z.number() }),
  count: query({ output: z.number() }),
  addThere: fn({ input: z.any(), output: z.number() }),
  countThere: fn({ input: z.any(), output: z.number() }),
  countThenAdd: fn({ input: z.any(), output: z.number() }),
  sendThere: fn({ input: z.any() }),
});
const box = service(
  Box,
  { state: () => ({ n: 0 }) },
  {
    add: (ctx) => (ctx.state.n += 1),
    count: (ctx) => ctx.state.n,
    addThere: (ctx) => ctx.call(Box, there).add({}),
    countThere: (ctx) => ctx.call(Box, there).count(),
    async countThenAdd(ctx) {
      await ctx.call(Box, there).count();
      return ctx.call(Box, there).add({});
    },
    sendThere: (ctx) => ctx.send(Box, there).add({}),
  },
);

const full = new Set<MapStore>();
beforeEach(() => {
  vi.spyOn(MapStore.prototype, "databaseBytes", "get").mockImplementation(function (this: MapStore) {
    return full.has(this) ? LIMITS.maxDatabaseBytes + 1 : 0;
  });
});
afterEach(() => {
  full.clear();
  vi.restoreAllMocks();
});

const limits = useLimits();

async function withFull(): Promise<Cluster> {
  const c = await Cluster.up(2, [box]);
  full.add(c.stores[1] as MapStore);
  await c.restart(1);
  await c.settle();
  return c;
}

async function ask(c: Cluster, name: string, at = nameOn(0, 2, "k", 0)) {
  const request = await c.ask(["box", at], [], { name });
  await c.settle();
  return request.answer;
}

let ids = 1_000;

/** Without a client's id. */
async function plain(c: Cluster, flags: number, name: string, input: string, id: string) {
  const fields = [`${edgeIdPrefix(c.clock, crypto.randomUUID())}${id}`, "box", there, name, input];
  const frame = kernels.pack(INVOKE, { rows: 1, columns: [0, flags, 0, 0], fields });
  const answers = await c.give(1, { kind: "invoke", frame });
  await c.settle();
  return answers()?.[0];
}

test("requests that write are refused, queries are answered, and a key can be erased", async () => {
  const c = await withFull();
  const refused = await ask(c, "add", there);
  expect([refused?.status, JSON.parse(refused?.body ?? "")]).toMatchObject([
    503,
    { type: "/problems/overloaded", detail: "this partition has more data than it can hold", retryable: true },
  ]);
  expect((await plain(c, 0, "add", "{}", "00000001"))?.status).toBe(503);
  expect((await plain(c, 0, "count", "", "00000002"))?.body).toBe("0");
  // Its result would be kept.
  expect((await ask(c, "count", there))?.status).toBe(503);
  expect((await plain(c, INVOKE_FLAG.erase, "#erase", "", "00000003"))?.status).toBe(200);
});

test("transactions elsewhere may read there, and come again to write", async () => {
  const c = await withFull();
  expect((await ask(c, "countThere"))?.body).toBe("0");
  for (const name of ["addThere", "countThenAdd"]) {
    const { status, body } = (await ask(c, name)) ?? { body: "" };
    expect([name, status, JSON.parse(body)]).toMatchObject([name, 503, { type: "/problems/overloaded" }]);
  }
  for (const peer of [0, 1]) expect(c.node(peer).status).toMatchObject({ attempts: 0, locks: 0, undecided: 0 });
  expect((await ask(c, "add"))?.status).toBe(200);
});

test("messages wait with their senders, and all goes on when there is room", async () => {
  const c = await withFull();
  const sent = await c.ask(["box", nameOn(0, 2, "k", 0)], [], { name: "sendThere" });
  for (let seconds = 0; seconds < 5; seconds++) {
    await c.run();
    await c.pass(1_000);
  }
  expect([sent.answer?.status, c.node(0).status.outbox]).toEqual([200, 1]);
  full.clear();
  await c.settle();
  expect(c.node(0).status.outbox).toBe(0);
  expect((await ask(c, "add", there))?.body).toBe("2");
});

test("its keys move to a partition that has room", async () => {
  const c = await Cluster.up(2, [box], [], 1);
  const moving = nameOn(1, 2, "k", 0);
  const add = async (peer: number) => {
    const fields = [clientId(++ids), "box", moving, "add", "{}"];
    const columns = [0, INVOKE_FLAG.clientId, 0, 0];
    const answers = await c.give(peer, { kind: "invoke", frame: kernels.pack(INVOKE, { rows: 1, columns, fields }) });
    await c.settle();
    return answers()?.[0];
  };
  expect((await add(0))?.body).toBe("1");
  full.add(c.stores[0] as MapStore);
  await c.restart(0);
  await c.settle();
  expect((await add(0))?.status).toBe(503);
  c.coordinator.rescale(2);
  await c.settle();
  expect(c.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 2, phase: "still" });
  expect((await add(1))?.body).toBe("2");
});

test("what is to move to it waits where it is, and is served there, until there is room", async () => {
  limits.moveChunkUnits = 100;
  const c = await Cluster.up(2, [box], [], 2);
  const keys = Array.from({ length: 20 }, (_, n) => nameOn(1, 2, "k", n));
  const add = async (peer: number, key: string) => {
    const fields = [clientId(++ids), "box", key, "add", "{}"];
    const columns = [0, INVOKE_FLAG.clientId, 0, 0];
    const answers = await c.give(peer, { kind: "invoke", frame: kernels.pack(INVOKE, { rows: 1, columns, fields }) });
    await c.run();
    return answers()?.[0]?.body;
  };
  for (const key of keys) expect(await add(1, key)).toBe("1");
  full.add(c.stores[0] as MapStore);
  await c.restart(0);
  await c.run();
  c.log = [];
  c.coordinator.rescale(1);
  for (let second = 0; second < 60; second++) {
    await c.pass(1_000);
    await c.run();
  }
  expect(c.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 2, phase: "copying" });
  // No more than may be on their way.
  expect(c.log.filter((each) => each === "1>0 move-chunk").length).toBeLessThanOrEqual(LIMITS.moveWindow);
  expect(await add(1, keys[0] as string)).toBe("2");
  full.clear();
  await c.pass(LIMITS.fullLookMs);
  await c.settle();
  expect(c.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 1, phase: "still" });
  expect(await add(0, keys[0] as string)).toBe("3");
});

test("while it waits its source keeps no more of edge results than it would without a move", async () => {
  limits.moveChunkUnits = 100;
  limits.edgeResultMs = 30_000;
  const c = await Cluster.up(2, [box], [], 2);
  const give = async (n: number) => {
    const fields = [
      `${edgeIdPrefix(c.clock, crypto.randomUUID())}${n.toString(16).padStart(8, "0")}`,
      "box",
      nameOn(1, 2, "k", n % 20),
      "add",
      "{}",
    ];
    const answers = await c.give(1, {
      kind: "invoke",
      frame: kernels.pack(INVOKE, { rows: 1, columns: [0, 0, 0, 0], fields }),
    });
    await c.run();
    expect(answers()?.[0]?.status).toBe(200);
  };
  for (let n = 0; n < 20; n++) await give(n);
  full.add(c.stores[0] as MapStore);
  await c.restart(0);
  await c.run();
  c.coordinator.rescale(1);
  for (let round = 0; round < 10; round++) {
    await c.pass(20_000);
    await c.run();
    for (let n = 0; n < 20; n++) await give(n);
  }
  expect(c.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 2, phase: "copying" });
  const sent = vi.spyOn(MoveContent.prototype, "add");
  full.clear();
  await c.pass(LIMITS.fullLookMs);
  await c.settle();
  expect(c.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 1, phase: "still" });
  const results = sent.mock.calls.filter(([{ kind }]) => kind === "result");
  // Of the last two rounds.
  expect(results.length).toBeGreaterThan(0);
  expect(results.length).toBeLessThanOrEqual(40);
});
