/**
 * Deletes state that has expired, in passes over all keys of services with a time to live. Nobody sees such state, so that nothing depends on
 * when that is: a pass begins when something has expired, and not soon after the last. Each key is deleted by a transaction, which looks again
 * under its lock, so that what was renewed meanwhile stays.
 */
import type { AppDefinition } from "../../sdk/app.ts";
import type { ServiceDefinition } from "../../sdk/service.ts";
import { LIMITS } from "../limits.ts";
import { isDamage } from "../state/blocks/damage.ts";
import { expiringEntity, expiryRow } from "../state/expiry.ts";
import { afterPrefix, compareKeys, keyOfEntity, servicePrefix } from "../state/state-key.ts";
import type { StateStore, Write } from "../state/store.ts";

export interface ExpiryOwner {
  /** Milliseconds since 1970. */
  readonly now: number;
  keeps(key: string): boolean;
  /** Starts the transaction that deletes what has expired of a key, and returns its request id. */
  expire(service: ServiceDefinition, key: string): string;
}

export class Expiry {
  readonly #owner: ExpiryOwner;
  readonly #committed: StateStore;
  readonly #services: readonly ServiceDefinition[];
  /** Requests that delete. */
  readonly #expiring = new Set<string>();
  /** The pass that is under way; a step of it looks at some rows. */
  #pass: Iterator<number> | null = null;
  /** When the next pass begins. */
  #nextAt = Infinity;
  /** When the first of what is to stay expires, as far as is known. */
  #firstAt = Infinity;
  /** No pass begins before this time. */
  #restUntil = 0;

  constructor(app: AppDefinition, owner: ExpiryOwner, committed: StateStore) {
    this.#owner = owner;
    this.#committed = committed;
    this.#services = [...app.services.values()].filter(({ ttl }) => ttl !== undefined);
    this.remap();
  }

  /** Other keys are here than before: what was begun may be for keys that are elsewhere now. */
  remap(): void {
    this.#expiring.clear();
    this.#pass = null;
    if (this.#services.length > 0) this.#nextAt = 0;
  }

  committed(writes: readonly Write[]): void {
    if (this.#services.length === 0) return;
    for (const { op, key, text } of writes) if (op === "put" && expiringEntity(key) !== null) this.#note(Number(text));
  }

  /** Something expires at this time. */
  #note(at: number): void {
    if (at >= this.#firstAt) return;
    this.#firstAt = at;
    if (this.#pass === null && this.#nextAt > 0) this.#nextAt = Math.max(at, this.#restUntil);
  }

  /** When an instance has to be there though nobody asks; Infinity for never. That one has to look at what there is is no reason. */
  get alarmAt(): number {
    return this.#pass === null && this.#nextAt > 0 ? this.#nextAt : this.#firstAt;
  }

  get isPending(): boolean {
    return this.#pass !== null || this.#expiring.size > 0 || this.#nextAt <= this.#owner.now;
  }

  /** A bounded part of a pass. */
  tick(): void {
    if (this.#pass === null && this.#nextAt > this.#owner.now) return;
    this.#pass ??= this.#begin();
    for (let rows = 0; rows < LIMITS.expiryRowsPerTurn && this.#expiring.size < LIMITS.maxExpiringKeys;) {
      const step = this.#pass.next();
      if (step.done) return this.#end();
      rows += step.value;
    }
  }

  #begin(): Iterator<number> {
    this.#firstAt = Infinity;
    return this.#look();
  }

  #end(): void {
    this.#pass = null;
    this.#restUntil = this.#owner.now + LIMITS.expiryPauseMs;
    this.#nextAt = Math.max(this.#firstAt, this.#restUntil);
  }

  /** Yields how many rows it has looked at. */
  *#look(): Generator<number> {
    for (const service of this.#services) {
      const prefix = servicePrefix(service.contract.name);
      for (const { key } of [...this.#committed.unfolded()]) {
        const entity = key.startsWith(prefix) ? expiringEntity(key) : null;
        if (entity !== null) this.#consider(service, entity);
        yield 1;
      }
      try {
        yield* this.#lookAtStored(service, prefix);
      } catch (error) {
        // Nobody sees what has expired: what is behind a damaged block may stay. All else goes on, and the log was told where it was read.
        if (!isDamage(error)) throw error;
      }
    }
  }

  /** Rows in order: behind what says when a key's state expires, all else of the key is passed over. */
  *#lookAtStored(service: ServiceDefinition, prefix: string): Generator<number> {
    const to = afterPrefix(prefix);
    let from = prefix;
    for (;;) {
      const page = this.#committed.storedWithin(from, to, LIMITS.movePageRows);
      for (const [row] of page) {
        if (compareKeys(row, from) < 0) continue;
        const entity = expiringEntity(row);
        if (entity !== null) this.#consider(service, entity);
        from = entity === null ? `${row}${NEXT}` : afterPrefix(entity);
      }
      yield page.length;
      if (page.length < LIMITS.movePageRows) return;
    }
  }

  #consider(service: ServiceDefinition, entity: string): void {
    const text = this.#committed.read(expiryRow(entity), entity);
    if (text === null) return;
    const key = keyOfEntity(entity);
    if (!this.#owner.keeps(key)) return;
    const at = Number(text);
    if (at <= this.#owner.now) this.#expiring.add(this.#owner.expire(service, key));
    else this.#note(at);
  }

  /** A transaction that deletes has ended, well or not: what it left is found by the next pass. False for any other request. */
  ended(requestId: string, isDone: boolean): boolean {
    if (!this.#expiring.delete(requestId)) return false;
    if (!isDone) this.#note(this.#owner.now);
    return true;
  }
}

/** Behind a row it is above that, and below every other. */
const NEXT = "\u0001";
