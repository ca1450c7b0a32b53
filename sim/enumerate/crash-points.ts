/** Counts the boundaries of a run, has instances crash at some of them, and tells whether two crashes came to the same. */
import type { CrashManner } from "../world/object.ts";
import type { Instance } from "../world/instance.ts";
import type { Observer } from "../world/observer.ts";
import type { Rpc } from "../world/rpc.ts";

/** One point of a run: before an effect, or behind the last one of a turn. */
export interface Boundary {
  readonly object: string;
  readonly effect: string;
  /** Storage had not confirmed everything. */
  readonly unconfirmed: boolean;
  /** A crash here comes to the same as one at the boundary before: what lies between has not left this instance. */
  readonly sameAsBefore: boolean;
  readonly time: number;
}

/** A crash at the boundary of this number, counted from 0 over all objects. */
export interface CrashPoint {
  readonly at: number;
  readonly manner: CrashManner;
}

/** Effects that do not leave the instance at once: a crash drops them, whether it comes before or behind. */
const INSIDE: ReadonlySet<string> = new Set([
  "persist",
  "want-flush",
  "want-fold",
  "want-work",
  "want-dispatch",
  "wake",
  "report",
]);
const END_OF_TURN = "end of turn";

export class CrashPoints {
  readonly boundaries: Boundary[] = [];
  /** Names of what the crashes hit, for people. */
  readonly hit: string[] = [];
  readonly #points: readonly CrashPoint[];
  #hash = 0x811c9dc5;
  #instance: Instance<unknown> | undefined;
  #inside = false;

  constructor(points: readonly CrashPoint[]) {
    this.#points = points;
  }

  readonly observer: Observer = {
    boundary: (instance, effect) => (instance.state === "live" ? this.#next(instance, effect) : undefined),
    turnEnds: (instance) => this.#next(instance, END_OF_TURN),
    durable: ({ number }, ops) => this.#mixAll(number, ops),
    sent: (rpc) => this.#mixSent(rpc),
    started: ({ object, incarnation }) => this.#mix(object.number * 31 + incarnation, object.world.scheduler.now),
  };

  /** The same for runs in which the same left every object, and became durable in it, at the same times. */
  get fingerprint(): number {
    return this.#hash;
  }

  #next(instance: Instance<unknown>, effect: string): CrashManner | undefined {
    const { world, gate, object } = instance;
    if (world.calm) return undefined;
    const at = this.boundaries.length;
    const sameAsBefore = this.#inside && this.#instance === instance && effect !== END_OF_TURN;
    this.boundaries.push({
      object: object.name,
      effect,
      unconfirmed: !gate.isClean,
      sameAsBefore,
      time: world.scheduler.now,
    });
    this.#instance = effect === END_OF_TURN ? undefined : instance;
    // What is said behind a write waits for it.
    this.#inside = INSIDE.has(effect) || !gate.isClean;
    const manner = this.#points.find((point) => point.at === at)?.manner;
    if (manner) this.hit.push(`${instance.name} before ${effect} (${manner.kind})`);
    return manner;
  }

  #mix(value: number, time: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193);
    this.#hash = Math.imul(this.#hash ^ ((time * 1024) | 0), 0x01000193);
  }

  #mixSent({ from, to, bytes }: Rpc): void {
    this.#mix(from.object.number * 0x10000 + to, from.world.scheduler.now);
    this.#mixBytes(bytes);
  }

  #mixAll(number: number, ops: readonly unknown[]): void {
    this.#mix(number, ops.length);
    for (const op of ops) {
      const { bytes, ...named } = op as { readonly bytes?: Uint8Array };
      this.#mixBytes(new TextEncoder().encode(JSON.stringify(named, asText)));
      if (bytes) this.#mixBytes(bytes);
    }
  }

  #mixBytes(bytes: Uint8Array): void {
    let hash = this.#hash;
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    this.#hash = hash;
  }
}

function asText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
