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
import { NAMED_AIMS } from "./named.ts";

/** `persisted record`, `confirmed record`, `sent prepared`, `handled close`, ... */
export type Occasion = string;

export type AimAction =
  | {
      readonly do: "crash";
      /** The one that it happened at, the other end of a message, the coordinator, any partition, everybody, or a partition by its number. */
      readonly who: Who;
      /** 0: before anything else happens. */
      readonly delayMs: number;
      readonly manner: CrashManner;
    }
  /** From now on messages of a kind are late at one partition: one by its number, where it happened, the other end of the message, or any other. */
  | {
      readonly do: "delay";
      readonly kind: string;
      readonly to: Peer | "peer" | "self" | "other";
      readonly ms: number;
      readonly maxMs: number;
    }
  /** Nothing that it says reaches the other end of the message for some time. */
  | { readonly do: "cut"; readonly afterMs: number; readonly ms: number };

export type Who = "self" | "peer" | "coordinator" | "other" | "all" | Peer;

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
  for (const make of NAMED_AIMS) if (random.oneIn(4)) aims.push(make(random, partitions));
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

interface Armed {
  readonly aim: Aim;
  left: number;
}

type Verb = "persisted" | "confirmed" | "sent" | "handled";
/** By the name of what is persisted, confirmed, sent or handled: most that happens is nothing that any of a run aims at. */
type ByName = Map<string, Armed[]>;

/** Watches for the occasions of a run's aims. */
export class Aims {
  readonly #armed: Record<Verb, ByName> = {
    persisted: new Map(),
    confirmed: new Map(),
    sent: new Map(),
    handled: new Map(),
  };
  /** Names of what was persisted and is not confirmed, by instance, as far as anything aims at that. */
  readonly #unconfirmed = new Map<Instance<unknown>, Set<string>>();

  constructor(aims: readonly Aim[]) {
    for (const one of aims) {
      const space = one.on.indexOf(" ");
      const armed = this.#armed[one.on.slice(0, space) as Verb];
      const name = one.on.slice(space + 1);
      armed.set(name, [...(armed.get(name) ?? []), { aim: one, left: one.nth }]);
    }
  }

  persisted(instance: Instance<unknown>, ops: readonly unknown[]): void {
    const { persisted, confirmed } = this.#armed;
    if (persisted.size === 0 && confirmed.size === 0) return;
    for (const name of new Set(ops.map(nameOfOp))) {
      if (confirmed.has(name)) {
        const waiting = this.#unconfirmed.get(instance) ?? new Set();
        this.#unconfirmed.set(instance, waiting.add(name));
      }
      this.#occur("persisted", name, instance, undefined);
    }
  }

  confirmed(instance: Instance<unknown>): void {
    const waiting = this.#unconfirmed.get(instance);
    if (!waiting) return;
    this.#unconfirmed.delete(instance);
    for (const name of waiting) this.#occur("confirmed", name, instance, undefined);
  }

  sent({ from, to, kinds }: Rpc): void {
    for (const kind of kinds) this.#occur("sent", kind, from, to);
  }

  handled(instance: Instance<unknown>, rpc: Rpc): void {
    for (const kind of rpc.kinds) this.#occur("handled", kind, instance, rpc.from.object.number);
  }

  outsideEnded(instance: Instance<unknown>): void {
    this.#occur("handled", "effect-end", instance, undefined);
  }

  #occur(verb: Verb, name: string, instance: Instance<unknown>, peer: Peer | undefined): void {
    const byName = this.#armed[verb];
    const armed = byName.get(name);
    if (!armed || instance.world.calm) return;
    for (const one of armed) {
      one.left -= 1;
      if (one.left !== 0) continue;
      const { world } = instance;
      world.count(`aimed: ${one.aim.name}`);
      world.trace.say(world.scheduler.now, () => `aimed fault "${one.aim.name}" on ${one.aim.on} at ${instance.name}`);
      for (const action of one.aim.actions) act(action, instance, peer);
    }
    // What has happened does not happen again.
    if (armed.every(({ left }) => left <= 0)) byName.delete(name);
  }
}

function nameOfOp(op: unknown): string {
  const { op: kind, name } = op as { readonly op?: string; readonly name?: string };
  return kind === undefined || kind === "put-meta" ? (name ?? "?") : kind;
}

function act(action: AimAction, instance: Instance<unknown>, peer: Peer | undefined): void {
  const { world } = instance;
  if (action.do === "delay") {
    const { kind, maxMs, ms } = action;
    const [to] = targets(world, action.to, instance, peer).map(({ number }) => number);
    world.network.lateness.push({ kind, to: to as Peer, maxMs, until: world.scheduler.now + ms });
    return;
  }
  if (action.do === "cut") {
    world.scheduler.in(action.afterMs, () => {
      if (world.calm || peer === undefined) return;
      world.count("network cut one way");
      world.network.cutOneWay(instance.object.number, peer, world.scheduler.now + action.ms);
    });
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
  who: Who,
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
      return [object.random.pick(othersThan(world, object))];
    case "all":
      return world.objects;
    default:
      return [world.objectOf(who)];
  }
}

/** Partitions; the object itself only when there is no other. */
function othersThan(world: World, object: SimObject<unknown>): ReadonlyArray<SimObject<unknown>> {
  const partitions = world.partitions as unknown as ReadonlyArray<SimObject<unknown>>;
  const others = partitions.filter((partition) => partition !== object);
  return others.length > 0 ? others : partitions;
}
