/** Blocks that are not what was stored, met by what a partition does by itself and for its administration: that ends there, and all else goes on. */
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { AdminAsk, AdminReply, FreezeAnswer } from "../../../protocol/backup/asks.ts";
import { readHead, SPACE } from "../../../protocol/state/blocks/block.ts";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { contract, fn, query, service } from "../../../sdk/index.ts";
import { add } from "../../workerd/support/steps.ts";
import { useLimits } from "../../support/limits.ts";
import { Cluster } from "../support/cluster.ts";
import { clientId } from "../support/ingest-frame.ts";
import { kernels } from "../support/lone-partition.ts";

useLimits({ foldBytes: 200, blockBytes: 600, messagesPerTurn: 3, maxTimersInMemory: 3 });

let isOpen = false;
const Box = contract("box", {
  put: fn({ input: z.object({ pad: z.string() }) }),
  later: fn(),
  mail: fn(),
  take: fn(),
  taken: query({ output: z.int() }),
});
const box = (ttl: boolean) =>
  service(
    Box,
    {
      state: () => ({ pad: "", taken: 0 }),
      ...(ttl ? { ttl: { after: "write", duration: "1d" } as const } : {}),
    },
    {
      put: (ctx, { pad }) => void (ctx.state.pad = pad),
      later: (ctx) => void ctx.send(Box, ctx.key, { delay: "7d" }).take(),
      mail: (ctx) => void ctx.send(Box, `of ${ctx.key}`).take(),
      take(ctx) {
        if (!isOpen) throw new Error("not yet");
        ctx.state.taken += 1;
      },
      taken: (ctx) => ctx.state.taken,
    },
  );
beforeEach(() => void (isOpen = false));

let ids = 0;
async function call(cluster: Cluster, key: string, name: string, input?: object): Promise<string | undefined> {
  const fields = [clientId(1_000 + ++ids), "box", key, name, input === undefined ? "" : JSON.stringify(input)];
  const frame = kernels.pack(INVOKE, { rows: 1, columns: [0, INVOKE_FLAG.clientId, 0, 0], fields });
  const answers = await cluster.give(0, { kind: "invoke", frame });
  await cluster.run();
  return answers()?.[0]?.body;
}

/** Changes a byte of blocks of state, of those that are chosen by their first key, in the order of keys; and starts over. */
async function damage(cluster: Cluster, which: (first: string) => boolean): Promise<void> {
  await cluster.run();
  await cluster.fold(0);
  const { stateBlocks } = cluster.stores[0]!;
  const blocks = [...stateBlocks]
    .map(([id, stored]) => ({ id, stored, head: readHead(kernels, id, stored.head) }))
    .filter(({ head }) => head.space === SPACE.state)
    .sort((a, b) => (a.head.first < b.head.first ? -1 : 1));
  const chosen = blocks.filter(({ head }) => which(head.first));
  expect(chosen.length).toBeGreaterThan(0);
  for (const { id, stored } of chosen) {
    const bytes = Uint8Array.from(stored.bytes);
    bytes[bytes.length >> 1]! ^= 4;
    stateBlocks.set(id, { ...stored, bytes });
  }
  await cluster.restart(0);
}

async function seconds(cluster: Cluster, count: number): Promise<void> {
  for (let second = 0; second < count; second++) {
    await cluster.run();
    await cluster.pass(1_000);
  }
  await cluster.run();
}

test("expired state behind one stays, and no pass looks for it without end", async () => {
  const cluster = await Cluster.up(1, [box(true)]);
  for (let n = 0; n < 20; n++) await call(cluster, `k${n}`, "put", { pad: "x".repeat(100) });
  let isFirst = true;
  await damage(cluster, (first) => {
    const isChosen = isFirst && first.startsWith("box\u0001k1");
    if (isChosen) isFirst = false;
    return isChosen;
  });
  await cluster.pass(2 * 86_400_000);
  await seconds(cluster, 5);
  expect((await cluster.ask(["pa", "a"], [add(1)])).answer?.status).toBe(200);
});

test("delayed messages behind one wait, and those that are due before come", async () => {
  const cluster = await Cluster.up(1, [box(false)]);
  for (let n = 0; n < 40; n++) await call(cluster, `k${n}`, "later");
  let nth = 0;
  await damage(cluster, (first) => first.startsWith("#due") && ++nth === 2);
  await seconds(cluster, 2);
  isOpen = true;
  await cluster.pass(7 * 86_400_000);
  // The alarm that would ring is not part of this.
  await call(cluster, "k0", "taken");
  await seconds(cluster, 5);
  expect(await call(cluster, "k0", "taken")).toBe("1");
  expect(await call(cluster, "k39", "taken")).toBe("0");
});

test("messages behind one wait, and new ones behind them", async () => {
  const cluster = await Cluster.up(1, [box(false)]);
  for (let n = 0; n < 20; n++) await call(cluster, `k${n}`, "mail");
  let nth = 0;
  await damage(cluster, (first) => first.startsWith("#outbox") && ++nth === 3);
  await seconds(cluster, 2);
  isOpen = true;
  await call(cluster, "k0", "mail");
  await seconds(cluster, 120);
  expect(await call(cluster, "of k0", "taken")).toBe("1");
  expect(await call(cluster, "of k19", "taken")).toBe("0");
  expect((await cluster.ask(["pa", "a"], [add(1)])).answer?.status).toBe(200);
  // Whose messages those are cannot be known.
  expect(await problemOf(cluster, { op: "erase-messages", service: "box", key: "k0" })).toBe("damaged-data");
});

async function problemOf(cluster: Cluster, ask: AdminAsk): Promise<string> {
  const { status, body } = (await cluster.admin(0, ask)) as AdminReply;
  const problem = JSON.parse(body) as { type?: string; retryable?: boolean };
  expect([cluster.failure, status, problem.retryable]).toEqual([undefined, 500, undefined]);
  return String(problem.type).slice("/problems/".length);
}

test.each<AdminAsk>([
  { op: "keys", service: "pa", after: null, limit: 100 },
  { op: "rows", service: "pa", key: "k1", after: null, limit: 100 },
])("the administration is told of one: $op", async (ask) => {
  const cluster = await Cluster.up(1);
  for (let n = 0; n < 20; n++) await cluster.ask(["pa", `k${n}`], [add(1)]);
  await damage(cluster, () => true);
  await cluster.settle();
  expect(await problemOf(cluster, ask)).toBe("damaged-data");
});

test("a table that needs one is none, and the pin is free again", async () => {
  const cluster = await Cluster.up(1);
  for (let n = 0; n < 20; n++) await cluster.ask(["pa", `k${n}`], [add(1)]);
  await damage(cluster, () => true);
  await cluster.settle();
  const frozen = JSON.parse(((await cluster.admin(0, { op: "freeze", id: "b" })) as AdminReply).body) as FreezeAnswer;
  const { standstill } = frozen;
  const pin = (id: string): AdminAsk => ({ op: "pin", id, service: "pa", standstill, round: 0 });
  expect(await cluster.admin(0, pin("b"))).toMatchObject({ status: 200 });
  expect(await problemOf(cluster, { op: "table", id: "b", number: 0 })).toBe("damaged-data");
  expect(await cluster.admin(0, pin("c"))).toMatchObject({ status: 200 });
});
