/**
 * Stock as the demo remembers it. All clients change the same articles at the same time, so nobody can tell an answer beforehand; but
 * every change has a revision, told by its answer or written into the order that took the pieces, which puts the changes of an article in
 * order afterwards: then they are replayed.
 */
import type { Call, Outcome, Times } from "./calls.ts";

export interface Level {
  readonly available: number;
  readonly revision: number;
}

/** One change of an article. */
export interface Change extends Times {
  readonly revision: number;
  /** Pieces that came, or, negative, went. */
  readonly pieces: number;
  /** What an answer said there was afterwards; nobody is told of what an order took. */
  readonly available?: number;
}
/** An answer that changed nothing: a query's level, or what a refusal saw. */
interface Sight extends Times {
  readonly available: number;
  readonly revision: number | undefined;
}

export type StockCall = Extract<Call, { service: "stock" }>;

export class Shelf {
  readonly key: string;
  readonly #start: Level;
  readonly #changes: Change[] = [];
  readonly #sights: Sight[] = [];

  constructor(key: string, start: Level) {
    this.key = key;
    this.#start = start;
  }

  get changes(): readonly Change[] {
    return this.#changes;
  }

  /** Takes the answer to a call. Returns what is wrong with it at first sight, if anything. */
  take(call: StockCall, outcome: Outcome, times: Times): string | undefined {
    if ("refusal" in outcome) {
      if (call.function !== "reserve" || outcome.refusal !== "stock/out-of-stock")
        return `refused as ${outcome.refusal}`;
      const { left } = outcome.data as { readonly left: number };
      this.refused(left, times);
      return left < call.input.quantity ? undefined : `refused ${call.input.quantity} pieces of ${left}`;
    }
    const level = outcome.result as Level;
    if (call.function === "level") this.#sights.push({ ...times, ...level });
    else {
      const pieces = call.function === "restock" ? call.input.quantity : -call.input.quantity;
      this.changed({ ...times, ...level, pieces });
    }
    return undefined;
  }

  /** Takes a change that something else than an answer of stock told of. */
  changed(change: Change): void {
    this.#changes.push(change);
  }

  /** Takes what a refusal saw. */
  refused(left: number, times: Times): void {
    this.#sights.push({ ...times, available: left, revision: undefined });
  }

  /** Replays all changes by revision. Returns what is wrong, and the level that must be there now. */
  replay(): { readonly faults: string[]; readonly level: Level } {
    const faults: string[] = [];
    const changes = this.#changes.sort((a, b) => a.revision - b.revision);
    const levels = [this.#start.available];
    let { available, revision } = this.#start;
    for (const change of changes) {
      available += change.pieces;
      revision += 1;
      levels.push(available);
      if (change.revision !== revision) faults.push(`revision ${revision} expected, ${change.revision} found`);
      if ((change.available ?? available) !== available || available < 0)
        faults.push(`revision ${revision}: ${available} pieces expected, ${change.available ?? "an order"} answered`);
      revision = change.revision;
      available = change.available ?? available;
    }
    faults.push(...this.#sightFaults(levels), ...againstTime(changes, this.#sights));
    return { faults: faults.map((fault) => `stock "${this.key}": ${fault}`), level: { available, revision } };
  }

  #sightFaults(levels: readonly number[]): string[] {
    const seen = new Set(levels);
    return this.#sights.flatMap(({ available, revision }) => {
      if (revision === undefined)
        return seen.has(available) ? [] : [`a refusal saw ${available} pieces, which there never were`];
      const right = levels[revision - this.#start.revision];
      return right === available
        ? []
        : [`a query saw ${available} pieces at revision ${revision}, not ${String(right)}`];
    });
  }
}

/** Strict serializability: what was answered before something else was sent comes before it. */
function againstTime(changes: readonly Change[], sights: readonly Sight[]): string[] {
  const known = [...changes, ...sights].filter(({ revision }) => revision !== undefined);
  const answered = known.toSorted((a, b) => a.answeredAt - b.answeredAt);
  const sent = known.toSorted((a, b) => a.sentAt - b.sentAt);
  const faults: string[] = [];
  let next = 0;
  let highest = -1;
  for (const { sentAt, revision } of sent) {
    for (; (answered[next]?.answeredAt ?? Infinity) < sentAt; next++)
      highest = Math.max(highest, answered[next]?.revision ?? -1);
    if ((revision ?? highest) < highest)
      faults.push(
        `an answer shows revision ${String(revision)} although ${highest} had been answered before it was asked for`,
      );
  }
  return faults;
}
