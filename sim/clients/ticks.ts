/** Clients that make schedules, change them and end them. */
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import type { Arranging, Ending } from "./tick-service.ts";
import type { Ask, ClientPlan, Transaction } from "./transaction.ts";

/** Above the numbers of clients that are always there. */
const FIRST = 20_000;
const CLIENTS = 2;
const ASKS = 10;
/** Few, so that they are changed. */
const KEEPERS = 2;
const NAMES = ["one", "two"] as const;

export function drawTicks(seed: number, keys: readonly string[]): ClientPlan[] {
  let number = FIRST;
  return Array.from({ length: CLIENTS }, (_, client) => {
    const random = createRandom(deriveSeed(seed, 51, client));
    return Array.from({ length: ASKS }, () => [drawAsk(random, keys, number++)]);
  });
}

function drawAsk(random: Random, keys: readonly string[], n: number): Transaction {
  const at = random.pick(keys.slice(0, KEEPERS));
  const name = random.pick(NAMES);
  const plain = { number: n, snapshot: false, clientId: !random.oneIn(4), after: random.int(300) };
  if (random.oneIn(4)) return { ...plain, ask: { kind: "tick", at, name: "end", input: { name } } };
  const how = random.oneIn(8) ? "try" : random.oneIn(8) ? "throw" : "return";
  const input: Arranging = { n, name, to: random.pick(keys), every: random.pick([1, 1, 2, 3]), how };
  return { ...plain, ask: { kind: "tick", at, name: "arrange", input } };
}

/** What ends all of them. */
export function endings(keys: readonly string[]): Ask[] {
  return keys
    .slice(0, KEEPERS)
    .flatMap((at) => NAMES.map((name): Ask => ({ kind: "tick", at, name: "end", input: { name } satisfies Ending })));
}
