/** Clients that write and look at what lives only while it is used. */
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import type { ClientPlan, Transaction } from "./transaction.ts";
import { USE_MS, type UseName } from "./use-service.ts";

/** Above the numbers of clients that are always there. */
const FIRST = 30_000;
const CLIENTS = 3;
const ASKS = 14;
const KEYS = 2;

export function drawUses(seed: number, keys: readonly string[]): ClientPlan[] {
  let number = FIRST;
  return Array.from({ length: CLIENTS }, (_, client) => {
    const random = createRandom(deriveSeed(seed, 52, client));
    return Array.from({ length: ASKS }, () => [drawUse(random, keys, number++)]);
  });
}

/** By a client's id, so that it is known in the end what became of it. */
function drawUse(random: Random, keys: readonly string[], n: number): Transaction {
  const name = random.pick<UseName>(["touch", "touch", "look", "look", "peek", "peek", "refuse"]);
  // Around the time at which what was used before expires, or before that: then it goes on and on.
  const after = random.oneIn(3) ? USE_MS - 40 + random.int(80) : random.int(USE_MS / 2);
  const snapshot = name === "peek" && random.oneIn(4);
  const input = { n, pause: random.oneIn(4) ? random.int(120) : 0 };
  return {
    number: n,
    snapshot,
    clientId: true,
    after,
    ask: { kind: "use", at: random.pick(keys.slice(0, KEYS)), name, input },
  };
}
