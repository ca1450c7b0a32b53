/** The one alarm of a partition's object: it rings for whatever is wanted first, and starts the object should that be down then. */
import type { Effect } from "./effects.ts";

export interface AlarmOwner {
  /** Milliseconds since 1970. */
  readonly now: number;
  emit(effect: Effect): void;
}

export class Alarm {
  readonly #owner: AlarmOwner;
  /** When it rings, as far as this instance has said; a time that is past until it has rung. */
  #at = Infinity;

  constructor(owner: AlarmOwner) {
    this.#owner = owner;
  }

  /** It is to ring at this time or before. */
  want(at: number): void {
    if (this.#at <= at) return;
    this.#at = at;
    this.#owner.emit({ kind: "alarm", inMs: Math.max(0, at - this.#owner.now) });
  }

  rung(): void {
    this.#at = Infinity;
  }
}
