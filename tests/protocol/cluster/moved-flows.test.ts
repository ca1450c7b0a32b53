/** What the window kernel keeps moves with the key group of its stream, whatever the present code makes of it. */
import { describe, expect, test } from "vitest";
import { count, flow, int64, stream, sum, text, timestamp, tumbling } from "../../../sdk/index.ts";
import { Cluster, isOf } from "../support/cluster.ts";
import { deploy, ingest, viewOf } from "../support/cluster-events.ts";
import { nameOn } from "../support/names-on.ts";
import { initialMap, partitionOfHash, rescaledMap } from "../../../protocol/keygroups/map.ts";
import { useLimits } from "../../support/limits.ts";
import { kernels } from "../support/lone-partition.ts";

const Taps = stream(nameOn(1, 2, "taps"), { item: text(), amount: int64(), at: timestamp() });
const taps = (drops: string[] = []) =>
  flow("taps", { drops }).from(Taps, { time: "at" }).keyBy("item").window(tumbling(10));
const counted = taps().aggregate({ n: count() }).toView("taps");
const summed = taps(["aggregate-1"])
  .aggregate({ n: count(), total: sum("amount") })
  .toView("taps");
/** Reads the stream too: then operators run both, and the first refuses events since its state would be lost. */
const other = flow("other").from(Taps, { time: "at" }).toView("other", { key: "item" });

/** With a closed window and an open one. */
async function filled(): Promise<{ cluster: Cluster; take(at: number): Promise<void> }> {
  const cluster = await Cluster.up(2, [], [counted], 2);
  let batch = 0;
  const take = async (at: number): Promise<void> => {
    const answered = await ingest(cluster, 1, Taps.name, ++batch, [{ item: "a", amount: 5, at }]);
    expect(answered()).toBe(200);
  };
  for (const at of [1, 2, 12]) await take(at);
  await cluster.settle();
  return { cluster, take };
}

async function shrink(cluster: Cluster): Promise<void> {
  cluster.coordinator.rescale(1);
  await cluster.turn();
}

test.each([
  ["refuses events", [counted, other]],
  ["is not in the code", []],
])("a flow that %s meanwhile moves, and earlier code goes on with it", async (_, meanwhile) => {
  const { cluster } = await filled();
  const before = await viewOf(cluster, 1, "taps");
  await deploy(cluster, meanwhile, [0, 1]);
  await shrink(cluster);
  await cluster.settle();
  expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 1, phase: "still" });
  await deploy(cluster, [counted], [0, 1]);
  expect(await viewOf(cluster, 0, "taps")).toEqual(before);
});

test.each([0, 1])("it moves likewise when partition %i is lost when nearly all is copied", async (lost) => {
  const { cluster } = await filled();
  const before = await viewOf(cluster, 1, "taps");
  await deploy(cluster, [], [0, 1]);
  await shrink(cluster);
  await cluster.until("moved", 0);
  await cluster.restart(lost);
  await cluster.settle();
  expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 1, phase: "still" });
  await deploy(cluster, [counted], [0, 1]);
  expect(await viewOf(cluster, 0, "taps")).toEqual(before);
});

test("closed windows that are dropped while they are copied are not shown where they went", async () => {
  const { cluster, take } = await filled();
  await deploy(cluster, [summed], [0, 1]);
  await shrink(cluster);
  await cluster.until("moved", 0);
  await take(16);
  await cluster.run(isOf("moved", 0));
  const before = await viewOf(cluster, 1, "taps");
  await cluster.settle();
  expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 1, phase: "still" });
  expect(await viewOf(cluster, 0, "taps")).toEqual(before);
});

describe("of a flow whose stream has moved away", () => {
  useLimits({ maxWindowBytes: 40_000 });
  const next = rescaledMap(initialMap(1), 2);
  /** A stream that partition 0 of one keeps, and of two this one. */
  const streamOn = (peer: number) => {
    const names = Array.from({ length: 50 }, (_, n) => `s${n}`);
    const name = names.find((each) => partitionOfHash(next, kernels.hashKey(each)) === peer);
    return stream(name!, { item: text(), at: timestamp() });
  };
  const [Goes, Stays] = [streamOn(1), streamOn(0)];
  const counts = (name: string, from: typeof Goes) =>
    flow(name).from(from, { time: "at" }).keyBy("item").window(tumbling(1_000)).aggregate({ n: count() }).toView(name);
  const flows = [counts("goes", Goes), counts("stays", Stays)];
  let ids = 0;
  const take = async (cluster: Cluster, peer: number, { name }: typeof Goes, events: readonly object[]) => {
    const answered = await ingest(cluster, peer, name, ++ids, events);
    await cluster.settle();
    return answered();
  };
  /** Gives it batches of other groups until it is refused one. Returns how many it has taken. */
  const fill = async (cluster: Cluster, of: typeof Goes): Promise<number> => {
    for (let batch = 0; ; batch++) {
      const events = Array.from({ length: 50 }, (_, n) => ({ item: `item-${batch}-${n}`, at: 5_000_000 }));
      if ((await take(cluster, 0, of, events)) !== 200) return batch;
    }
  };
  const rescale = async (cluster: Cluster, partitions: number): Promise<void> => {
    cluster.coordinator.rescale(partitions);
    await cluster.turn();
    await cluster.settle();
    expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ partitions, phase: "still" });
  };

  test.each(["", "a restart", "a restart when it was folded", "a restart with code that has it not"])(
    "nothing is left, and others have its room: %s",
    async (between) => {
      const fresh = await fill(await Cluster.up(2, [], flows, 1), Stays);
      const cluster = await Cluster.up(2, [], flows, 1);
      await take(cluster, 0, Goes, [{ item: "closed", at: 1 }]);
      expect(await fill(cluster, Goes)).toBeGreaterThan(2);
      if (between === "a restart with code that has it not") await deploy(cluster, [counts("stays", Stays)], [0, 1]);
      await rescale(cluster, 2);
      if (between === "a restart when it was folded") {
        await cluster.admin(0, { op: "erase", service: "nobody", key: "nobody" });
        await cluster.fold(0);
        expect(Number(cluster.stores[0]!.meta.get("folded"))).toBeGreaterThan(2);
      }
      if (between !== "") await deploy(cluster, flows, [0, 1]);
      expect(cluster.stores[0]!.viewBlocks("goes")).toEqual([]);
      expect(await fill(cluster, Stays)).toBe(fresh);
      const moved = await viewOf(cluster, 1, "goes");
      expect(moved).toContain("closed");
      // It comes back as it is there by then.
      expect(await take(cluster, 1, Goes, [{ item: "there", at: 5_000_000 }])).toBe(200);
      const there = await viewOf(cluster, 1, "goes");
      expect(there).not.toEqual(moved);
      await rescale(cluster, 1);
      expect(await viewOf(cluster, 0, "goes")).toEqual(there);
      expect(cluster.stores[1]!.viewBlocks("goes")).toEqual([]);
      await cluster.restart(0);
      await cluster.settle();
      expect(await viewOf(cluster, 0, "goes")).toEqual(there);
    },
  );
});
