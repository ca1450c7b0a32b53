/** Faults that come at a time, whatever happens then. */
import { LIMITS } from "../../protocol/limits.ts";
import { COORDINATOR, type Peer } from "../../protocol/wire/messages.ts";
import type { Random } from "../random.ts";
import type { CrashManner } from "../world/object.ts";
import { OUTSIDE } from "../world/network.ts";
import type { CoordinatorObject } from "../world/coordinator-object.ts";
import type { World } from "../world/world.ts";
import { drawManner } from "./manner.ts";

export type PlannedFault = { readonly at: number } & (
  | { readonly kind: "crash"; readonly object: Peer; readonly manner: CrashManner }
  /** A deploy: every object is reset at once. */
  | { readonly kind: "reset"; readonly manners: readonly CrashManner[] }
  /** An object that is idle leaves memory. */
  | { readonly kind: "evict"; readonly object: Peer }
  /** Two ends do not reach each other; `b` null: nobody reaches `a`. */
  | { readonly kind: "cut"; readonly a: Peer; readonly b: Peer | null; readonly ms: number }
  /** No fault: an operator says how many partitions there are to be. */
  | { readonly kind: "rescale"; readonly partitions: number }
  | { readonly kind: "slow disk"; readonly object: Peer; readonly ms: number }
  | { readonly kind: "clock jumps"; readonly object: Peer; readonly ms: number }
  /** It crashes before one of the next effects that it asks for. */
  | { readonly kind: "crash at an effect"; readonly object: Peer; readonly after: number; readonly manner: CrashManner }
);

/** Most of a run's transactions are asked for in this time. */
const SPAN_MS = 1_500;

export function drawPlanned(random: Random, partitions: number): PlannedFault[] {
  const count = 3 + random.int(10);
  const faults = Array.from({ length: count }, () => drawOne(random, partitions));
  if (random.oneIn(3)) {
    const manners = Array.from({ length: partitions + 1 }, () => drawManner(random, "crash of all at once"));
    faults.push({ at: random.next() * SPAN_MS, kind: "reset", manners });
  }
  return faults;
}

/** In some runs the number of partitions changes, up to three times, and those that take part are crashed some more. */
export function drawRescales(random: Random, partitions: number): PlannedFault[] {
  if (!random.oneIn(3)) return [];
  const counts = Array.from({ length: 1 + random.int(3) }, () => 1 + random.int(MOST_PARTITIONS));
  const most = Math.max(partitions, ...counts);
  return counts.flatMap((count): PlannedFault[] => {
    const at = random.next() * SPAN_MS;
    const near = () => at + random.next() * 300;
    const crashes = Array.from({ length: random.int(4) }, (): PlannedFault => {
      const object = drawPeer(random, most);
      if (random.oneIn(2)) return { at: near(), kind: "crash", object, manner: drawManner(random, "crash in a move") };
      const manner = drawManner(random, "crash at an effect in a move");
      return { at: near(), kind: "crash at an effect", object, after: random.int(15), manner };
    });
    return [{ at, kind: "rescale", partitions: count }, ...crashes];
  });
}
const MOST_PARTITIONS = 6;

/** In half of the runs the number of partitions changes while events come: what has met its other half before it tells nothing of what was moved. */
export function drawEarlyRescale(random: Random): PlannedFault[] {
  return rescaleWithin(random, 100, 600);
}

/** In one run of sixteen a clock is set back by more than an instance waits for. */
export function drawClockBack(random: Random, partitions: number): PlannedFault[] {
  if (!random.oneIn(16)) return [];
  const at = 200 + random.next() * 3_000;
  const ms = -(LIMITS.maxClockBackMs + 1_000 + random.int(20_000));
  return [{ at, kind: "clock jumps", object: drawPeer(random, partitions), ms }];
}

/** In half of the runs the number of partitions changes when operators have something to be moved. */
export function drawLaterRescale(random: Random): PlannedFault[] {
  return rescaleWithin(random, 600, 3_100);
}

/** Several times where there are few clients: an epoch with a sole member may be under way when groups are to be frozen. */
export function drawFewRescales(random: Random): PlannedFault[] {
  return Array.from({ length: FEW_RESCALES }, () => rescaleWithin(random, 50, 3_500)).flat();
}
const FEW_RESCALES = 6;

/** Of half of the runs; between two times in ms. */
function rescaleWithin(random: Random, from: number, to: number): PlannedFault[] {
  if (random.oneIn(2)) return [];
  return [{ at: from + random.next() * (to - from), kind: "rescale", partitions: 1 + random.int(MOST_PARTITIONS) }];
}

/** Each deploy resets every object, some time while it lasts; partitions twice, since it may be taken back in between. */
export function drawRedeploys(
  random: Random,
  partitions: number,
  times: readonly number[],
  lastsMs: number,
): PlannedFault[] {
  return times.flatMap((time) =>
    [COORDINATOR, ...Array.from({ length: 2 * partitions }, (_, number) => number % partitions)].map(
      (object): PlannedFault => {
        const at = time + random.next() * lastsMs;
        return { at, kind: "crash", object, manner: drawManner(random, "deploy of another version") };
      },
    ),
  );
}

function drawOne(random: Random, partitions: number): PlannedFault {
  const at = random.next() * SPAN_MS;
  const object = drawPeer(random, partitions);
  switch (random.int(10)) {
    case 0:
    case 1:
    case 2:
      return { at, kind: "crash", object, manner: drawManner(random, "crash") };
    case 3:
    case 4:
    case 5: {
      const manner = drawManner(random, "crash at an effect");
      return { at, kind: "crash at an effect", object, after: random.int(30), manner };
    }
    case 6:
      return { at, kind: "evict", object };
    case 7: {
      const b = random.oneIn(4) ? null : drawPeer(random, partitions);
      return { at, kind: "cut", a: object, b: b === object ? null : b, ms: 20 + random.int(400) };
    }
    case 8:
      return { at, kind: "slow disk", object, ms: 50 + random.int(500) };
    default:
      return { at, kind: "clock jumps", object, ms: random.int(4000) - 2000 };
  }
}

export function drawPeer(random: Random, partitions: number): Peer {
  return random.oneIn(4) ? COORDINATOR : random.int(partitions);
}

/** Has every fault happen at its time, unless the world is calm by then. */
export function schedulePlanned(world: World, faults: readonly PlannedFault[], boundaries: Boundaries): void {
  for (const fault of faults) {
    world.scheduler.in(fault.at, () => {
      if (!world.calm) happen(world, fault, boundaries);
    });
  }
}

function happen(world: World, fault: PlannedFault, boundaries: Boundaries): void {
  const { scheduler } = world;
  switch (fault.kind) {
    case "crash":
      if (isThere(world, fault.object)) world.objectOf(fault.object).crash(fault.manner);
      return;
    case "reset":
      world.count("reset of all objects");
      for (const [index, object] of world.objects.entries())
        object.crash(fault.manners[index % fault.manners.length] as CrashManner);
      return;
    case "evict":
      if (isThere(world, fault.object)) evict(world, fault.object);
      return;
    case "cut":
      world.count("network cut");
      for (const b of fault.b === null ? [...world.objects.map(({ number }) => number), OUTSIDE] : [fault.b]) {
        world.network.cut(fault.a, b, scheduler.now + fault.ms);
      }
      return;
    case "rescale":
      world.count("number of partitions changed");
      (world.coordinator as unknown as CoordinatorObject).rescale(fault.partitions);
      return;
    case "slow disk":
      world.count("storage slow");
      world.slowDisk(fault.object, scheduler.now + fault.ms);
      return;
    case "clock jumps":
      if (!isThere(world, fault.object)) return;
      world.count("clock jumps");
      world.objectOf(fault.object).skew += fault.ms;
      return;
    case "crash at an effect":
      boundaries.arm(fault.object, fault.after, fault.manner);
  }
}

/** Graceful: nothing that was said or written is lost. It starts again when somebody calls. */
function evict(world: World, peer: Peer): void {
  const object = world.objectOf(peer);
  if (!object.current?.gate.isClean) return;
  object.crash({ keep: "all", zombie: false, bootMs: null, kind: "eviction" });
}

function isThere(world: World, peer: Peer): boolean {
  return peer !== COORDINATOR || world.coordinator !== undefined;
}

/** Crashes that wait for an object's effects to be counted down. */
export class Boundaries {
  readonly #armed = new Map<Peer, { left: number; readonly manner: CrashManner }>();

  arm(object: Peer, after: number, manner: CrashManner): void {
    this.#armed.set(object, { left: after, manner });
  }

  /** Called before each effect. */
  next(object: Peer): CrashManner | undefined {
    if (this.#armed.size === 0) return undefined;
    const armed = this.#armed.get(object);
    if (!armed || armed.left-- > 0) return undefined;
    this.#armed.delete(object);
    return armed.manner;
  }
}
