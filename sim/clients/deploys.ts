/** Clients of a service that is deployed anew meanwhile, and when it is. */
import { createRandom } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import type { ClientPlan, Transaction } from "./transaction.ts";

/** Above the numbers of clients that are always there. */
const FIRST = 45_000;
const ASKS = 16;
/** For so long some instances begin with the code before; ms. */
export const ROLLOUT_MS = 400;

/** When each of the next two versions is deployed, ms. */
export function drawDeploys(seed: number): readonly [number, number] {
  const random = createRandom(deriveSeed(seed, 60));
  return [100 + random.int(700), 1_000 + random.int(1_200)];
}

/** By a client's id: what is answered with a failure may come through all the same. */
export function drawAdding(seed: number, keys: readonly string[]): ClientPlan {
  const random = createRandom(deriveSeed(seed, 61));
  return Array.from({ length: ASKS }, (_, at): Transaction[] => {
    const number = FIRST + at;
    const ask = { kind: "add", at: random.pick(keys), n: number } as const;
    return [{ number, snapshot: false, clientId: true, after: random.int(250), ask }];
  });
}
