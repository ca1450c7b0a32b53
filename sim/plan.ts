/** A plan: everything about a run that is decided before it begins, so that a failing one can be cut down and run again. */
import type { Kernels } from "../core-wasm/types.ts";
import { initialMap, partitionOfHash } from "../protocol/keygroups/map.ts";
import { Generator, type Ground } from "./clients/generate.ts";
import { LIST_SERVICES } from "./clients/list-services.ts";
import { isDense } from "./clients/dense.ts";
import { drawDeploys, ROLLOUT_MS } from "./clients/deploys.ts";
import { drawClocks, hasClocks } from "./clients/clocks.ts";
import { drawOutsiders, hasOutsiders } from "./clients/outsiders.ts";
import { drawPromises, hasPromises } from "./clients/promises.ts";
import { drawSlateKeys, drawSlates, hasSlates } from "./clients/slates.ts";
import { drawTimes, hasTimes } from "./clients/times.ts";
import { drawTours } from "./clients/tours.ts";
import { keyOf } from "./clients/asks.ts";
import { drawFlowsPlan } from "./flows/plan.ts";
import type { Place } from "./clients/steps.ts";
import type { ClientPlan, Transaction } from "./clients/transaction.ts";
import { type Aim, drawAims } from "./faults/aims.ts";
import {
  drawClockBack,
  drawEarlyRescale,
  drawFewRescales,
  drawLaterRescale,
  drawPlanned,
  drawRedeploys,
  drawRescales,
  type PlannedFault,
} from "./faults/planned.ts";
import { drawFrozenAims, drawMoveAims, drawVoidAims } from "./faults/named.ts";
import { drawRates, type Rates } from "./faults/rates.ts";
import { createRandom, type Random } from "./random.ts";
import { deriveSeed } from "./seeds.ts";

export interface Plan {
  readonly seed: number;
  readonly partitions: number;
  readonly ground: Ground;
  readonly clients: readonly ClientPlan[];
  readonly rates: Rates;
  readonly planned: readonly PlannedFault[];
  readonly aims: readonly Aim[];
}

/** As many partitions as there ever are. */
export function mostPartitions({ partitions, planned }: Pick<Plan, "partitions" | "planned">): number {
  return Math.max(partitions, ...planned.map((fault) => (fault.kind === "rescale" ? fault.partitions : 0)));
}

/** How far a clock may be off at most, ms. */
export function mostSkewMs({ rates, planned }: Plan): number {
  const jumps = planned.map((fault) => (fault.kind === "clock jumps" ? Math.abs(fault.ms) : 0));
  return jumps.reduce((sum, ms) => sum + ms, rates.skewMs);
}

export interface PlanOptions {
  readonly transactions: number;
  /** Whether services may send one-way messages. */
  readonly sends: boolean;
  /** Only transactions of one partition each. */
  readonly local: boolean;
}

export const PLAN_DEFAULTS: PlanOptions = { transactions: 200, sends: true, local: false };

export function drawPlan(seed: number, kernels: Kernels, options: PlanOptions = PLAN_DEFAULTS): Plan {
  const random = createRandom(deriveSeed(seed, 1));
  const partitions = options.local ? 1 : 2 + random.int(3);
  const partitionOf = partitioner(kernels, partitions);
  const quiet = createRandom(deriveSeed(seed, 9)).oneIn(4);
  const reading = !quiet && createRandom(deriveSeed(seed, 92)).oneIn(6);
  const ground = { ...drawGround(random, partitions, partitionOf), quiet, reading, sends: options.sends };
  const keys = [...new Set(ground.lists.map(({ at }) => at[1]))];
  const times = options.sends && !options.local && hasTimes(seed) ? drawTimes(seed, keys) : [];
  const deploys = drawDeploys(seed);
  const clocks = options.sends && (times.length > 0 || hasClocks(seed)) ? keys : [];
  const flows = options.sends ? drawFlowsPlan(seed, ground.accounts) : null;
  // Beside those that depend on time there is less of all else: such a seed is not to cost more than others.
  const others = options.sends && times.length === 0;
  const outsiders = others && hasOutsiders(seed) ? keys : [];
  const waiters = others && hasPromises(seed) ? keys : [];
  const slates = others && !options.local && hasSlates(seed) ? drawSlateKeys(seed) : null;
  const timed = [...times, ...(clocks.length > 0 ? drawClocks(seed, clocks) : [])];
  // Of the usual there are as many less: a seed with more kinds is not to cost more either.
  const guests = [
    ...(outsiders.length > 0 ? drawOutsiders(seed, outsiders) : []),
    ...(slates ? drawSlates(seed, slates) : []),
    ...(waiters.length > 0 ? [...drawPromises(seed, waiters), ...drawTours(seed, waiters)] : []),
  ];
  const instead = guests.flat(2).length + (times.length > 0 ? timed.flat(2).length : (flows?.instead ?? 0));
  const beside = [...timed, ...guests, ...(flows?.clients ?? [])];
  const missing = options.transactions - beside.flat(2).length;
  const usual = Math.max(options.transactions - instead, missing, FEWEST);
  const what = { flows: flows !== null, deploys: times.length > 0 ? deploys : null };
  const early = drawFaults(seed, partitions, options, what);
  const most = mostPartitions({ partitions, planned: early });
  return {
    seed,
    partitions,
    ground: {
      ...ground,
      ...(clocks.length > 0 ? { clocks } : {}),
      ...(outsiders.length > 0 ? { outsiders } : {}),
      ...(waiters.length > 0 ? { waiters } : {}),
      ...(slates ? { slates } : {}),
      ...(times.length > 0 ? { times: keys, ticks: keys, deploys } : {}),
      ...(others && !options.local ? drawBackup(seed) : {}),
      ...flows?.ground,
    },
    clients: [...drawClients(seed, random, ground, partitionOf, usual), ...beside],
    rates: { ...drawRates(createRandom(deriveSeed(seed, 5))), ...flows?.rates },
    planned: [...early, ...(flows?.planned(partitions, most) ?? [])],
    aims: drawEveryAim(seed, partitions, options, what),
  };
}

/** What happens at a time, whatever else does; partitions come and go when those who are there have something to move. */
function drawFaults(seed: number, partitions: number, { local }: PlanOptions, beside: Beside): PlannedFault[] {
  const faults = drawPlanned(createRandom(deriveSeed(seed, 6)), partitions);
  if (!local) faults.push(...drawRescales(createRandom(deriveSeed(seed, 10)), partitions));
  faults.push(...drawClockBack(createRandom(deriveSeed(seed, 106)), partitions));
  if (beside.flows && !local) {
    faults.push(...drawEarlyRescale(createRandom(deriveSeed(seed, 80))));
    faults.push(...drawLaterRescale(createRandom(deriveSeed(seed, 45))));
  }
  if (!local && isFrozenAlone(seed)) faults.push(...drawFewRescales(createRandom(deriveSeed(seed, 105))));
  if (beside.deploys === null) return faults;
  faults.push(...drawLaterRescale(createRandom(deriveSeed(seed, 58))));
  faults.push(...drawRedeploys(createRandom(deriveSeed(seed, 62)), partitions, beside.deploys, ROLLOUT_MS));
  return faults;
}

interface Beside {
  readonly flows: boolean;
  /** When other versions are deployed; null where nothing depends on time. */
  readonly deploys: readonly number[] | null;
}

function drawEveryAim(seed: number, partitions: number, { local }: PlanOptions, { deploys }: Beside): Aim[] {
  const aims = drawAims(createRandom(deriveSeed(seed, 7)), partitions);
  if (deploys !== null) aims.push(...drawMoveAims(createRandom(deriveSeed(seed, 59))));
  if (!local) aims.push(...drawVoidAims(createRandom(deriveSeed(seed, 81))));
  if (!local && isFrozenAlone(seed)) aims.push(...drawFrozenAims(createRandom(deriveSeed(seed, 104))));
  return aims;
}

/** In an eighth of all seeds there are so few clients: with hardly anything beside it an epoch has a sole member. */
function drawFew(seed: number): number | null {
  const random = createRandom(deriveSeed(seed, 90));
  return random.oneIn(8) ? 1 + random.int(2) : null;
}

/** In those behind the first hundred, which are quick, key groups move again and again. */
function isFrozenAlone(seed: number): boolean {
  return seed > 100 && drawFew(seed) !== null;
}

/** In a sixth of all seeds one is taken, some time. */
function drawBackup(seed: number): Pick<Ground, "backupMs"> {
  const random = createRandom(deriveSeed(seed, 32));
  return random.oneIn(6) || isDense(seed) ? { backupMs: 50 + random.int(1_500) } : {};
}

/** Which partition keeps a key; remembered, since few keys are used often. */
export function partitioner(kernels: Kernels, partitions: number): (key: string) => number {
  const map = initialMap(partitions);
  const known = new Map<string, number>();
  return (key) => {
    let partition = known.get(key);
    if (partition === undefined) known.set(key, (partition = partitionOfHash(map, kernels.hashKey(key))));
    return partition;
  };
}

/** Transactions of clients that are always there, however many others there are. */
const FEWEST = 20;
const KEYS = Array.from({ length: 64 }, (_, n) => `k${n}`);

function drawGround(
  random: Random,
  partitions: number,
  partitionOf: (key: string) => number,
): Pick<Ground, "lists" | "accounts"> {
  const keysOf = (partition: number) => KEYS.filter((key) => partitionOf(key) === partition);
  const lists: Array<Ground["lists"][number]> = [];
  const accounts: string[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const keys = keysOf(partition);
    const count = 1 + random.int(3);
    for (let n = 0; n < count; n++) lists.push({ at: [random.pick(LIST_SERVICES), keys[n] as string], partition });
    // What is in one frame under one key has an order, whatever service it begins at.
    if (random.oneIn(2)) lists.push({ at: otherService(lists.at(-1)?.at as Place), partition });
    accounts.push(keys[random.int(3)] as string);
    if (random.oneIn(2) || partitions === 1) accounts.push(keys[3] as string);
  }
  // Programs that touch two or three places need them.
  for (let n = 4; lists.length < 3; n++) lists.push({ at: ["la", keysOf(0)[n] as string], partition: 0 });
  return { lists, accounts };
}

function otherService([service, key]: Place): Place {
  return [LIST_SERVICES.find((name) => name !== service) as string, key];
}

function drawClients(
  seed: number,
  random: Random,
  ground: Ground,
  partitionOf: (key: string) => number,
  transactions: number,
): ClientPlan[] {
  let value = 0;
  let number = 0;
  const drawn = 6 + random.int(7);
  const count = drawFew(seed) ?? drawn;
  return Array.from({ length: count }, (_, client) => {
    const own = createRandom(deriveSeed(seed, 8, client));
    const generator = new Generator(own, ground, () => ++value);
    const share = Math.ceil(transactions / count);
    const groups: Transaction[][] = [];
    for (let left = share; left > 0; left -= groups.at(-1)?.length ?? 1) {
      groups.push(drawGroup(own, generator, Math.min(left, own.oneIn(6) ? 3 : 1), partitionOf, () => number++));
    }
    return groups;
  });
}

/** Transactions of one frame: their roots are in one partition. */
function drawGroup(
  random: Random,
  generator: Generator,
  size: number,
  partitionOf: (key: string) => number,
  nextNumber: () => number,
): Transaction[] {
  const group: Transaction[] = [];
  const after = random.oneIn(3) ? random.int(120) : random.int(12);
  const clientId = !random.oneIn(3);
  const oneKey = random.oneIn(2);
  let partition = -1;
  let key = "";
  for (let tries = 0; group.length < size && tries < 12; tries++) {
    const ask = generator.ask();
    const at = partitionOf(keyOf(ask));
    if (partition >= 0 && (at !== partition || (oneKey && keyOf(ask) !== key))) continue;
    partition = at;
    key = keyOf(ask);
    const isQuery = ask.kind === "audit" || (ask.kind === "list" && ask.name === "look");
    const number = nextNumber();
    // The answer of a query is recorded for a client's id only: a replaced instance notices by that write.
    const named = clientId && (!isQuery || number % 2 === 0);
    group.push({ number, ask, snapshot: isQuery && random.oneIn(2), clientId: named, after });
  }
  return group;
}
