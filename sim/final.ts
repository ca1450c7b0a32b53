/** What is left at the end, read through the front door. */
import { Client, type ClientSetup } from "./clients/client.ts";
import type { Balances } from "./clients/bank-service.ts";
import type { ClockState } from "./clients/clock-service.ts";
import type { Ground } from "./clients/generate.ts";
import type { OutsideState, TripState } from "./clients/outside-service.ts";
import type { DeskState } from "./clients/promise-service.ts";
import type { Slate } from "./clients/slate-service.ts";
import type { Deployed } from "./clients/deployed-service.ts";
import type { TickState } from "./clients/tick-service.ts";
import type { TourState } from "./clients/tour-service.ts";
import { type Done, type ListState, nameOf } from "./clients/steps.ts";
import type { Ask, Transaction } from "./clients/transaction.ts";
import { isFlowAsk } from "./flows/asks.ts";
import { finalReads, nameOfRead } from "./flows/draw.ts";
import { finalDrawnReads } from "./flows/drawn/asks.ts";
import { finalEndsReads } from "./flows/ends/asks.ts";
import { finalQueueReads } from "./flows/queue/asks.ts";

export interface Final {
  readonly lists: ReadonlyMap<string, readonly number[]>;
  readonly balances: Balances;
  readonly messages: ReadonlyMap<string, Pick<ListState, "sent" | "inbox">>;
  readonly clocks: ReadonlyMap<string, ClockState>;
  readonly effects: ReadonlyMap<string, OutsideState>;
  readonly trips: ReadonlyMap<string, TripState>;
  readonly promises: ReadonlyMap<string, DeskState>;
  readonly tours: ReadonlyMap<string, TourState>;
  readonly ticks: ReadonlyMap<string, TickState>;
  readonly deployed: ReadonlyMap<string, Deployed>;
  readonly slates: ReadonlyMap<string, Pick<Slate, "entries" | "sum">>;
  /** Bodies of all that flows have come to, by name. */
  readonly flows: ReadonlyMap<string, string>;
}

/** Numbers of final reads begin here, above those of clients. */
const FIRST = 1_000_000;
export const isFinalRead = (number: number): boolean => number >= FIRST;

/** Asks for everything, freshly. @returns null when no answer comes in time */
export async function readFinal(
  setup: ClientSetup,
  ground: Ground,
  round: number,
  limitMs: number,
): Promise<Final | null> {
  const { world, ledger } = setup;
  const asks: Ask[] = [
    ...ground.lists.flatMap(({ at }): Ask[] => [
      { kind: "list", at, name: "look", steps: [{ op: "read" }], shape: "final", appends: [] },
      { kind: "messages", at },
    ]),
    { kind: "audit", at: ground.accounts[0] as string, accounts: ground.accounts },
    ...(ground.clocks ?? []).map((at): Ask => ({ kind: "clock-seen", at })),
    ...(ground.outsiders ?? []).flatMap((at): Ask[] => [
      { kind: "effects-seen", at },
      { kind: "trips-seen", at },
    ]),
    ...(ground.ticks ?? []).map((at): Ask => ({ kind: "ticks-seen", at })),
    ...(ground.times ?? []).map((at): Ask => ({ kind: "deployed-seen", at })),
    ...(ground.slates?.keys ?? []).map((at): Ask => ({ kind: "slates-seen", at })),
    ...(ground.waiters ?? []).flatMap((at): Ask[] => [
      { kind: "promises-seen", at },
      { kind: "tours-seen", at },
    ]),
    ...(ground.flows === undefined ? [] : finalReads(ground.flows, ground.deploys !== undefined)),
    ...(ground.drawn === undefined ? [] : finalDrawnReads(ground.drawn)),
    ...(ground.ends === undefined ? [] : finalEndsReads(ground.ends)),
    ...(ground.queue === undefined ? [] : finalQueueReads(ground.queue)),
  ];
  const clients = asks.map((ask, index) => {
    const number = FIRST * (round + 1) + index;
    // What the kernel shows has no id.
    const clientId = ask.kind !== "kernel-view";
    const transaction: Transaction = { number, ask, snapshot: false, clientId, after: 0 };
    const client = new Client(setup, number, [[transaction]]);
    client.next();
    return client;
  });
  const deadline = world.scheduler.now + limitMs;
  if (!(await world.run(() => clients.every(({ isDone }) => isDone), deadline))) return null;
  const lists = new Map<string, number[]>();
  const messages = new Map<string, Pick<ListState, "sent" | "inbox">>();
  const flows = new Map<string, string>();
  const seen = seenNothing();
  let balances: Balances = {};
  for (const { request, answer } of ledger.entries.values()) {
    const { number, ask } = request.transaction;
    if (number < FIRST * (round + 1) || number >= FIRST * (round + 2)) continue;
    if (answer?.status !== 200) {
      world.fail(`a final read was answered ${answer?.status} ${answer?.body}`);
      return null;
    }
    if (isFlowAsk(ask)) {
      flows.set(nameOfRead(ask), answer.body);
      continue;
    }
    const body: unknown = JSON.parse(answer.body);
    if (ask.kind === "messages") messages.set(nameOf(ask.at), body as Pick<ListState, "sent" | "inbox">);
    else if (ask.kind === "audit") balances = body as Balances;
    else if (isSeen(ask)) seen[SEEN[ask.kind]].set(ask.at, body as never);
    else if (ask.kind === "list") lists.set(nameOf(ask.at), ((body as Done).m[0]?.[2] ?? []) as number[]);
  }
  return { lists, balances, messages, ...seen, flows };
}

/** What keys of one service have noted, by the ask that shows it. */
const SEEN = {
  "clock-seen": "clocks",
  "effects-seen": "effects",
  "trips-seen": "trips",
  "promises-seen": "promises",
  "tours-seen": "tours",
  "slates-seen": "slates",
  "ticks-seen": "ticks",
  "deployed-seen": "deployed",
} as const;
type SeenAsk = Extract<Ask, { kind: keyof typeof SEEN }>;
type Seen = Record<(typeof SEEN)[keyof typeof SEEN], Map<string, never>>;

function isSeen(ask: Ask): ask is SeenAsk {
  return Object.hasOwn(SEEN, ask.kind);
}

function seenNothing(): Seen {
  return Object.fromEntries(Object.values(SEEN).map((name) => [name, new Map()])) as Seen;
}

/** What one has and the other has otherwise, a line each; empty when they are the same. */
export function differences(a: Final, b: Final): string[] {
  const other = new Map(itemsOf(b));
  return itemsOf(a).flatMap(([name, text]) =>
    other.get(name) === text ? [] : [`${name}: ${text} and ${other.get(name)}`],
  );
}

function itemsOf({ lists, balances, messages, flows, ...seen }: Final): Array<[name: string, text: string]> {
  const items = [
    ...lists,
    ...Object.entries(balances),
    ...[...messages].map(([at, one]) => [`${at} messages`, one]),
    ...Object.entries(seen).flatMap(([name, states]) =>
      [...states].map(([at, one]) => [`${at} ${name}`, one] as const),
    ),
    ...flows,
  ];
  return items.map(([name, value]) => [String(name), JSON.stringify(value)]);
}
