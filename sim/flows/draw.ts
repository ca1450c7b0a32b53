/** Clients that send events, emit some, and read views: beside the others, so that those do the same whether these are there or not. */
import type { ClientPlan, Transaction } from "../clients/transaction.ts";
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { Kernel, Left, OUT, type OutName, Right } from "./app.ts";
import { type FlowAsk, HOMES, PAGE_ROWS, type Producer, type ViewName, VIEWS } from "./asks.ts";
import type { FlowEvent } from "./model/events.ts";

/** Below the numbers of an operator, and above those of clients that are always there. */
const FIRST = 200_000;
/** Numbers of the events of one batch. */
const PER_BATCH = 10;
const READS = 12;
/** Above the numbers of those of ends of flows. */
const FIRST_LOOK = 270_000;
const LOOKS = 25;
const FIRST_HELD = 275_000;
const FIRST_HELD_BATCH = 9_000;
const EMITS = 8;
/** How far event time goes on from one batch of a client to its next, ms. */
const STEP = 30;
const VALUES = 15;

/** In every fifth seed behind the first hundred: those are quick, and transactions are alone in them. */
export function hasFlows(seed: number): boolean {
  return seed > 100 && seed % 5 === 4;
}

/** @param keys of services, few: they are the keys of events too */
export function drawFlows(seed: number, keys: readonly string[]): ClientPlan[] {
  const numbers = { transaction: FIRST, batch: 1 };
  const senders = [
    { stream: Left.name, groups: 5, numbered: false },
    { stream: Left.name, groups: 5, numbered: true },
    { stream: Right.name, groups: 4, numbered: false },
    { stream: Right.name, groups: 4, numbered: true },
    { stream: Kernel.name, groups: 4, numbered: false },
    { stream: Kernel.name, groups: 4, numbered: true },
  ].map(
    (how, client) => new Sender(createRandom(deriveSeed(seed, 42, client)), keys, numbers, `producer-${client}`, how),
  );
  const emits = createRandom(deriveSeed(seed, 43));
  const reads = [0, 1].map((client) => createRandom(deriveSeed(seed, 44, client)));
  return [
    ...senders.map((sender) => sender.plan()),
    Array.from({ length: EMITS }, (_, at) => [drawEmit(emits, keys, numbers, at)]),
    ...reads.map((random) => Array.from({ length: READS }, () => [drawRead(random, keys, numbers)])),
  ];
}

/** Somebody who looks at the view of the window kernel again and again: each look costs nothing, and what it may see half done is there for a moment. */
export function drawWatcher(seed: number): ClientPlan {
  const random = createRandom(deriveSeed(seed, 48));
  return Array.from({ length: LOOKS }, (_, at) => [
    {
      number: FIRST_LOOK + at,
      ask: { kind: "kernel-view" } as const,
      snapshot: false,
      clientId: false,
      after: random.int(40),
    },
  ]);
}

/** Batches for the window kernel's flow that come when a version of it takes nothing. @param fromMs when all have that version */
export function drawHeldBack(seed: number, keys: readonly string[], fromMs: number): ClientPlan {
  const numbers = { transaction: FIRST_HELD, batch: FIRST_HELD_BATCH };
  const how = { stream: Kernel.name, groups: 1, numbered: true };
  const plan = new Sender(createRandom(deriveSeed(seed, 49)), keys, numbers, "producer-held", how).plan();
  return plan.map((group) => group.map((each) => ({ ...each, after: each.after + fromMs })));
}

interface Numbers {
  transaction: number;
  batch: number;
}
interface SenderOptions {
  readonly stream: string;
  readonly groups: number;
  /** Its batches have a producer and a sequence. */
  readonly numbered: boolean;
  /** How far event time has come when it begins, in steps. */
  readonly begin?: number;
}

/** A client that sends batches to one stream. */
export class Sender {
  readonly #random: Random;
  readonly #keys: readonly string[];
  readonly #numbers: Numbers;
  readonly #name: string;
  readonly #how: SenderOptions;
  #sequence = 0;

  constructor(random: Random, keys: readonly string[], numbers: Numbers, name: string, how: SenderOptions) {
    this.#random = random;
    this.#keys = keys;
    this.#numbers = numbers;
    this.#name = name;
    this.#how = how;
  }

  /** Batches of one group are under way at once: those of a producer come out of order. */
  plan(): ClientPlan {
    return Array.from({ length: this.#how.groups }, (_, at) =>
      Array.from({ length: 1 + this.#random.int(3) }, () => this.#batch(at)).flat(),
    );
  }

  #batch(at: number): Transaction[] {
    const { stream, numbered, begin = 0 } = this.#how;
    const batch = this.#numbers.batch++;
    const events = drawEvents(this.#random, this.#keys, batch, begin + at);
    const producer: Producer | null = numbered ? { name: this.#name, sequence: ++this.#sequence } : null;
    const ask: FlowAsk = { kind: "events", stream, batch, events, producer };
    const after = this.#random.int(120);
    const one = () => ({ number: this.#numbers.transaction++, ask, snapshot: false, after });
    if (producer === null) return [{ ...one(), clientId: !this.#random.oneIn(4) }];
    // Under another id it is as if the answer to the first had been forgotten: only its number tells what it is.
    return Array.from({ length: this.#random.oneIn(3) ? 2 : 1 }, () => ({ ...one(), clientId: true }));
  }
}

function drawEvents(random: Random, keys: readonly string[], batch: number, at: number): FlowEvent[] {
  return Array.from({ length: 1 + random.int(4) }, (_, event) => ({
    n: batch * PER_BATCH + event,
    k: random.pick(keys),
    v: random.int(VALUES) - 3,
    at: at * STEP + random.int(2 * STEP) + drift(random),
  }));
}

/** Some come late, some too late, and some run ahead of the others. */
function drift(random: Random): number {
  switch (random.int(12)) {
    case 0:
      return -random.int(60);
    case 1:
      return -random.int(160);
    case 2:
      return random.int(50);
    default:
      return 0;
  }
}

function drawEmit(random: Random, keys: readonly string[], numbers: Numbers, at: number): Transaction {
  const how = random.pick(["return", "return", "return", "throw", "try"] as const);
  const events = drawEvents(random, keys, numbers.batch++, at);
  const ask: FlowAsk = { kind: "emit", at: random.pick(keys), to: random.pick(keys), how, events };
  return {
    number: numbers.transaction++,
    ask,
    snapshot: false,
    clientId: !random.oneIn(4),
    after: random.int(150),
  };
}

function drawRead(random: Random, keys: readonly string[], numbers: Numbers): Transaction {
  const ask = drawReading(random, keys);
  const snapshot = ask.kind !== "kernel-view" && random.oneIn(2);
  const number = numbers.transaction++;
  return { number, ask, snapshot, clientId: ask.kind !== "kernel-view" && number % 4 === 0, after: random.int(180) };
}

function drawReading(random: Random, keys: readonly string[]): FlowAsk {
  switch (random.int(6)) {
    case 0:
      return { kind: "kernel-view" };
    case 1:
      return { kind: "counters", at: random.pick(keys), keys };
    case 2: {
      const after = random.oneIn(2) ? -1 : random.int(8);
      return { kind: "page", out: random.pick(OUTS), after, limit: random.oneIn(2) ? PAGE_ROWS : 1 + random.int(5) };
    }
    default:
      return { kind: "view", view: random.pick(VIEW_NAMES) };
  }
}

const OUTS = (Object.keys(OUT) as OutName[]).filter((out) => out !== "newer");
const VIEW_NAMES = (Object.keys(VIEWS) as ViewName[]).filter((view) => view !== "counted");

/** What only later versions have. */
const NEWER: readonly FlowAsk[] = [
  { kind: "view", view: "counted" },
  { kind: "page", out: "newer", after: -1, limit: PAGE_ROWS },
];

/** Everything, at the end. @param isChanged the flows are of their last version */
export function finalReads(keys: readonly string[], isChanged: boolean): FlowAsk[] {
  return [
    ...(isChanged ? NEWER : []),
    ...VIEW_NAMES.map((view): FlowAsk => ({ kind: "view", view })),
    { kind: "kernel-view" },
    ...OUTS.map((out): FlowAsk => ({ kind: "page", out, after: -1, limit: PAGE_ROWS })),
    ...(Object.keys(HOMES) as Array<keyof typeof HOMES>).map((flow): FlowAsk => ({
      kind: "aside",
      flow,
      what: "late",
    })),
    { kind: "aside", flow: "windows", what: "dead" },
    { kind: "counters", at: keys[0] as string, keys },
  ];
}

/** What a final read is called. */
export function nameOfRead(ask: FlowAsk): string {
  switch (ask.kind) {
    case "view":
      return `view ${ask.view}`;
    case "page":
      return `stream ${ask.out}`;
    case "aside":
      return `${ask.what} of ${ask.flow}`;
    case "drawn-view":
      return `drawn-view ${ask.view}`;
    default:
      return ask.kind;
  }
}
