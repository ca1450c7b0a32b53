/** Names that a partition keeps. */
import { initialMap, partitionOfHash } from "../../../protocol/keygroups/map.ts";
import type { Peer } from "../../../protocol/wire/messages.ts";
import { kernels } from "./kernels.ts";

/** A name with this prefix that a partition keeps, of so many: the first, or another by its number. */
export function nameOn(peer: Peer, partitions: number, prefix: string, number = 0): string {
  const map = initialMap(partitions);
  for (let n = 0, found = 0; ; n++) {
    const name = `${prefix}${n}`;
    if (partitionOfHash(map, kernels.hashKey(name)) === peer && found++ === number) return name;
  }
}
