/** What has become of a message is known for as long as it can be handed over again, and no longer. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../protocol/limits.ts";
import { decodeRecord } from "../../../protocol/record/record.ts";
import { SETTLED_STATUS } from "../../../protocol/results/stored-result.ts";
import { BLOCK } from "../../../protocol/state/blocks/block.ts";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import { contract, fn, query, service } from "../../../sdk/index.ts";
import type { MapStore } from "../../../sim/map-store.ts";
import * as z from "zod";
import { Cluster, isOf } from "../support/cluster.ts";
import { kernels } from "../support/lone-partition.ts";
import { useLimits } from "../../support/limits.ts";

const limits = useLimits({ foldBytes: 2_000, carriedResults: 100 });

const Count = contract("count", {
  send: fn({ input: z.object({ to: z.string(), times: z.number(), name: z.enum(["add", "refuse", "pad"]) }) }),
  add: fn({ output: z.string() }),
  refuse: fn({ refusals: { no: z.string() } }),
  pad: fn(),
  n: query({ output: z.number() }),
});
const count = service(
  Count,
  { state: () => ({ n: 0, pad: "" }) },
  {
    send(ctx, { to, times, name }) {
      for (let n = 0; n < times; n++) ctx.send(Count, to)[name]();
    },
    // What it returns is for nobody.
    add: (ctx) => `it is ${(ctx.state.n += 1)} by now`,
    refuse: (ctx) => {
      throw ctx.refuse("no", "never");
    },
    pad: (ctx) => void (ctx.state.pad = `${ctx.now()} ${"x".repeat(3_000)}`),
    n: (ctx) => ctx.state.n,
  },
);

class Domain {
  readonly c: Cluster;
  #ids = 0;
  readonly keys: readonly [here: string, there: string, beside: string];

  constructor(c: Cluster) {
    this.c = c;
    this.keys = [c.place(0)[1], c.place(1)[1], c.place(0, 1)[1]];
  }

  static async up(): Promise<Domain> {
    return new Domain(await Cluster.up(2, [count]));
  }

  /** Asks the first partition, or the second of its key; nothing travels. */
  async ask(
    partition: 0 | 1,
    name: string,
    input?: unknown,
  ): Promise<() => { status: number; body: string } | undefined> {
    const id = `c${(++this.#ids).toString(16).padStart(31, "d")}`;
    const fields = [id, "count", this.keys[partition], name, input === undefined ? "" : JSON.stringify(input)];
    const frame = kernels.pack(INVOKE, { rows: 1, columns: [1, INVOKE_FLAG.clientId, 0, 0], fields });
    const answer = await this.c.give(partition, { kind: "invoke", frame });
    return () => answer()?.at(-1);
  }

  async send(to: string, times: number, name = "add"): Promise<void> {
    await this.ask(0, "send", { to, times, name });
  }

  async n(partition: 0 | 1): Promise<number> {
    const answer = await this.ask(partition, "n");
    await this.c.settle();
    return JSON.parse(answer()?.body ?? "null") as number;
  }

  async fold(partition: 0 | 1): Promise<void> {
    await this.ask(partition, "pad");
    await this.c.settle();
    await this.c.fold(partition);
  }
}

/** Messages of which a store still says what has become of them: in records that are not folded, and in blocks. */
function known(store: MapStore | undefined): { records: Map<string, string>; blocks: string[] } {
  const records = new Map<string, string>();
  for (const { bytes } of store?.recovered().records ?? []) {
    for (const { requestId, status, body } of decodeRecord(kernels, bytes).results) {
      if (!/^[mtf]/.test(requestId)) continue;
      if (status === SETTLED_STATUS) records.delete(requestId);
      else records.set(requestId, body);
    }
  }
  const all = { from: "", to: "\u{10ffff}", limit: Infinity, reverse: false };
  const rows = [...(store?.stateBlocks.values() ?? [])].flatMap(({ bytes }) => kernels.rowsOfBlock(BLOCK, bytes, all));
  return { records, blocks: rows.map(({ key }) => key).filter((key) => /^[mtf][0-9a-f]{31}$/.test(key)) };
}

describe("what has become of a message", () => {
  test.each([
    ["of another partition", 1],
    ["of the same partition", 2],
  ] as const)("%s is forgotten once its sender has forgotten it, and nothing of it is stored", async (_, to) => {
    const d = await Domain.up();
    const store = d.c.stores[to % 2];
    for (let round = 0; round < 5; round++) {
      await d.send(d.keys[to], 20);
      await d.send(d.keys[to], 5, "refuse");
      await d.c.settle();
      await d.fold((to % 2) as 0 | 1);
      expect(known(store).blocks).toEqual([]);
      // The next record says so of all.
      expect(known(store).records.size).toBe(0);
    }
    if (to === 1) expect(await d.n(1)).toBe(100);
  });

  test("is not kept with what its function returned", async () => {
    const d = await Domain.up();
    await d.send(d.keys[1], 1);
    await d.c.until("posted", 1, 0);
    expect([...known(d.c.stores[1]).records.values()]).toEqual([""]);
  });

  test("is needed until the sender has durably forgotten it", async () => {
    const d = await Domain.up();
    await d.send(d.keys[1], 1);
    await d.c.until("posted", 1, 0);
    d.c.log = [];
    await d.c.run();
    const told = d.c.log.indexOf("0>1 settled");
    expect(told).toBeGreaterThan(d.c.log.indexOf("0 record"));
    expect(d.c.log.indexOf("0 record")).toBeGreaterThan(d.c.log.indexOf("1>0 posted"));
  });

  test.each(["sender", "target", "both"])("is known when the %s is lost before the sender hears of it", async (who) => {
    const d = await Domain.up();
    await d.send(d.keys[1], 3);
    await d.c.until("posted", 1, 0);
    if (who !== "target") await d.c.restart(0);
    if (who !== "sender") await d.c.restart(1);
    await d.c.settle();
    expect(await d.n(1)).toBe(3);
    expect(d.c.node(0).status.outbox).toBe(0);
  });

  test("is known for long when the word that it is not needed is lost, also behind a fold", async () => {
    const d = await Domain.up();
    await d.send(d.keys[1], 3);
    await d.c.run(isOf("settled"));
    expect(d.c.net.filter(isOf("settled")).length).toBeGreaterThan(0);
    await d.c.restart(1);
    await d.c.settle();
    await d.fold(1);
    // Young, it goes from record to record.
    expect([known(d.c.stores[1]).records.size, known(d.c.stores[1]).blocks.length].some((left) => left > 0)).toBe(true);
    const left = known(d.c.stores[1]).records.size;
    d.c.clock += LIMITS.carryMs + 1_000;
    await d.fold(1);
    expect(known(d.c.stores[1])).toEqual({ records: new Map(), blocks: expect.any(Array) });
    expect(known(d.c.stores[1]).blocks).toHaveLength(left);
    expect(await d.n(1)).toBe(3);
  });

  test("stays while the domain stands still for a backup", async () => {
    const d = await Domain.up();
    await d.send(d.keys[1], 1);
    await d.c.run(isOf("settled"));
    await d.c.admin(1, { op: "freeze", id: "b" });
    await d.c.run();
    expect(known(d.c.stores[1]).records.size).toBe(1);
    await d.c.admin(1, { op: "thaw", id: "b", standstill: null });
    await d.fold(1);
    expect(known(d.c.stores[1]).records.size).toBe(1);
  });
});

test("above their bound messages wait with their senders, and what clients ask for goes on", async () => {
  Object.assign(limits, { carryMs: 0 });
  const d = await Domain.up();
  await d.send(d.keys[1], 3);
  await d.c.run(isOf("settled"));
  await d.c.restart(1);
  await d.c.settle();
  d.c.clock += 1_000;
  await d.fold(1);
  expect(known(d.c.stores[1]).blocks.length).toBeGreaterThan(0);
  const { maxMessageResultsBytes } = LIMITS;
  Object.assign(limits, { maxMessageResultsBytes: 1 });
  await d.send(d.keys[1], 2);
  await d.c.run();
  expect(d.c.node(0).status.outbox).toBe(2);
  expect(await (await d.ask(1, "pad"))()).toMatchObject({ status: 200 });
  Object.assign(limits, { maxMessageResultsBytes });
  await d.c.pass(LIMITS.repostMs);
  await d.c.settle();
  expect([await d.n(1), d.c.node(0).status.outbox]).toEqual([5, 0]);
});
