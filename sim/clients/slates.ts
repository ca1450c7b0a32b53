/** Clients that write to keys and clear them, and one key that is to be erased: beside the others, like those of clocks.ts. */
import { isDense } from "./dense.ts";
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import type { Ask, ClientPlan, Transaction } from "./transaction.ts";

/** Above the numbers of all others. */
const FIRST = 900_000;
const FIRST_SECRET = 950_000;
const CLIENTS = 3;
const ASKS = 12;
/** Of the key that is to be erased. */
const SECRETS = 6;
/** In all that is told to it. */
export const SECRET = "xylophone";

/** In a sixth of all seeds, and some more. */
export function hasSlates(seed: number): boolean {
  return isDense(seed) || isTold(seed) || createRandom(deriveSeed(seed, 25)).oneIn(6);
}

/** In these the key is told most of it by others, by messages that come just when it is erased. The first hundred are as they were. */
function isTold(seed: number): boolean {
  return seed > 100 && seed % 25 === 17;
}
const ABOUT_THEN_MS = 250;

export interface Slates {
  readonly keys: readonly string[];
  /** Nothing of it is to be left. */
  readonly secret: string;
}

/** Keys of no other service: those are not erased. */
export function drawSlateKeys(seed: number): Slates {
  const random = createRandom(deriveSeed(seed, 26));
  const name = (): string => `s${random.int(64)}`;
  return { keys: [...new Set([name(), name(), name()])], secret: `x${random.int(64)}` };
}

export function drawSlates(seed: number, { keys }: Slates): ClientPlan[] {
  let number = FIRST;
  return Array.from({ length: CLIENTS }, (_, client) => {
    const random = createRandom(deriveSeed(seed, 27, client));
    return Array.from({ length: ASKS }, () => [drawCall(random, keys, number++)]);
  });
}

/** Of one client, before the key is erased. */
export function drawSecrets(seed: number, { keys, secret }: Slates): ClientPlan {
  const random = createRandom(deriveSeed(seed, 28));
  const draw = isTold(seed) ? drawTold : drawSecret;
  return Array.from({ length: SECRETS }, (_, at) => [draw(random, keys, secret, FIRST_SECRET + at)]);
}

/** By a client's id, so that it is known in the end what became of it. */
function transaction(random: Random, number: number, ask: Ask): Transaction {
  return { number, snapshot: false, clientId: true, after: random.int(120), ask };
}

function drawCall(random: Random, keys: readonly string[], n: number): Transaction {
  const at = random.pick(keys);
  const beside = random.oneIn(2) ? random.pick(keys) : null;
  const name = random.pick(["write", "write", "write", "write", "wipe", "clear"] as const);
  const input = { n, text: "t".repeat(random.int(60)), pause: random.oneIn(3) ? random.int(20) : 0, beside };
  return transaction(random, n, { kind: "slate", at, name, input });
}

function drawTold(random: Random, keys: readonly string[], to: string, n: number): Transaction {
  const delay = random.int(ABOUT_THEN_MS);
  const input = { n, text: `${SECRET} ${n}`, pause: 0, beside: null, to, delay };
  return transaction(random, n, { kind: "slate", at: random.pick(keys), name: "later", input });
}

/** What is told to the key, by it, and for later, to and from other keys. */
function drawSecret(random: Random, keys: readonly string[], secret: string, n: number): Transaction {
  const written = { n, text: `${SECRET} ${n}`, pause: 0, beside: null };
  const draw = random.int(4);
  if (draw < 2) {
    const name = draw === 0 ? "write" : "wipe";
    return transaction(random, n, { kind: "slate", at: secret, name, input: written });
  }
  const [at, to] = draw === 2 ? [secret, random.pick(keys)] : [random.pick(keys), secret];
  // Later than anything else in a run; or about when the key is erased.
  const delay = to === secret && random.oneIn(2) ? random.int(800) : 3_600_000;
  const input = { ...written, to, delay };
  return transaction(random, n, { kind: "slate", at, name: "later", input });
}
