/** Clients that ask for effects, and that touch what does not live long: beside the others, so that those do the same whether these are there or not. */
import { isDense } from "./dense.ts";
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { type TripEnd, TTL_MS } from "./outside-service.ts";
import type { Ask, ClientPlan, Transaction } from "./transaction.ts";

/** Above the numbers of all others. */
const FIRST = 600_000;
const CLIENTS = 3;
const ASKS = 14;
/** Sagas are started by one client of its own. */
const TRIPS = 8;

/** In a third of all seeds. */
export function hasOutsiders(seed: number): boolean {
  return isDense(seed) || createRandom(deriveSeed(seed, 17)).oneIn(3);
}

export function drawOutsiders(seed: number, keys: readonly string[]): ClientPlan[] {
  let number = FIRST;
  const trips = createRandom(deriveSeed(seed, 19));
  const sagas = Array.from({ length: TRIPS }, () => [drawTrip(trips, keys, number++)]);
  const others = Array.from({ length: CLIENTS }, (_, client) => {
    const random = createRandom(deriveSeed(seed, 18, client));
    return Array.from({ length: ASKS }, () => [drawTransaction(random, keys, number++)]);
  });
  return [...others, sagas];
}

function drawTrip(random: Random, keys: readonly string[], number: number): Transaction {
  const end: TripEnd = random.pick(["well", "well", "book", "pay", "go"]);
  const input = { n: number, from: random.pick(keys), to: random.pick(keys), end };
  const ask: Ask = { kind: "trip", at: random.pick(keys), input };
  return { number, snapshot: false, clientId: !random.oneIn(4), after: random.int(200), ask };
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
