/** What storage still has of keys that are kept elsewhere, when the partition itself says that nothing is left (G6). */
import { Flows } from "../protocol/partition/flows.ts";
import { replay } from "../protocol/partition/recovery.ts";
import { garbageWrites } from "../protocol/moves/garbage.ts";
import { Ownership } from "../protocol/moves/ownership.ts";
import { Results } from "../protocol/results/results.ts";
import { Blocks } from "../protocol/state/blocks/blocks.ts";
import { History } from "../protocol/state/history.ts";
import { Layers } from "../protocol/state/layers.ts";
import { StateStore } from "../protocol/state/store.ts";
import type { Peer } from "../protocol/wire/messages.ts";
import type { MapStore } from "./map-store.ts";
import type { PartitionParts } from "./world/partition-object.ts";
import type { CoordinatorObject } from "./world/coordinator-object.ts";
import type { World } from "./world/world.ts";

const CACHE_BYTES = 1_000_000;

/** Looked at as the next instance of each would find it: what is durable, at rest. Each finding in words. */
export function findStrays({ coordinator, partitions }: World): string[] {
  const map = (coordinator as CoordinatorObject | undefined)?.map;
  if (!map) return [];
  return partitions.flatMap(({ isNew, disk, number, setup }) => {
    const keys = isNew ? [] : strayKeys(disk, number, { ...setup, map });
    if (keys.length === 0) return [];
    return [`P${number} has ${keys.length} keys of others and says that it has none: ${JSON.stringify(keys[0])}`];
  });
}

/** State keys of others in the storage of a partition that says that it has none. */
export function strayKeys(disk: MapStore, partition: Peer, parts: PartitionParts): string[] {
  if (disk.meta.get("garbage") === "1") return [];
  const { blocks, layers } = readStored(disk, parts);
  const kept = new Ownership(parts.kernels, partition, parts.map);
  return [...garbageWrites(blocks, layers.committed, kept, () => false)].flat().map(({ key }) => key);
}

/** What is durable of a partition, as its next instance would find it. */
export function readStored(disk: MapStore, { app, kernels }: PartitionParts): { blocks: Blocks; layers: Layers } {
  const recovered = disk.recovered();
  const blocks = new Blocks(kernels, disk, recovered.blocks, (error) => {
    throw error;
  });
  const layers = new Layers(new StateStore(blocks, CACHE_BYTES), new History());
  replay(kernels, recovered, { layers, results: new Results(blocks), flows: new Flows(app, kernels) });
  return { blocks, layers };
}
