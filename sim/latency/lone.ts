/** How long one request takes that nothing else is in the way of, and what it waits for. */
import type { Kernels } from "../../core-wasm/types.ts";
import type { Ask } from "../clients/transaction.ts";
import { Model, TIMING, type Timing } from "./model.ts";

export interface Lone {
  readonly what: string;
  /** It is the lone transaction across partitions that a target is set for. */
  readonly isTransfer: boolean;
  /** From the edge's sending to the answer there. */
  readonly ms: number;
  /** Messages one way, and confirmations of storage, that follow each other on the longest path. */
  readonly messages: number;
  readonly confirmations: number;
}

interface Case {
  readonly what: string;
  readonly ask: (home: readonly string[], far: readonly string[]) => Ask;
  readonly snapshot?: boolean;
  /** ms since the request before. */
  readonly idleMs: number;
}

/** Everybody has left the epoch by then, and what a snapshot may show is stale. */
const IDLE_MS = 3_000;

const transfer = (from: string, to: string): Ask => ({ kind: "transfer", from, to, amount: 1, pause: 0 });
const FAR = "transfer between two partitions";
const CASES: readonly Case[] = [
  { what: "local transfer", ask: ([a, b]) => transfer(a as string, b as string), idleMs: IDLE_MS },
  { what: FAR, ask: ([a], [b]) => transfer(a as string, b as string), idleMs: IDLE_MS },
  { what: "query over two partitions", ask: auditOf, idleMs: IDLE_MS },
  { what: "snapshot over two partitions", ask: auditOf, snapshot: true, idleMs: 500 },
  { what: "snapshot over two partitions, stale", ask: auditOf, snapshot: true, idleMs: IDLE_MS },
];

function auditOf([a]: readonly string[], [b]: readonly string[]): Ask {
  return { kind: "audit", at: a as string, accounts: [a as string, b as string] };
}

export async function measureLone(kernels: Kernels): Promise<Lone[]> {
  const measured: Lone[] = [];
  for (const each of CASES) measured.push(await measureOne(kernels, each));
  return measured;
}

/** So little more that it changes how long a path takes and not which is the longest. */
const MORE = 1 / 1024;

/** How often a path has a step shows in how much later it ends when each of these steps takes a little longer. */
async function measureOne(kernels: Kernels, one: Case): Promise<Lone> {
  const time = (timing: Timing) => timeOf(kernels, one, timing);
  const ms = await time(TIMING);
  const messages = ((await time({ ...TIMING, messageMs: TIMING.messageMs + MORE })) - ms) / MORE;
  const confirmations = ((await time({ ...TIMING, confirmMs: TIMING.confirmMs + MORE })) - ms) / MORE;
  return {
    what: one.what,
    isTransfer: one.what === FAR,
    ms,
    messages: Math.round(messages),
    confirmations: Math.round(confirmations),
  };
}

async function timeOf(kernels: Kernels, { ask, snapshot = false, idleMs }: Case, timing: Timing): Promise<number> {
  const model = new Model(kernels, 2, timing);
  const [home, far] = [model.accountsOf(0, 2), model.accountsOf(1, 1)];
  await model.pass(500);
  // Warm: everybody has met everybody.
  await answerTime(model, transfer(home[0] as string, far[0] as string), false);
  await model.pass(idleMs);
  return answerTime(model, ask(home, far), snapshot);
}

async function answerTime(model: Model, ask: Ask, snapshot: boolean): Promise<number> {
  const { world } = model;
  const began = world.scheduler.now;
  let answer = 0;
  model.ask(ask, (status) => (answer = status), snapshot);
  await world.run(() => answer !== 0, began + 10_000);
  if (answer !== 200) throw new Error(`the model's request was answered ${answer}: ${world.failures.join("\n")}`);
  return world.scheduler.now - began;
}
