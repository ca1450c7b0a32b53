/**
 * Aimed faults: when something named happens for the so-manieth time, somebody crashes then, or news is late. They go for the windows
 * that the protocol's rules name, which faults at random times hardly ever meet.
 */
import { COORDINATOR, type Peer } from "../../protocol/wire/messages.ts";
import type { Random } from "../random.ts";
import type { CrashManner, SimObject } from "../world/object.ts";
import type { Instance } from "../world/instance.ts";
import type { Rpc } from "../world/rpc.ts";
import type { World } from "../world/world.ts";
import { drawManner } from "./manner.ts";

/** `persisted record`, `confirmed record`, `sent prepared`, `handled close`, ... */
export type Occasion = string;

export type AimAction =
  | {
      readonly do: "crash";
      /** Who: the one that it happened at, the other end of a message, the coordinator, another partition, or everybody. */
      readonly who: "self" | "peer" | "coordinator" | "other" | "all";
      /** 0: before anything else happens. */
      readonly delayMs: number;
      readonly manner: CrashManner;
    }
  /** From now on messages of a kind are late at one partition. */
  | { readonly do: "delay"; readonly kind: string; readonly to: Peer; readonly ms: number; readonly maxMs: number };

export interface Aim {
  readonly name: string;
  readonly on: Occasion;
  /** At which of these occasions; 1 is the first. */
  readonly nth: number;
  readonly actions: readonly AimAction[];
}

/** Messages worth aiming at, and the most interesting most often. */
const KINDS = [
  ...["call", "answer", "finish", "finish", "abort", "kill", "scope-end", "scope-ended", "post", "posted"],
  ...["hello", "report", "report", "join", "closed", "closed", "prepared", "prepared", "refuse", "want"],
  ...["recover", "recover", "era", "era", "joined", "close", "prepare", "prepare", "decide", "decide"],
] as const;
const WRITES = ["record", "record", "record", "replace-record", "drop-records", "generation", "incarnation"] as const;

export function drawAims(random: Random, partitions: number): Aim[] {
  const aims = Array.from({ length: 3 + random.int(6) }, () => drawAim(random, partitions));
  for (const make of NAMED) if (random.oneIn(4)) aims.push(make(random, partitions));
  return aims;
}

function drawAim(random: Random, partitions: number): Aim {
  const at = random.int(5);
  const on =
    at < 2
      ? `${random.pick(["persisted", "confirmed"])} ${random.pick(WRITES)}`
      : `${random.pick(["sent", "handled"])} ${random.pick(KINDS)}`;
  const who = random.pick(["self", "self", "self", "peer", "coordinator", "other"] as const);
  const delayMs = random.oneIn(2) ? 0 : random.next() * random.pick([3, 12, 40]);
  const first: AimAction = { do: "crash", who, delayMs, manner: drawManner(random, "aimed crash") };
  const nth = 1 + random.int(random.pick([3, 12, 40]));
  const actions = random.oneIn(5) ? [first, drawSecond(random, partitions)] : [first];
  return { name: "any", on, nth, actions };
}

function drawSecond(random: Random, partitions: number): AimAction {
  if (random.oneIn(2)) {
    return { do: "delay", kind: random.pick(KINDS), to: random.int(partitions), ms: 500, maxMs: 400 };
  }
  const who = random.pick(["peer", "coordinator", "other", "all"] as const);
  return { do: "crash", who, delayMs: random.next() * 60, manner: drawManner(random, "aimed crash") };
}

type NamedAim = (random: Random, partitions: number) => Aim;

/** The windows that docs/protocol.md names. */
const NAMED: readonly NamedAim[] = [
  (random) => aim("just after a record", "persisted record", 1 + random.int(20), crash(random, "self", 0)),
  (random) => aim("record durable, not yet said", "confirmed record", 1 + random.int(20), crash(random, "self", 0)),
  (random) => aim("just after an abort row", "persisted aborted", 1 + random.int(3), crash(random, "coordinator", 0)),
  (random) =>
    aim("abort row durable", "confirmed aborted", 1 + random.int(3), crash(random, "coordinator", random.next() * 12)),
  (random, partitions) =>
    aim(
      "abort news late at one, then the coordinator crashes",
      "persisted aborted",
      1 + random.int(3),
      { do: "delay", kind: "era", to: random.int(partitions), ms: 700, maxMs: 500 },
      crash(random, "coordinator", 60 + random.next() * 300),
    ),
  (random, partitions) =>
    aim(
      "decision late at one, then the coordinator crashes",
      "sent decide",
      1 + random.int(20),
      { do: "delay", kind: "decide", to: random.int(partitions), ms: 300, maxMs: 300 },
      crash(random, "coordinator", random.next() * 30),
    ),
  (random) => aim("all prepared, none told", "handled prepared", 2 + random.int(10), crash(random, "all", 0)),
  (random) =>
    aim(
      "decided, then everything is reset",
      "sent decide",
      1 + random.int(10),
      crash(random, "all", random.next() * 8),
    ),
  (random) =>
    aim(
      "a participant is lost after its answer",
      "sent answer",
      1 + random.int(20),
      crash(random, "self", random.next() * 8),
    ),
  (random) =>
    aim(
      "the root is lost after its finishes",
      "sent finish",
      1 + random.int(20),
      crash(random, "self", random.next() * 8),
    ),
  (random, partitions) =>
    aim("finishes late", "sent finish", 1 + random.int(10), {
      do: "delay",
      kind: "finish",
      to: random.int(partitions),
      ms: 400,
      maxMs: 200,
    }),
  (random) =>
    aim("a replaced coordinator decides from memory", "handled prepared", 1 + random.int(10), {
      do: "crash",
      who: "coordinator",
      delayMs: 0,
      manner: { keep: "all", zombie: true, bootMs: 1, kind: "aimed crash" },
    }),
  (random) =>
    aim("a replaced partition answers from memory", "sent answer", 1 + random.int(20), {
      do: "crash",
      who: "self",
      delayMs: 0,
      manner: { keep: "all", zombie: true, bootMs: 1, kind: "aimed crash" },
    }),
  (random) => aim("crash in recovery", "handled recover", 1 + random.int(3), crash(random, "self", random.next() * 10)),
  (random) =>
    aim(
      "coordinator crashes in recovery",
      "handled report",
      1 + random.int(3),
      crash(random, "coordinator", random.next() * 10),
    ),
  (random) => aim("crash while folding", "persisted drop-records", 1 + random.int(6), crash(random, "self", 0)),
];

function aim(name: string, on: Occasion, nth: number, ...actions: readonly AimAction[]): Aim {
  return { name, on, nth, actions };
}

function crash(random: Random, who: "self" | "peer" | "coordinator" | "other" | "all", delayMs: number): AimAction {
  return { do: "crash", who, delayMs, manner: drawManner(random, "aimed crash") };
}

interface Armed {
  readonly aim: Aim;
  left: number;
}

/** Watches for the occasions of a run's aims. */
export class Aims {
  readonly #armed = new Map<Occasion, Armed[]>();
  /** Names of what was persisted and is not confirmed, by instance. */
  readonly #unconfirmed = new Map<Instance<unknown>, Set<string>>();

  constructor(aims: readonly Aim[]) {
    for (const one of aims) {
      const armed = this.#armed.get(one.on) ?? [];
      this.#armed.set(one.on, armed);
      armed.push({ aim: one, left: one.nth });
    }
  }

  persisted(instance: Instance<unknown>, ops: readonly unknown[]): void {
    const waiting = this.#unconfirmed.get(instance) ?? new Set();
    this.#unconfirmed.set(instance, waiting);
    for (const name of new Set(ops.map(nameOfOp))) {
      waiting.add(name);
      this.#occur(`persisted ${name}`, instance, undefined);
    }
  }

  confirmed(instance: Instance<unknown>): void {
    const waiting = this.#unconfirmed.get(instance);
    this.#unconfirmed.delete(instance);
    for (const name of waiting ?? []) this.#occur(`confirmed ${name}`, instance, undefined);
  }

  sent({ from, to, kinds }: Rpc): void {
    for (const kind of kinds) this.#occur(`sent ${kind}`, from, to);
  }

  handled(instance: Instance<unknown>, rpc: Rpc): void {
    for (const kind of rpc.kinds) this.#occur(`handled ${kind}`, instance, rpc.from.object.number);
  }

  #occur(on: Occasion, instance: Instance<unknown>, peer: Peer | undefined): void {
    const armed = this.#armed.get(on);
    if (!armed || instance.world.calm) return;
    for (const one of armed) {
      one.left -= 1;
      if (one.left !== 0) continue;
      const { world } = instance;
      world.count(`aimed: ${one.aim.name}`);
      world.trace.say(world.scheduler.now, () => `aimed fault "${one.aim.name}" on ${on} at ${instance.name}`);
      for (const action of one.aim.actions) act(action, instance, peer);
    }
  }
}

function nameOfOp(op: unknown): string {
  const { op: kind, name } = op as { readonly op?: string; readonly name?: string };
  return kind === undefined || kind === "put-meta" ? (name ?? "?") : kind;
}

function act(action: AimAction, instance: Instance<unknown>, peer: Peer | undefined): void {
  const { world } = instance;
  if (action.do === "delay") {
    const { kind, to, maxMs, ms } = action;
    world.network.lateness.push({ kind, to, maxMs, until: world.scheduler.now + ms });
    return;
  }
  // Where it stands: nothing more of its turn happens.
  if (action.who === "self" && action.delayMs === 0) return instance.doom(action.manner);
  world.scheduler.in(action.delayMs, () => {
    if (world.calm) return;
    for (const object of targets(world, action.who, instance, peer)) object.crash(action.manner);
  });
}

function targets(
  world: World,
  who: "self" | "peer" | "coordinator" | "other" | "all",
  { object }: Instance<unknown>,
  peer: Peer | undefined,
): ReadonlyArray<SimObject<unknown>> {
  switch (who) {
    case "self":
      return [object];
    case "peer":
      return [peer === undefined ? object : world.objectOf(peer)];
    case "coordinator":
      return world.coordinator ? [world.objectOf(COORDINATOR)] : [];
    case "other":
      return [object.random.pick(world.partitions as unknown as ReadonlyArray<SimObject<unknown>>)];
    case "all":
      return world.objects;
  }
}
