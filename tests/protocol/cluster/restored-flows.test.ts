/** What the window kernel keeps comes from another domain's log with a backup, and goes on in that of the domain that it is restored into. */
import { beforeEach, expect, test } from "vitest";
import { count, flow, int64, stream, sum, text, timestamp, tumbling } from "../../../sdk/index.ts";
import { backedUp, restoreInto } from "../support/backup-driver.ts";
import { Cluster } from "../support/cluster.ts";
import { ingest, viewOf } from "../support/cluster-events.ts";

const Reading = stream("readings", { meter: text(), value: int64(), at: timestamp() });
const perTen = flow("per-ten")
  .from(Reading, { time: "at" })
  .keyBy("meter")
  .window(tumbling(10))
  .aggregate({ n: count(), total: sum("value") })
  .toView("per-ten");

let cluster: Cluster;
let batches = 0;
async function take(at: number): Promise<void> {
  const answered = await ingest(cluster, 0, Reading.name, ++batches, [{ meter: "a", value: 1, at }]);
  expect(answered()).toBe(200);
}

/** Its log had far more records than that of the domain that it is restored into. */
beforeEach(async () => {
  cluster = await Cluster.up(1, [], [perTen]);
  for (let at = 1; at <= 30; at++) await take(at);
  const backup = await backedUp(cluster, 1);
  const before = await viewOf(cluster, 0, "per-ten");
  cluster = await Cluster.up(1, [], [perTen]);
  await restoreInto(cluster, backup);
  expect(await viewOf(cluster, 0, "per-ten")).toEqual(before);
});

test("events that come behind a restore are there after a restart", async () => {
  await take(31);
  const shown = await viewOf(cluster, 0, "per-ten");
  await cluster.restart(0);
  await cluster.settle();
  expect(await viewOf(cluster, 0, "per-ten")).toEqual(shown);
});

test("windows that have closed behind a restore are not closed again after a restart", async () => {
  await take(45);
  await cluster.restart(0);
  await cluster.settle();
  await take(55);
  expect(cluster.failure).toBeUndefined();
});
