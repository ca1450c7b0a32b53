/** Clients that send messages for later and cancel some: beside the others, so that those do the same whether these are there or not. */
import { isDense } from "./dense.ts";
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { EPOCH_MS } from "../world/object.ts";
import type { Ask, ClientPlan, Transaction } from "./transaction.ts";

/** Who has sent what came by `POST …/send`. */
export const OUTSIDE = "outside";

/** Above the numbers of all others. */
const FIRST = 500_000;
const CLIENTS = 3;
const ASKS = 14;
const DELAYS = [0, 5, 60, 250, 800, 2_500] as const;
const SPREAD_MS = 30;
/** No message is sent for later than this by the clock of whoever keeps it. */
export const LONGEST_DELAY_MS = Math.max(...DELAYS) + SPREAD_MS;
/** Nothing fails later than this after the beginning. */
export const FAILS_MS = 8_000;

/** In a third of all seeds. */
export function hasClocks(seed: number): boolean {
  return isDense(seed) || createRandom(deriveSeed(seed, 15)).oneIn(3);
}

export function drawClocks(seed: number, keys: readonly string[]): ClientPlan[] {
  let number = FIRST;
  return Array.from({ length: CLIENTS }, (_, client) => {
    const random = createRandom(deriveSeed(seed, 12, client));
    return Array.from({ length: ASKS }, () => [drawTransaction(random, keys, number++)]);
  });
}

function drawTransaction(random: Random, keys: readonly string[], number: number): Transaction {
  const at = random.pick(keys);
  const plain = { number, snapshot: false, clientId: !random.oneIn(4), after: random.int(150) };
  const delay = delayOf(random);
  const draw = random.int(10);
  const failing = random.oneIn(4) ? { failUntil: EPOCH_MS + random.int(FAILS_MS) } : {};
  if (draw === 0) {
    const ask: Ask = { kind: "clock", at, name: "ring", input: { from: OUTSIDE, n: number, due: 0, ...failing } };
    return { ...plain, ask, oneWay: true, delay };
  }
  if (draw < 6) {
    const input = { to: random.pick(keys), delay, count: 1 + random.int(3), undo: random.oneIn(4) };
    return { ...plain, ask: { kind: "clock", at, name: "later", input: { ...input, ...failing } } };
  }
  const input = { from: random.pick(keys), nth: 1 + random.int(3) };
  return { ...plain, ask: { kind: "clock", at, name: "drop", input } };
}

/** Some fire while everything goes wrong, some after that. */
function delayOf(random: Random): number {
  return random.pick(DELAYS) + random.int(SPREAD_MS);
}
