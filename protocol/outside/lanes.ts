/**
 * Which effects may run: so many at a time, of one effect and of one share of it fewer, so that what is slow takes no more than its part. Those
 * that wait take turns by their names and shares, and within a share go in order of arrival.
 */
import { LIMITS } from "../limits.ts";
import type { Work } from "./work.ts";

interface Lane {
  readonly name: string;
  running: number;
  /** Ids in order of arrival. */
  readonly waiting: Set<string>;
}

export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  /** By name, the lanes in which somebody waits; what was served goes to the end. */
  readonly #turns = new Map<string, Set<string>>();
  /** By id of what runs or waits, its lane. */
  readonly #laneOf = new Map<string, string>();
  readonly #runningOf = new Map<string, number>();
  #running = 0;

  has(id: string): boolean {
    return this.#laneOf.has(id);
  }

  /** True when it may run now, and does; else it waits. */
  enter(id: string, name: string, { share }: Pick<Work, "share">): boolean {
    const key = share === undefined ? name : `${name} ${share}`;
    const lane = this.#lanes.get(key) ?? { name, running: 0, waiting: new Set() };
    this.#lanes.set(key, lane);
    this.#laneOf.set(id, key);
    if (lane.waiting.size === 0 && this.#hasRoom(key, lane)) {
      this.#begin(lane);
      return true;
    }
    lane.waiting.add(id);
    this.#queue(key, lane);
    return false;
  }

  #queue(key: string, { name }: Lane): void {
    const lanes = this.#turns.get(name) ?? new Set();
    this.#turns.set(name, lanes.add(key));
  }

  #unqueue(key: string, { name }: Lane): void {
    const lanes = this.#turns.get(name);
    lanes?.delete(key);
    if (lanes?.size === 0) this.#turns.delete(name);
  }

  #hasRoom(key: string, lane: Lane): boolean {
    return this.#hasRoomOf(lane.name) && (key === lane.name || lane.running < LIMITS.maxEffectsOfShare);
  }

  #hasRoomOf(name: string): boolean {
    if (this.#running >= LIMITS.maxEffectsRunning) return false;
    return (this.#runningOf.get(name) ?? 0) < LIMITS.maxEffectsOfName;
  }

  #begin(lane: Lane): void {
    lane.running += 1;
    this.#running += 1;
    this.#runningOf.set(lane.name, (this.#runningOf.get(lane.name) ?? 0) + 1);
  }

  /** It does not run any more. False for one that did not. */
  leave(id: string): boolean {
    const key = this.#laneOf.get(id);
    const lane = key === undefined ? undefined : this.#lanes.get(key);
    if (key === undefined || !lane || lane.waiting.has(id)) return false;
    this.#laneOf.delete(id);
    lane.running -= 1;
    this.#running -= 1;
    const left = (this.#runningOf.get(lane.name) ?? 1) - 1;
    if (left > 0) this.#runningOf.set(lane.name, left);
    else this.#runningOf.delete(lane.name);
    this.#drop(key, lane);
    return true;
  }

  #drop(key: string, { running, waiting }: Lane): void {
    if (waiting.size === 0 && running === 0) this.#lanes.delete(key);
  }

  /** The next that may run, and does; undefined when nobody may. */
  next(): string | undefined {
    for (const [name, lanes] of this.#turns) {
      if (!this.#hasRoomOf(name)) continue;
      for (const key of lanes) {
        const lane = this.#lanes.get(key) as Lane;
        if (this.#hasRoom(key, lane)) return this.#serve(key, lane);
      }
    }
    return undefined;
  }

  #serve(key: string, lane: Lane): string {
    const [id] = lane.waiting as Iterable<string> as [string];
    lane.waiting.delete(id);
    const others = this.#turns.get(lane.name);
    this.#unqueue(key, lane);
    if (lane.waiting.size > 0) this.#queue(key, lane);
    // Its name has had its turn, too.
    if (others !== undefined && others.size > 0) {
      this.#turns.delete(lane.name);
      this.#turns.set(lane.name, others);
    }
    this.#begin(lane);
    return id;
  }
}
