/** Which services have dead letters, at rest: an operator asks for their lists. Deadly messages take innocent ones of any service along. */
import { STREAM } from "../protocol/flows/internal.ts";
import { DEAD } from "../protocol/outbox/dead-letter.ts";
import { entityKey } from "../protocol/state/state-key.ts";
import { readStored } from "./strays.ts";
import type { World } from "./world/world.ts";

export function servicesWithLetters({ partitions }: World): string[] {
  const found = new Set<string>();
  for (const { isNew, disk, setup } of partitions) {
    if (isNew) continue;
    const { committed } = readStored(disk, setup).layers;
    for (const service of [...setup.app.services.keys(), ...setup.app.builtins.keys(), STREAM]) {
      const list = entityKey(DEAD, service);
      if (committed.get(list, list) !== null) found.add(service);
    }
  }
  return [...found];
}
