/** The network between objects and clients: one send is one call, which may be late, lost, lost on its way back, or come twice. */
import { formatOf } from "../../protocol/wire/codec.ts";
import { COORDINATOR, type Peer } from "../../protocol/wire/messages.ts";
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import type { Rpc } from "./rpc.ts";
import type { World } from "./world.ts";

/** Where clients are. */
export const OUTSIDE = 0xfffe;

/** News of some kind that is late at one object: for faults aimed at windows. */
export interface Lateness {
  readonly kind: string;
  readonly to: Peer;
  readonly until: number;
  readonly maxMs: number;
}

export class Network {
  readonly #world: World;
  /** Chance by direction. */
  readonly #lanes = new Map<number, Random>();
  /** Until when two ends cannot reach each other. */
  readonly #cuts = new Map<number, number>();
  lateness: Lateness[] = [];
  /** Calls made so far, replies not counted. */
  calls = 0;
  /** Messages between objects and their acknowledgements that have left. */
  hops = 0;
  /** Calls with a batch of a later version than the first. */
  newer = 0;
  /** Batches that came with the answer to another. */
  carried = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Keeps two ends apart until a time. */
  cut(a: Peer, b: Peer, until: number): void {
    this.#cuts.set(pair(a, b), until);
    this.#cuts.set(pair(b, a), until);
  }

  /** Nothing that `from` says reaches `to` until a time. */
  cutOneWay(from: Peer, to: Peer, until: number): void {
    this.#cuts.set(pair(from, to), until);
  }

  heal(): void {
    this.#cuts.clear();
    this.lateness = [];
  }

  send(rpc: Rpc): void {
    const world = this.#world;
    const { profile } = world;
    this.calls += 1;
    this.hops += 1;
    if (rpc.bytes.length > 0 && formatOf(rpc.bytes) > 1) this.newer += 1;
    const from = rpc.from.object.number;
    const lane = this.#lane(from, rpc.to);
    world.trace.say(world.scheduler.now, () => `${rpc.from.name} -> ${this.#nameOf(rpc.to)} ${rpc.kinds.join(" ")}`);
    if (this.#isCut(from, rpc.to)) return this.#lose(rpc, lane, "message cut off");
    if (this.#happens(lane, profile.loseRequest)) return this.#lose(rpc, lane, "request lost");
    const delay = this.#delay(lane) + this.#late(rpc, lane);
    world.scheduler.in(delay, () => this.#arrive(rpc));
    if (!this.#happens(lane, profile.duplicate)) return;
    world.count("request twice");
    world.scheduler.in(delay + lane.next() * profile.slowMs, () => this.#arrive(rpc));
  }

  #arrive(rpc: Rpc): void {
    this.#world.trace.mix(5, rpc.to, this.#world.scheduler.now);
    const receiver = this.#world.objectOf(rpc.to).route();
    if (receiver) receiver.receive(rpc);
    else this.fail(rpc);
  }

  /** Received and acknowledged by an incarnation of `by`. @param carried a batch that comes with it */
  reply(rpc: Rpc, by: Peer, incarnation: number, carried?: Rpc): void {
    const { scheduler, profile } = this.#world;
    const lane = this.#lane(by, rpc.from.object.number);
    this.hops += 1;
    if (this.#isCut(by, rpc.from.object.number)) return this.#lose(rpc, lane, "message cut off");
    if (this.#happens(lane, profile.loseReply)) return this.#lose(rpc, lane, "reply lost");
    const delay = this.#delay(lane) + (carried ? this.#late(carried, lane) : 0);
    scheduler.in(delay, () => this.#tell(rpc, incarnation, carried));
  }

  /** The call ends without a reply. */
  fail(rpc: Rpc): void {
    const lane = this.#lane(rpc.to, rpc.from.object.number);
    this.#world.scheduler.in(this.#delay(lane), () => this.#tell(rpc, null));
  }

  #lose(rpc: Rpc, lane: Random, kind: string): void {
    this.#world.count(kind);
    this.#world.trace.say(
      this.#world.scheduler.now,
      () => `${kind}: ${rpc.from.name} -> ${this.#nameOf(rpc.to)} ${rpc.kinds.join(" ")}`,
    );
    if (lane.next() < this.#world.profile.tellLoss) {
      this.#world.scheduler.in(5 + lane.next() * 100, () => this.#tell(rpc, null));
    }
  }

  #tell(rpc: Rpc, incarnation: number | null, carried?: Rpc): void {
    if (rpc.settled && carried === undefined) return;
    this.#world.trace.mix(6, rpc.from.object.number, this.#world.scheduler.now);
    if (!rpc.settled) rpc.from.told(rpc, incarnation);
    rpc.settled = true;
    if (carried !== undefined) rpc.from.receive(carried);
  }

  /** A client's message to a partition, or its answer: at best once, with no word when it is lost. */
  carry(from: Peer, to: Peer, arrive: () => void): void {
    const world = this.#world;
    const lane = this.#lane(from, to);
    if (this.#isCut(from, to)) return world.count("message cut off");
    if (this.#happens(lane, to === OUTSIDE ? world.profile.loseReply : world.profile.loseRequest)) {
      return world.count(to === OUTSIDE ? "answer to a client lost" : "client's request lost");
    }
    const delay = this.#delay(lane);
    world.scheduler.in(delay, arrive);
    if (!this.#happens(lane, world.profile.duplicate)) return;
    world.count(to === OUTSIDE ? "answer to a client twice" : "client's request twice");
    world.scheduler.in(delay + lane.next() * world.profile.slowMs, arrive);
  }

  #delay(lane: Random): number {
    const { profile } = this.#world;
    const delay = profile.hopMs(lane);
    if (!this.#happens(lane, profile.slow)) return delay;
    this.#world.count("message slow");
    return delay + lane.next() * profile.slowMs;
  }

  #late(rpc: Rpc, lane: Random): number {
    if (this.lateness.length === 0 || this.#world.calm) return 0;
    const { now } = this.#world.scheduler;
    for (const { kind, to, until, maxMs } of this.lateness) {
      if (to !== rpc.to || until < now || !rpc.kinds.includes(kind)) continue;
      this.#world.count("message of one kind late");
      return lane.next() * maxMs;
    }
    return 0;
  }

  #happens(lane: Random, chance: number): boolean {
    return chance > 0 && !this.#world.calm && lane.next() < chance;
  }

  #isCut(from: Peer, to: Peer): boolean {
    const until = this.#cuts.get(pair(from, to));
    return until !== undefined && until > this.#world.scheduler.now;
  }

  #lane(from: Peer, to: Peer): Random {
    const id = pair(from, to);
    let lane = this.#lanes.get(id);
    if (!lane) this.#lanes.set(id, (lane = createRandom(deriveSeed(this.#world.seed, 3, id))));
    return lane;
  }

  #nameOf(peer: Peer): string {
    return peer === COORDINATOR ? "C" : `P${peer}`;
  }
}

function pair(from: Peer, to: Peer): number {
  return from * 0x10000 + to;
}
