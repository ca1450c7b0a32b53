/** Sees to it that what the app's code declares to recur does, for the keys that are kept here: when an instance begins, and when keys have come. */
import type { AppDefinition } from "../../sdk/app.ts";
import { LIMITS } from "../limits.ts";
import { declaredSchedules, type ScheduleRequest } from "./schedules.ts";

export interface DeclaringOwner {
  /** Milliseconds since 1970. */
  readonly now: number;
  keeps(key: string): boolean;
  /** Starts the transaction that makes a key's declared schedules what they are to be. Returns its request id. */
  declare(key: string, input: string): string;
}

export class Declaring {
  readonly #owner: DeclaringOwner;
  readonly #byKey: ReadonlyMap<string, readonly ScheduleRequest[]>;
  /** Keys that are still to be seen to. */
  readonly #left = new Set<string>();
  readonly #running = new Map<string, string>();
  #restUntil = 0;

  constructor(app: AppDefinition, owner: DeclaringOwner) {
    this.#owner = owner;
    this.#byKey = declaredSchedules(app);
  }

  /** Other keys are kept here than before, or it begins. */
  remap(): void {
    this.#running.clear();
    this.#left.clear();
    for (const key of this.#byKey.keys()) if (this.#owner.keeps(key)) this.#left.add(key);
  }

  get isPending(): boolean {
    return this.#left.size > 0 || this.#running.size > 0;
  }

  start(): void {
    if (this.#left.size === 0 || this.#owner.now < this.#restUntil) return;
    for (const key of this.#left) {
      if (this.#running.size >= LIMITS.maxFiringKeys) return;
      this.#left.delete(key);
      this.#running.set(this.#owner.declare(key, JSON.stringify(this.#byKey.get(key))), key);
    }
  }

  /** Such a transaction has ended, well or not. False for any other request. */
  ended(requestId: string, isDone: boolean): boolean {
    const key = this.#running.get(requestId);
    if (key === undefined) return false;
    this.#running.delete(requestId);
    if (isDone) return true;
    this.#left.add(key);
    this.#restUntil = this.#owner.now + LIMITS.tickMs;
    return true;
  }
}
