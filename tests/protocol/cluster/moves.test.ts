/** Moves of key groups whose partners miss each other: what was acknowledged by an instance that has been replaced has reached nobody. */
import { expect, test } from "vitest";
import type { Peer } from "../../../protocol/wire/messages.ts";
import { Cluster, isOf } from "../support/cluster.ts";

/** Partition 2 comes, of which both others are sources. */
test("a target that restarts is heard of by its source, though a replaced instance of that took its first word", () =>
  movesThough({ restarts: 2, hears: 0 }));

test("a source that restarts is heard of by a target that has copied, though a replaced instance of that took its first word", () =>
  movesThough({ restarts: 0, hears: 2 }));

/** One partner restarts in the middle of a move; what it first says to the other is heard by an instance that was replaced before. */
async function movesThough({ restarts, hears }: { restarts: Peer; hears: Peer }): Promise<void> {
  const cluster = await Cluster.up(3, [], [], 2);
  const replaced = cluster.node(hears);
  await cluster.restart(hears);
  await cluster.run();
  cluster.coordinator.rescale(3);
  await cluster.turn();
  // Everything is copied, and the coordinator does not hear of it.
  await cluster.until("moved", 2);
  cluster.take(isOf("moved"));
  await cluster.restart(restarts);
  await cluster.until("era");
  await cluster.run((batch) => batch.from.peer === restarts && batch.to === hears);
  for (let strays = 0; strays < 2; strays++) {
    await cluster.stray(
      cluster.net.find(({ from, to }) => from === cluster.node(restarts) && to === hears)!,
      replaced,
    );
    await cluster.run((batch) => batch.from.peer === restarts && batch.to === hears);
  }
  for (let second = 0; second < 30; second++) {
    await cluster.run();
    await cluster.pass(1_000);
  }
  expect(cluster.coordinator.machine.rescaleStatus).toMatchObject({ partitions: 3, phase: "still" });
}
