/**
 * Runs committed effects: so many at a time, each again after a pause until it succeeds or has failed for good, and tells its outcome. What it
 * knows of attempts is in the rows, so that neither a crash nor a move of the key begins the count anew (invariant 5).
 */
import type { EffectDefinition } from "../../sdk/effect.ts";
import { LIMITS } from "../limits.ts";
import type { Message } from "../outbox/message.ts";
import { Lanes } from "./lanes.ts";
import { isOutside, type OutsideCall, type OutsideEnd, type Work, withWork, workOf } from "./work.ts";

export interface OutsideOwner {
  readonly now: number;
  /** Runs an attempt; its end comes as `ended`, or never. */
  run(call: OutsideCall): void;
  /** The effect as it is kept, if it is kept here. */
  kept(id: string): Message | undefined;
  /** No instance before this one can have known of the effect. */
  isNew(id: string): boolean;
  /** Nobody waits for it any more, so that nobody misses it. */
  isDropped(message: Message, work: Work): boolean;
  /** It is over: forget it, and tell the outcome, in one turn. */
  over(message: Message, work: Work, end: OutsideEnd): void;
  /** Keep what is about to become of it. */
  keep(message: Message): void;
  /** Keep what has become of it; it is handed over again at `notBefore`. */
  failed(message: Message, notBefore: number): void;
  /** Hand it over again then; nothing has become of it. */
  postpone(id: string, until: number): void;
  report(message: string): void;
}

/** Of an attempt that was begun by an instance that is no more: it may have taken that with it. */
const LOST: OutsideEnd = {
  ok: false,
  final: false,
  type: "interrupted",
  message: "whoever began the attempt was lost before it ended",
};

/** Of one that neither the code nor who asked for it knows any more. */
const DROPPED: OutsideEnd = { ok: false, final: true, type: "dropped", message: "nobody waits for it any more" };

export class OutsideRunner {
  readonly #owner: OutsideOwner;
  readonly #effects: ReadonlyMap<string, EffectDefinition>;
  readonly #lanes = new Lanes();
  /** Begin with the next flush: that they do is in a record then. */
  #beginning: string[] = [];
  /** By id, what is to be settled with the next flush. */
  #ended = new Map<string, OutsideEnd>();

  constructor(effects: ReadonlyMap<string, EffectDefinition>, owner: OutsideOwner) {
    this.#effects = effects;
    this.#owner = owner;
  }

  /** A committed effect may run: it does when there is room. Asked again while it runs or waits, it does nothing. */
  start(message: Message): void {
    const { requestId: id, name } = message;
    if (this.#lanes.has(id) || this.#ended.has(id)) return;
    if (this.#lanes.enter(id, name, workOf(message))) this.#begin(id);
    this.#fill();
  }

  /** Those that wait begin where there is room. */
  #fill(): void {
    for (let next = this.#lanes.next(); next !== undefined; next = this.#lanes.next()) this.#begin(next);
  }

  #begin(id: string): void {
    const { now } = this.#owner;
    const message = this.#owner.kept(id);
    if (!message || !isOutside(message)) return void this.#lanes.leave(id);
    const work = workOf(message);
    if (work.begun) return this.#end(id, LOST);
    if (work.notBefore > now) return this.#later(id, work.notBefore);
    if (!this.#effects.has(message.name)) {
      if (this.#owner.isDropped(message, work)) return this.#end(id, DROPPED);
      // Another version of the code may know it.
      this.#owner.report(`the app has no effect "${message.name}": it waits for code that has`);
      return this.#later(id, now + LIMITS.repostMaxMs);
    }
    // An attempt may end the instance that began it, and the next one, and so on: so that it is counted, it is written down before. The first of
    // what this instance itself has committed cannot have done so.
    if (work.failures === 0 && this.#owner.isNew(id)) return this.#run(message);
    this.#owner.keep(withWork(message, { ...work, begun: true }));
    this.#beginning.push(id);
  }

  #run(message: Message): void {
    const { requestId: id, name } = message;
    const { input, at, failures, key = id } = workOf(message);
    this.#owner.run({ id, key, name, input, attempt: failures + 1, at });
  }

  #later(id: string, until: number): void {
    this.#owner.postpone(id, until);
    this.#lanes.leave(id);
  }

  #end(id: string, end: OutsideEnd): void {
    if (this.#lanes.leave(id)) this.#ended.set(id, end);
  }

  /** An attempt has ended; what comes of it is settled with the next flush. */
  ended(id: string, end: OutsideEnd): void {
    this.#end(id, end);
    this.#fill();
  }

  get hasEnded(): boolean {
    return this.#ended.size > 0 || this.#beginning.length > 0;
  }

  /**
   * Everything committed is durable: attempts that were written down begin, and those that have ended are settled. Of effects that are kept
   * elsewhere by now, or erased, nothing comes here.
   */
  settle(): void {
    const [beginning, ended] = [this.#beginning, this.#ended];
    this.#beginning = [];
    this.#ended = new Map();
    for (const id of beginning) {
      const message = this.#owner.kept(id);
      if (message) this.#run(message);
      else this.#lanes.leave(id);
    }
    for (const [id, end] of ended) {
      const message = this.#owner.kept(id);
      if (message) this.#settle(message, end);
    }
    this.#fill();
  }

  #settle(message: Message, end: OutsideEnd): void {
    const work = workOf(message);
    const effect = this.#effects.get(message.name);
    const failures = work.failures + 1;
    if (end.ok || end.final || (effect ? failures >= effect.attempts : end !== LOST)) {
      if (!end.ok && work.to === null) {
        this.#owner.report(`the effect "${message.name}" failed for good (${end.type}): ${end.message}`);
      }
      return this.#owner.over(message, work, end);
    }
    const pause = effect ? Math.min(effect.delayMs * 2 ** (failures - 1), effect.maxDelayMs) : LIMITS.repostMaxMs;
    const notBefore = this.#owner.now + pause;
    this.#owner.failed(withWork(message, { failures, notBefore }), notBefore);
  }
}
