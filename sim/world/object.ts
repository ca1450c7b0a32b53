/** A Durable Object: what storage holds for it, its present instance, and those that were replaced and live on. */
import { createRandom, type Random } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import type { Instance } from "./instance.ts";
import type { World } from "./world.ts";
import { Unheard } from "./unheard.ts";

/** How an instance ends. */
export interface CrashManner {
  /** Which of its unconfirmed groups are durable all the same. */
  readonly keep: "some" | "all" | "none";
  /** It lives on as a zombie, if nothing that it said is lost. */
  readonly zombie: boolean;
  /** A zombie that no client reaches: their requests would make it notice. */
  readonly peersOnly?: boolean;
  /** Whether what it said, and waited only for what is kept, has left; drawn for each message when absent. */
  readonly said?: boolean;
  /** ms until the next one starts by itself; null: when somebody calls. */
  readonly bootMs: number | null;
  /** For counting. */
  readonly kind: string;
}

export abstract class SimObject<Op> {
  readonly world: World;
  readonly number: number;
  readonly name: string;
  readonly random: Random;
  current: Instance<Op> | null = null;
  zombies: Instance<Op>[] = [];
  /** Nobody has called it yet: there is nothing of it. */
  isNew = true;
  readonly unheard = new Unheard();
  /** ms that its clock is ahead of the simulated time. */
  skew = 0;

  constructor(world: World, number: number, name: string) {
    this.world = world;
    this.number = number;
    this.name = name;
    this.random = createRandom(deriveSeed(world.seed, 2, number));
  }

  protected abstract start(): Instance<Op>;
  /** Storage has confirmed these, together. */
  abstract durable(ops: readonly Op[]): void;

  /** Milliseconds since 1970 by its clock. */
  now(): number {
    return EPOCH_MS + Math.floor(this.world.scheduler.now) + this.skew;
  }

  boot(): Instance<Op> {
    if (this.current) return this.current;
    const { world } = this;
    this.isNew = false;
    const { skewMs } = world.profile;
    if (skewMs > 0 && !world.calm) this.skew = this.random.int(2 * skewMs + 1) - skewMs;
    const instance = this.start();
    this.current = instance;
    world.trace.mix(3, this.number, world.scheduler.now);
    world.trace.say(world.scheduler.now, () => `${instance.name} starts`);
    world.observer.started?.(instance);
    return instance;
  }

  /** @returns false when it was down */
  crash(manner: CrashManner): boolean {
    const { current: instance, world } = this;
    if (!instance) return false;
    this.current = null;
    const keep = (groups: number): number =>
      manner.keep === "some" ? this.random.int(groups + 1) : manner.keep === "all" ? groups : 0;
    const left = (): boolean => manner.zombie || (manner.said ?? this.random.oneIn(2));
    const lost = instance.gate.crash(keep, left, (ops) => this.durable(ops));
    if (manner.zombie && !lost) {
      instance.state = "zombie";
      instance.peersOnly = manner.peersOnly === true;
      this.zombies.push(instance);
      world.count("replaced instance lives on");
      const { zombieMs } = world.profile;
      if (zombieMs < Infinity) world.scheduler.in(this.random.next() * zombieMs, () => instance.die());
    } else instance.die();
    world.count(manner.kind);
    world.trace.mix(4, this.number, world.scheduler.now);
    world.trace.say(world.scheduler.now, () => `${instance.name} crashes: ${manner.kind}`);
    world.observer.crashed?.(instance);
    if (manner.bootMs !== null) world.scheduler.in(manner.bootMs, () => void this.boot());
    return true;
  }

  /** Who takes what arrives: a zombie, the present instance, or the one that this starts; null when the call fails. */
  route(fromClient = false): Instance<Op> | null {
    const { world } = this;
    if (world.scheduler.now < world.darkUntil) return null;
    this.zombies = this.zombies.filter(({ state }) => state === "zombie");
    const zombies = fromClient ? this.zombies.filter(({ peersOnly }) => !peersOnly) : this.zombies;
    if (zombies.length > 0 && this.random.next() < world.profile.zombieMail) {
      world.count("message to a replaced instance");
      return this.random.pick(zombies);
    }
    if (!this.current && !world.calm && this.random.next() < world.profile.failWhenDown) return null;
    return this.boot();
  }
}

/** When a run begins. */
export const EPOCH_MS = 1_800_000_000_000;
