/** Clients that start sagas, and others that settle what these wait for, cancel them and look at them: beside the others, like those of clocks.ts. */
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { EPOCH_MS } from "../world/object.ts";
import { FAILS_MS } from "./clocks.ts";
import type { Settling } from "./promise-service.ts";
import { type Tour, tourPromiseId } from "./tour-service.ts";
import type { Ask, ClientPlan, Transaction } from "./transaction.ts";

/** Above the numbers of all others. */
const FIRST = 800_000;
const TOURS = 10;
/** Clients that start them. */
const STARTERS = 2;

export function drawTours(seed: number, keys: readonly string[]): ClientPlan[] {
  let number = FIRST;
  const next = (): number => number++;
  const random = createRandom(deriveSeed(seed, 24));
  const starters: Transaction[][][] = Array.from({ length: STARTERS }, () => []);
  const events: Transaction[][] = [];
  const others: Transaction[][] = [];
  for (let at = 0; at < TOURS; at++) {
    const tour = drawTour(random, keys, next());
    const ask: Ask = { kind: "tour", at: random.pick(keys), input: tour };
    const client = starters[at % STARTERS] as Transaction[][];
    client.push([{ ...plain(random, tour.n), after: random.int(120), ask }]);
    events.push([drawEvent(random, tour, next())]);
    // Its own starter knows that it is there, another may come too soon or too late.
    const calls = Array.from({ length: random.int(3) }, () => [drawCall(random, tour, next())]);
    if (random.oneIn(2)) client.push(...calls);
    else others.push(...calls);
  }
  return [...starters, events, others];
}

function plain(random: Random, number: number): Omit<Transaction, "ask"> {
  return { number, snapshot: false, clientId: !random.oneIn(4), after: random.int(150) };
}

function drawTour(random: Random, keys: readonly string[], n: number): Tour {
  // Longer than a step is tried, perhaps.
  const flakyUntil = random.oneIn(4) ? EPOCH_MS + random.int(1_500) : 0;
  const stuckUntil = random.oneIn(4) ? EPOCH_MS + random.int(random.pick([1_000, FAILS_MS])) : 0;
  return {
    n,
    from: random.pick(keys),
    to: random.pick(keys),
    end: random.pick(["well", "well", "toll", "leave"]),
    flakyUntil,
    stuckUntil,
    deadline: random.pick([null, null, 80, 400]),
  };
}

/** What its promise waits for; too soon, now and then, or never. */
function drawEvent(random: Random, { n }: Tour, number: number): Transaction {
  const settling: Settling = random.oneIn(4) ? { ok: false, reason: "no" } : { ok: true, value: n };
  const after = 60 + random.int(280);
  return { ...plain(random, number), after, ask: { kind: "settle", id: tourPromiseId(n), input: settling } };
}

function drawCall(random: Random, { n }: Tour, number: number): Transaction {
  const name = random.pick(["cancel", "cancel", "status", "retry"] as const);
  const after = random.int(random.pick([40, 250]));
  const snapshot = name === "status" && random.oneIn(2);
  return { ...plain(random, number), after, snapshot, ask: { kind: "tour-run", n, name } };
}
