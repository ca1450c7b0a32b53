/** Asks again for what was answered already, under the same id: the ledger compares the answers. */
import { type KeyGroupMap, partitionOfHash } from "../../protocol/keygroups/map.ts";
import { OUTSIDE } from "../world/network.ts";
import { answersOf, carriedBy } from "./carried.ts";
import type { ClientSetup } from "./client.ts";
import type { Request } from "./ledger.ts";

const AGAIN_MS = 300;

/** @returns false when some are not answered in time */
export async function repeat(setup: ClientSetup, requests: readonly Request[], limitMs: number): Promise<boolean> {
  const { world } = setup;
  const open = new Set(requests);
  const send = (): void => {
    const map = setup.map();
    for (const request of open) ask(setup, map, request, () => open.delete(request));
    if (open.size > 0) world.scheduler.in(AGAIN_MS, send);
  };
  send();
  return world.run(() => open.size === 0, world.scheduler.now + limitMs);
}

function ask({ world, kernels, ledger }: ClientSetup, map: KeyGroupMap, request: Request, done: () => void): void {
  const partition = partitionOfHash(map, kernels.hashKey(request.row.at[1]));
  for (const { input } of carriedBy(kernels, [request])) {
    world.network.carry(OUTSIDE, partition, () =>
      world.partitions[partition]?.routeAsk(input, (body) => {
        const [answer] = answersOf(kernels, body);
        if (!answer || answer.staleMap || answer.status === BUSY) return;
        world.network.carry(partition, OUTSIDE, () => {
          ledger.answered(request, answer);
          done();
        });
      }),
    );
  }
}
const BUSY = 503;
