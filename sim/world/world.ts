/** The simulated world: objects, their storage, the network and the time, under one seeded scheduler. The machines are the real ones. */
import type { Kernels } from "../../core-wasm/types.ts";
import { initialMap } from "../../protocol/keygroups/map.ts";
import { NEWEST_FORMAT, type PeerFormat } from "../../protocol/wire/codec.ts";
import { COORDINATOR, type Peer } from "../../protocol/wire/messages.ts";
import type { AppDefinition } from "../../sdk/index.ts";
import type { Random } from "../random.ts";
import type { Instance } from "./instance.ts";
import { Network } from "./network.ts";
import { OutsideWorld, type RunOutside } from "./outside.ts";
import type { SimObject } from "./object.ts";
import type { Observer } from "./observer.ts";
import { PartitionObject } from "./partition-object.ts";
import type { Profile } from "./profile.ts";
import { Scheduler } from "./scheduler.ts";
import { Trace } from "./trace.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly partitions: number;
  /** How many there may come to be; as many when absent. */
  readonly most?: number;
  readonly app: AppDefinition;
  readonly kernels: Kernels;
  readonly profile: Profile;
  readonly observer?: Observer;
  /** Keeps lines for people. */
  readonly trace?: boolean;
  /** The code of the next instance of a partition; always the same when absent. */
  readonly code?: () => AppDefinition;
  /** Makes the coordinator; without one only transactions of one partition end. */
  readonly coordinator?: (world: World) => SimObject<unknown>;
  /** The highest version of batches that the next instance of an object reads; the newest when absent. */
  readonly formats?: (object: Peer) => PeerFormat;
  /** Runs effects; when absent, the simulator's own. */
  readonly runOutside?: RunOutside;
  /** Kinds of the messages in a batch, when somebody wants to know them. */
  readonly kindsOf?: (bytes: Uint8Array) => readonly string[];
}

/** Events of one moment; more are a machine that asks to be called back at once for ever. */
const MOST_AT_ONCE = 100_000;
const NO_KINDS: readonly string[] = [];

export class World {
  readonly seed: number;
  readonly kernels: Kernels;
  readonly scheduler = new Scheduler();
  /** May change. */
  profile: Profile;
  readonly observer: Observer;
  readonly trace: Trace;
  readonly network: Network;
  readonly outside = new OutsideWorld(this);
  readonly runOutside: RunOutside;
  readonly partitions: readonly PartitionObject[];
  readonly coordinator: SimObject<unknown> | undefined;
  /** Faults by kind. */
  readonly faults = new Map<string, number>();
  /** How often functions have ended whoever ran them, by who did. */
  readonly killed = new Map<string, number>();
  /** Nobody can be started or reached before this time; simulated ms. */
  darkUntil = 0;
  /** No more faults: what happens from here on happens as it should. */
  calm = false;
  /** When that began; simulated ms. */
  calmSince = Infinity;
  /** What was found wrong. */
  readonly failures: string[] = [];
  /** What is worth knowing and not wrong. */
  readonly notes: string[] = [];
  /** Objects whose storage is slow, until a time. */
  readonly #slowDisks = new Map<Peer, number>();
  readonly #kindsOf: ((bytes: Uint8Array) => readonly string[]) | undefined;
  readonly #formats: ((object: Peer) => PeerFormat) | undefined;
  readonly #code: () => AppDefinition;
  #acting: Instance<unknown> | undefined;
  #order = 0;

  constructor(options: WorldOptions) {
    const { app, kernels } = options;
    this.seed = options.seed;
    this.profile = options.profile;
    this.observer = options.observer ?? {};
    this.trace = new Trace(options.trace ?? false);
    this.#kindsOf = options.kindsOf;
    this.runOutside = options.runOutside ?? ((call, random, ended) => this.outside.run(call, random, ended));
    this.#formats = options.formats;
    this.#code = options.code ?? (() => app);
    this.kernels = kernels;
    this.network = new Network(this);
    const map = initialMap(options.partitions);
    this.partitions = Array.from(
      { length: options.most ?? options.partitions },
      (_, number) => new PartitionObject(this, number, { app, kernels, map }),
    );
    this.coordinator = options.coordinator?.(this);
  }

  get objects(): ReadonlyArray<SimObject<unknown>> {
    const objects: unknown[] = [...this.partitions];
    if (this.coordinator) objects.push(this.coordinator);
    return objects as ReadonlyArray<SimObject<unknown>>;
  }

  objectOf(peer: Peer): SimObject<unknown> {
    const object: unknown = peer === COORDINATOR ? this.coordinator : this.partitions[peer];
    if (!object) throw new Error(`there is no object ${peer}`);
    return object as SimObject<unknown>;
  }

  kindsOf(bytes: Uint8Array): readonly string[] {
    return this.#kindsOf?.(bytes) ?? NO_KINDS;
  }

  readsOf(object: Peer): PeerFormat {
    return this.#formats?.(object) ?? NEWEST_FORMAT;
  }

  /** Of the next instance of a partition. */
  get code(): AppDefinition {
    return this.#code();
  }

  slowDisk(peer: Peer, until: number): void {
    this.#slowDisks.set(peer, until);
  }

  confirmMs(peer: Peer, random: Random): number {
    const ms = this.profile.confirmMs(random);
    const slow = !this.calm && (this.#slowDisks.get(peer) ?? 0) > this.scheduler.now;
    return slow ? ms + random.next() * 400 : ms;
  }

  nextOrder(): number {
    return ++this.#order;
  }

  count(fault: string): void {
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
  }

  fail(text: string, error?: unknown): void {
    const stack = error instanceof Error && error.stack !== undefined ? `\n${error.stack}` : "";
    this.trace.say(this.scheduler.now, () => `FAILURE ${text}`);
    this.failures.push(`${text}${stack}`);
  }

  note(text: string): void {
    this.notes.push(text);
    this.trace.say(this.scheduler.now, () => `note: ${text}`);
  }

  /** An instance takes an input: it is told when everything that follows from it at once is done. */
  inTurn(instance: Instance<unknown>): void {
    if (this.#acting) throw new Error(`two instances act in one event: ${this.#acting.name} and ${instance.name}`);
    this.#acting = instance;
  }

  /** Runs events until something holds. @returns false when it does not hold by that time, or nothing happens any more */
  async run(until: () => boolean, deadline: number): Promise<boolean> {
    // From here on it is a microtask that puts off what comes after all of them.
    await undefined;
    while (this.failures.length === 0) {
      if (until()) return true;
      if (!this.scheduler.step(deadline)) return false;
      if (this.scheduler.still > MOST_AT_ONCE) this.fail("time stands still: events of one moment have no end");
      const acting = this.#acting;
      if (!acting) continue;
      // User functions are promises: all that can settle must have before anything else happens, or a run could not be repeated.
      if (acting.functions > 0 || acting.called) await settled();
      this.#acting = undefined;
      acting.endTurn();
    }
    return false;
  }

  /** No more faults: replaced instances end, everything is reachable, everybody is up. */
  calmDown(): void {
    this.calm = true;
    this.calmSince = this.scheduler.now;
    this.#heal();
  }

  /** From here on it is as `profile` says. */
  becomeMild(profile: Profile): void {
    this.profile = profile;
    this.#heal();
  }

  #heal(): void {
    this.network.heal();
    this.#slowDisks.clear();
    for (const object of this.objects) {
      for (const zombie of object.zombies) zombie.die();
      // An object that is down stays so until somebody calls it: nobody else starts one on the platform either.
      object.zombies = [];
    }
  }
}

/**
 * Runs every microtask. What one of them puts off by a tick comes after all of them, and needs no turn of the event loop, of which a run would take
 * thousands.
 */
function settled(): Promise<void> {
  return new Promise(process.nextTick);
}
