/** Clients that send messages for later from outside, or are told the ids of others', and cancel them over HTTP; and messages that end whoever runs them. */
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { EPOCH_MS } from "../world/object.ts";
import type { Later } from "./clock-service.ts";
import { OUTSIDE } from "./clocks.ts";
import type { ClientPlan, Transaction } from "./transaction.ts";

/** Above the numbers of clients that are always there. */
const FIRST = 40_000;
const CLIENTS = 3;
const MESSAGES = 5;
const FIRST_DEADLY = 50_000;
const DEADLY = 2;
/** Nothing ends who runs it later than this after the beginning. */
const DEADLY_MS = 1_500;

export function drawCancels(seed: number, keys: readonly string[]): ClientPlan[] {
  let number = FIRST;
  const next = (): number => number++;
  return Array.from({ length: CLIENTS }, (_, client) => {
    const random = createRandom(deriveSeed(seed, 53, client));
    return Array.from({ length: MESSAGES }, () => drawMessage(random, keys, next)).flat();
  });
}

/** Who knows a message, and what cancels it before its time, around it, or behind that; some twice. */
function drawMessage(random: Random, keys: readonly string[], next: () => number): Transaction[][] {
  const at = random.pick(keys);
  const plain = { snapshot: false, clientId: !random.oneIn(4), after: random.int(100) };
  const delay = random.pick([30, 200, 600, 1_200]) + random.int(60);
  const number = next();
  const own = random.oneIn(3);
  const known: Transaction = own
    ? { ...plain, number, ask: { kind: "clock", at, name: "give", input: 1 + random.int(3) } }
    : {
        ...plain,
        number,
        oneWay: true,
        delay,
        ask: { kind: "clock", at, name: "ring", input: { from: OUTSIDE, n: number, due: 0 } },
      };
  const cancel = (after: number): Transaction[] => [
    { number: next(), snapshot: false, clientId: !random.oneIn(4), after, ask: { kind: "cancel", of: number } },
  ];
  const about = Math.max(0, random.pick([0, delay - 40, delay + 30]) + random.int(40));
  return [[known], cancel(about), ...(random.oneIn(4) ? [cancel(random.int(60))] : [])];
}

export function drawDeadly(seed: number, keys: readonly string[]): ClientPlan[] {
  const random = createRandom(deriveSeed(seed, 54));
  const asks = Array.from({ length: DEADLY }, (_, at): Transaction[] => {
    const deadlyUntil = EPOCH_MS + random.int(DEADLY_MS);
    const input: Later = { to: random.pick(keys), delay: random.int(300), count: 1, undo: false, deadlyUntil };
    const ask = { kind: "clock", at: random.pick(keys), name: "later", input } as const;
    return [{ number: FIRST_DEADLY + at, snapshot: false, clientId: true, after: random.int(600), ask }];
  });
  return [asks];
}
