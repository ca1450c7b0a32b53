/** Moves of key groups whose partners miss each other: what was acknowledged by an instance that has been replaced has reached nobody. */
import { expect, test } from "vitest";
import { Cluster, isOf } from "../support/cluster.ts";

test("a target that restarts is heard of by its source, though a replaced instance of that took its first word", async () => {
  const cluster = await Cluster.up(3, [], [], 2);
  const replaced = cluster.node(0);
  await cluster.restart(0);
  await cluster.run();
  cluster.coordinator.rescale(3);
  await cluster.turn();
  // Everything is copied, and the coordinator does not hear of it.
  await cluster.until("moved", 2);
  cluster.take(isOf("moved"));
  await cluster.restart(2);
  await cluster.until("era");
  await cluster.run((batch) => batch.from.peer === 2 && batch.to === 0);
  for (let strays = 0; strays < 2; strays++) {
    await cluster.stray(
      cluster.net.find(({ from, to }) => from === cluster.node(2) && to === 0)!,
      replaced,
    );
    await cluster.run((batch) => batch.from.peer === 2 && batch.to === 0);
  }
  for (let second = 0; second < 30; second++) {
    await cluster.run();
    await cluster.pass(1_000);
  }
  expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 3, phase: "still" });
});
