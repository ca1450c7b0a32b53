/** Asking the coordinator for the key-group map. */
import { exports } from "cloudflare:workers";
import type { KeyGroupMap } from "../protocol/keygroups/map.ts";
import type { CoordinatorRpc } from "./coordinator.ts";
import { COORDINATOR_NAME } from "./peers.ts";

export async function fetchMap(configured: number): Promise<KeyGroupMap> {
  const { Coordinator } = exports as unknown as { Coordinator: { getByName(name: string): CoordinatorRpc } };
  const answer = await Coordinator.getByName(COORDINATOR_NAME).keyGroupMap(configured);
  if ("refused" in answer) throw new Error(answer.refused);
  return answer.map;
}
