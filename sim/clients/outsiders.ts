/** Clients that ask for effects, and that touch what does not live long: beside the others, so that those do the same whether these are there or not. */
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { TTL_MS } from "./outside-service.ts";
import type { Ask, ClientPlan, Transaction } from "./transaction.ts";

/** Above the numbers of all others. */
const FIRST = 600_000;
const CLIENTS = 3;
const ASKS = 14;

/** In a third of all seeds. */
export function hasOutsiders(seed: number): boolean {
  return createRandom(deriveSeed(seed, 17)).oneIn(3);
}

export function drawOutsiders(seed: number, keys: readonly string[]): ClientPlan[] {
  let number = FIRST;
  return Array.from({ length: CLIENTS }, (_, client) => {
    const random = createRandom(deriveSeed(seed, 18, client));
    return Array.from({ length: ASKS }, () => [drawTransaction(random, keys, number++)]);
  });
}

function drawTransaction(random: Random, keys: readonly string[], number: number): Transaction {
  const at = random.pick(keys);
  const plain = { number, snapshot: false, clientId: !random.oneIn(4) };
  if (random.oneIn(2)) {
    // Around the time at which what was touched before expires.
    const after = random.oneIn(3) ? TTL_MS - 20 + random.int(60) : random.int(150);
    const ask: Ask = { kind: "touch", at: random.pick(keys.slice(0, 2)), n: number };
    return { ...plain, after, ask };
  }
  const how = random.oneIn(6) ? "try" : random.oneIn(8) ? "throw" : "return";
  const input = {
    n: number,
    failures: random.pick([0, 0, 1, 2, 5]),
    final: random.oneIn(8),
    to: random.pick(keys),
    how,
  };
  return { ...plain, after: random.int(150), ask: { kind: "effect", at, input } };
}
