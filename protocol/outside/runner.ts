/**
 * Runs committed effects: so many at a time, each again after a pause until it succeeds or has failed for good, and tells its outcome. What it
 * knows of attempts is in the rows, so that neither a crash nor a move of the key begins the count anew (invariant 5).
 */
import type { EffectDefinition } from "../../sdk/effect.ts";
import { LIMITS } from "../limits.ts";
import type { Message } from "../outbox/message.ts";
import { isOutside, type OutsideCall, type OutsideEnd, type Work, withWork, workOf } from "./work.ts";

export interface OutsideOwner {
  readonly now: number;
  /** Runs an attempt; its end comes as `ended`, or never. */
  run(call: OutsideCall): void;
  /** The effect as it is kept, if it is kept here. */
  kept(id: string): Message | undefined;
  /** It is over: forget it, and tell the outcome, in one turn. */
  over(message: Message, work: Work, end: OutsideEnd): void;
  /** Keep what has become of it; it is handed over again at `notBefore`. */
  failed(message: Message, notBefore: number): void;
  /** Hand it over again then; nothing has become of it. */
  postpone(id: string, until: number): void;
  report(message: string): void;
}

export class OutsideRunner {
  readonly #owner: OutsideOwner;
  readonly #effects: ReadonlyMap<string, EffectDefinition>;
  readonly #running = new Set<string>();
  /** In order of arrival. */
  readonly #waiting = new Set<string>();
  #ended: Array<{ readonly id: string; readonly end: OutsideEnd }> = [];

  constructor(effects: ReadonlyMap<string, EffectDefinition>, owner: OutsideOwner) {
    this.#effects = effects;
    this.#owner = owner;
  }

  /** A committed effect may run: it does when there is room. Asked again while it runs or waits, it does nothing. */
  start({ requestId }: Message): void {
    if (this.#running.has(requestId) || this.#waiting.has(requestId)) return;
    if (this.#running.size >= LIMITS.maxEffectsRunning) this.#waiting.add(requestId);
    else this.#begin(requestId);
  }

  #begin(id: string): void {
    const { now } = this.#owner;
    const message = this.#owner.kept(id);
    if (!message || !isOutside(message)) return;
    const { input, at, failures, notBefore } = workOf(message);
    if (notBefore > now) return this.#owner.postpone(id, notBefore);
    if (!this.#effects.has(message.name)) {
      // Another version of the code may know it.
      this.#owner.report(`the app has no effect "${message.name}": it waits for code that has`);
      return this.#owner.postpone(id, now + LIMITS.repostMaxMs);
    }
    this.#running.add(id);
    this.#owner.run({ id, name: message.name, input, attempt: failures + 1, at });
  }

  /** An attempt has ended; what comes of it is settled with the next flush. */
  ended(id: string, end: OutsideEnd): void {
    if (this.#running.delete(id)) this.#ended.push({ id, end });
    for (const next of this.#waiting) {
      if (this.#running.size >= LIMITS.maxEffectsRunning) break;
      this.#waiting.delete(next);
      this.#begin(next);
    }
  }

  get hasEnded(): boolean {
    return this.#ended.length > 0;
  }

  /** Settles attempts that have ended. Those of effects that are kept elsewhere by now, or erased, come to nothing here. */
  settle(): void {
    const ended = this.#ended;
    this.#ended = [];
    for (const { id, end } of ended) {
      const message = this.#owner.kept(id);
      if (message) this.#settle(message, end);
    }
  }

  #settle(message: Message, end: OutsideEnd): void {
    const work = workOf(message);
    const effect = this.#effects.get(message.name);
    const failures = work.failures + 1;
    if (end.ok || end.final || !effect || failures >= effect.attempts) {
      if (!end.ok && work.to === null) {
        this.#owner.report(`the effect "${message.name}" failed for good (${end.type}): ${end.message}`);
      }
      return this.#owner.over(message, work, end);
    }
    const notBefore = this.#owner.now + Math.min(effect.delayMs * 2 ** (failures - 1), effect.maxDelayMs);
    this.#owner.failed(withWork(message, { ...work, failures, notBefore }), notBefore);
  }
}
