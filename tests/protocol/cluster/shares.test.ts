/** Shares of a flow's operator that are on one partition are called together, whatever partitions there are and what code they run. */
import { expect, test } from "vitest";
import { type KeyGroupMap, initialMap, partitionOfHash, rescaledMap } from "../../../protocol/keygroups/map.ts";
import { ingestFrame } from "../support/ingest-frame.ts";
import { INVOKE, INVOKE_FLAG } from "../../../protocol/wire/invoke.ts";
import type { CallMessage, Peer } from "../../../protocol/wire/messages.ts";
import { count, flow, stream, sum, text, timestamp, int64 } from "../../../sdk/index.ts";
import { Cluster } from "../support/cluster.ts";
import { kernels } from "../support/lone-partition.ts";

const Sales = stream("sales", { item: text(), price: int64(), at: timestamp() });
const totals = flow("totals")
  .from(Sales, { time: "at" })
  .keyBy("item")
  .aggregate({ n: count(), total: sum("price") })
  .toView("totals");
const ITEMS = Array.from({ length: 64 }, (_, n) => `item ${n}`);

const partitionOf = (map: KeyGroupMap, key: string): Peer => partitionOfHash(map, kernels.hashKey(key));

class Shop {
  readonly cluster: Cluster;
  map: KeyGroupMap;
  #ids = 0;
  readonly #prices = new Map<string, number[]>();

  private constructor(cluster: Cluster, map: KeyGroupMap) {
    this.cluster = cluster;
    this.map = map;
  }
  static async open(partitions: number, mapped: number | boolean = false): Promise<Shop> {
    const map = initialMap(typeof mapped === "number" ? mapped : partitions);
    const shop = new Shop(await Cluster.up(partitions, [], [totals], mapped), map);
    // Partitions that have not heard of each other do not know either what code the other runs.
    await shop.sell();
    return shop;
  }

  get home(): Peer {
    return partitionOf(this.map, Sales.name);
  }

  /** Sells one of each; returns what was called meanwhile, by the partition that was. */
  async sell(items: readonly string[] = ITEMS): Promise<Map<Peer, string[]>> {
    const calls = new Map<Peer, string[]>();
    const price = ++this.#ids;
    const events = items.map((item) => ({ item, price, at: price }));
    for (const item of items) this.#prices.set(item, [...(this.#prices.get(item) ?? []), price]);
    const frame = ingestFrame(this.cluster.app, Sales.name, price, events);
    const answer = await this.cluster.give(this.home, { kind: "ingest", frame });
    await this.cluster.run(({ to, messages }) => {
      const made = messages.filter((message): message is CallMessage => message.kind === "call");
      for (const { service, name, callId } of made) {
        const called = calls.get(to) ?? [];
        const line = `${service}.${name} ${callId}`;
        if (!called.includes(line)) calls.set(to, [...called, line]);
      }
      return false;
    });
    await this.cluster.settle();
    expect(answer()).toMatchObject([{ status: 200, body: `{"accepted":${items.length},"late":{"totals":0}}` }]);
    return new Map([...calls].map(([peer, lines]) => [peer, lines.map((line) => line.split(" ")[0] as string)]));
  }

  async expectTotals(): Promise<void> {
    const ask = JSON.stringify({ flow: "totals", view: "totals", limit: 1_000 });
    const flags = INVOKE_FLAG.clientId | INVOKE_FLAG.internal;
    const fields = [`c${(1_000 + ++this.#ids).toString(16).padStart(31, "0")}`, "#view", Sales.name, "view", ask];
    const frame = kernels.pack(INVOKE, { rows: 1, columns: [0, flags, 0, 0], fields });
    const answer = await this.cluster.give(this.home, { kind: "invoke", frame });
    await this.cluster.settle();
    const { rows } = JSON.parse(answer()?.[0]?.body ?? "") as { rows: Array<Record<string, unknown>> };
    const expected = [...this.#prices].map(([item, prices]) => ({
      item,
      n: prices.length,
      total: prices.reduce((a, b) => a + b),
    }));
    expect(rows.toSorted(byItem)).toEqual(expected.toSorted(byItem));
  }
}

const byItem = (a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): number =>
  String(a["item"]) < String(b["item"]) ? -1 : 1;

test("one call goes to each partition", async () => {
  const shop = await Shop.open(4);
  const others = [0, 1, 2, 3].filter((peer) => peer !== shop.home);
  for (let batch = 0; batch < 3; batch++) {
    const calls = await shop.sell();
    expect([...calls.keys()].toSorted()).toEqual(others);
    for (const lines of calls.values()) expect(lines).toEqual(["#shares.apply"]);
  }
  await shop.expectTotals();
});

test("a share that is alone on its partition is called as it is", async () => {
  const shop = await Shop.open(4);
  const calls = await shop.sell(ITEMS.slice(0, 1));
  for (const lines of calls.values()) expect(lines).toEqual(["#shard.apply"]);
  await shop.expectTotals();
});

test("shares that move apart are called apart", async () => {
  const shop = await Shop.open(3, 2);
  await shop.sell();
  shop.cluster.coordinator.rescale(3);
  await shop.cluster.turn();
  for (let second = 0; second < 30; second++) {
    await shop.cluster.run();
    await shop.cluster.pass(1_000);
  }
  expect(shop.cluster.coordinator.machine.rescaleStatus).toMatchObject({ phase: "still", partitions: 3 });
  shop.map = rescaledMap(initialMap(2), 3, 2);
  const calls = await shop.sell();
  expect(calls.size).toBe(2);
  for (const lines of calls.values()) expect(lines).toEqual(["#shares.apply"]);
  await shop.expectTotals();
});

test("where older code runs, each share is called by itself", async () => {
  const shop = await Shop.open(4);
  const [older = 0, ...newer] = [0, 1, 2, 3].filter((peer) => peer !== shop.home);
  shop.cluster.node(shop.home).engine.machine.formats.heard(older, 2);
  const calls = await shop.sell();
  expect(calls.get(older)?.length).toBeGreaterThan(1);
  expect(new Set(calls.get(older))).toEqual(new Set(["#shard.apply"]));
  for (const peer of newer) expect(calls.get(peer)).toEqual(["#shares.apply"]);
  await shop.expectTotals();
});

test("after a partition has lost its memory they go on from what is stored", async () => {
  const shop = await Shop.open(4);
  await shop.sell();
  for (const peer of [0, 1, 2, 3]) {
    await shop.cluster.restart(peer);
    await shop.cluster.settle();
    await shop.sell();
  }
  await shop.expectTotals();
});
