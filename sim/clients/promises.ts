/** Clients whose transactions make promises, and others that settle them and look at them: beside the others, like those of clocks.ts. */
import { isDense } from "./dense.ts";
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import type { Settling } from "./promise-service.ts";
import type { Ask, ClientPlan, Transaction } from "./transaction.ts";

/** Above the numbers of all others. */
const FIRST = 700_000;
const MAKERS = 2;
const MADE = 6;
const EVENTS = 3;
const ASKS = 10;

/** In a third of all seeds. */
export function hasPromises(seed: number): boolean {
  return isDense(seed) || createRandom(deriveSeed(seed, 21)).oneIn(3);
}

export function drawPromises(seed: number, keys: readonly string[]): ClientPlan[] {
  let number = FIRST;
  const next = (): number => number++;
  const ids: string[] = [];
  const makers = Array.from({ length: MAKERS }, (_, client) => {
    const random = createRandom(deriveSeed(seed, 22, client));
    return Array.from({ length: MADE }, () => drawMaking(random, keys, ids, next)).flat();
  });
  const events = Array.from({ length: EVENTS }, (_, client) => {
    const random = createRandom(deriveSeed(seed, 23, client));
    return Array.from({ length: ASKS }, (__, at) => [drawEvent(random, idAbout(random, ids, at), next())]);
  });
  return [...makers, ...events];
}

/** One that is made about when this client is so far. */
function idAbout(random: Random, ids: readonly string[], at: number): string {
  const about = Math.floor(((at + random.next() * 2) / (ASKS + 5)) * ids.length);
  return ids[Math.min(about, ids.length - 1)] as string;
}

/** A promise; its maker settles some itself, right behind. Now and then it wants an id that another has, or had. */
function drawMaking(random: Random, keys: readonly string[], ids: string[], next: () => number): Transaction[][] {
  const n = next();
  const id = random.oneIn(8) && ids.length > 0 ? random.pick(ids) : `p${n}`;
  ids.push(id);
  const how = random.oneIn(6) ? "try" : random.oneIn(8) ? "throw" : "return";
  const deadline = random.pick([null, 40, 150, 400, 900]);
  const ask: Ask = { kind: "park", at: random.pick(keys), id, input: { n, id, to: random.pick(keys), deadline, how } };
  const made = { number: n, snapshot: false, clientId: !random.oneIn(4), after: random.int(200), ask };
  const around = deadline === null ? random.int(100) : Math.max(0, deadline - 60 + random.int(120));
  if (random.oneIn(2)) return [[made]];
  return [[made], [{ ...drawEvent(random, id, next()), after: random.oneIn(2) ? around : random.int(60) }]];
}

function drawEvent(random: Random, id: string, number: number): Transaction {
  const plain = { number, clientId: !random.oneIn(4), after: random.int(150), snapshot: false };
  if (random.oneIn(4)) return { ...plain, snapshot: random.oneIn(2), ask: { kind: "promise", id } };
  return { ...plain, ask: { kind: "settle", id, input: drawSettling(random, id, number) } };
}

/** Some say the same, some what nobody may say. */
function drawSettling(random: Random, id: string, number: number): Settling {
  const draw = random.int(12);
  if (draw === 0) return { ok: true, value: -1 };
  if (draw < 4) return { ok: false, reason: draw === 1 ? "no" : `no ${number}` };
  return { ok: true, value: draw < 8 ? Number(id.slice(1)) : number };
}
