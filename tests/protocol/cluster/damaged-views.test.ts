/** Stored windows of a view that cannot be read: what reads them fails, and nothing else does. */
import { expect, test } from "vitest";
import { CorruptError } from "../../../core-wasm/types.ts";
import { groupOfHash, initialMap, movesBetween, rescaledMap } from "../../../protocol/keygroups/map.ts";
import { count, flow, stream, text, timestamp, tumbling } from "../../../sdk/index.ts";
import { add } from "../../workerd/support/steps.ts";
import { Cluster } from "../support/cluster.ts";
import { kernels } from "../support/lone-partition.ts";

/** Goes from partition 0 to 2 when two partitions become three. */
const NAME = nameOfMoved(0, 2);
const Clicks = stream(NAME, { page: text(), at: timestamp() });
const clicks = flow("clicks")
  .from(Clicks, { time: "at" })
  .keyBy("page")
  .window(tumbling("1h"))
  .aggregate({ n: count() })
  .toView("clicks");

function nameOfMoved(from: number, to: number): string {
  const map = initialMap(2);
  const groups = movesBetween(map, rescaledMap(map, 3, 2))
    .get(from)
    ?.get(to);
  for (let n = 0; ; n++) if (groups?.has(groupOfHash(kernels.hashKey(`clicks${n}`)))) return `clicks${n}`;
}

async function damaged(): Promise<Cluster> {
  const cluster = await Cluster.up(3, [], [clicks], 2);
  // As the store of a partition does where a stored text or a page of SQLite is not what was written.
  cluster.stores[0]!.viewBlocks = () => {
    throw new CorruptError("checksum", "what is stored as clicks");
  };
  return cluster;
}

test("a request for the view is answered with an error, and the partition goes on", async () => {
  const cluster = await damaged();
  const query = { view: "clicks", key: undefined, limit: 10, after: undefined };
  const view = await cluster.give(0, { kind: "view", query });
  expect(view()).toMatchObject([{ status: 500 }]);
  expect(view()?.[0]?.body).toContain("damaged-data");
});

test("they are not moved, and their partition goes on all the same", async () => {
  const cluster = await damaged();
  cluster.coordinator.rescale(3);
  await cluster.turn();
  for (let second = 0; second < 5; second++) {
    await cluster.run();
    await cluster.pass(1_000);
  }
  expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ phase: "copying", partitions: 2 });
  const moved = initialMap(2);
  for (let n = 0; ; n++) {
    const key = `k${n}`;
    if (moved.groups[groupOfHash(kernels.hashKey(key))] !== 0) continue;
    // By the cluster's own reckoning of places this key must be at 0, too.
    if (cluster.partitionOf(["pa", key]) !== 0) continue;
    expect((await cluster.ask(["pa", key], [add(1)])).answer?.status).toBe(200);
    return;
  }
});
