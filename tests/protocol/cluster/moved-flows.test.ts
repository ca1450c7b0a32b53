/** What the window kernel keeps moves with the key group of its stream, whatever the present code makes of it. */
import { expect, test } from "vitest";
import { count, flow, int64, stream, sum, text, timestamp, tumbling } from "../../../sdk/index.ts";
import { Cluster, isOf } from "../support/cluster.ts";
import { deploy, ingest, viewOf } from "../support/cluster-events.ts";
import { nameOn } from "../support/names-on.ts";

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
