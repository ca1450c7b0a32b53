/**
 * Stock as the demo remembers it. All clients change the same articles at the same time, so nobody can tell an answer beforehand; but
 * every change answers with its revision, which puts the changes of an article in order afterwards: then they are replayed.
 */
import type { Call, Outcome } from "./calls.ts";

export interface Level {
  readonly available: number;
  readonly revision: number;
}

/** When a call was first sent and last answered. */
interface Times {
  readonly sentAt: number;
  readonly answeredAt: number;
}
interface Change extends Times {
  /** Pieces that came (restocked) or went (reserved). */
  readonly pieces: number;
  readonly level: Level;
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

  get changes(): number {
    return this.#changes.length;
  }

  /** Takes an answer; times are of one monotonic clock. Returns what is wrong with it at first sight, if anything. */
  take(call: StockCall, outcome: Outcome, { sentAt, answeredAt }: Times): string | undefined {
    if ("refusal" in outcome) {
      const { available } = outcome.data as Level;
      this.#sights.push({ sentAt, answeredAt, available, revision: undefined });
      if (call.function !== "reserve" || outcome.refusal !== "stock/out-of-stock")
        return `refused as ${outcome.refusal}`;
      return available < call.input.quantity ? undefined : `refused ${call.input.quantity} pieces of ${available}`;
    }
    const level = outcome.result as Level;
    if (call.function === "level") this.#sights.push({ sentAt, answeredAt, ...level });
    else {
      const pieces = call.function === "restock" ? call.input.quantity : -call.input.quantity;
      this.#changes.push({ pieces, sentAt, answeredAt, level });
    }
    return undefined;
  }

  /** Replays all changes by revision. Returns what is wrong, and the level that must be there now. */
  replay(): { readonly faults: string[]; readonly level: Level } {
    const faults: string[] = [];
    const changes = this.#changes.sort((a, b) => a.level.revision - b.level.revision);
    const levels = [this.#start.available];
    let { available, revision } = this.#start;
    for (const change of changes) {
      available += change.pieces;
      revision += 1;
      levels.push(available);
      if (change.level.revision !== revision)
        faults.push(`revision ${revision} expected, ${change.level.revision} answered`);
      if (change.level.available !== available || available < 0)
        faults.push(`revision ${revision}: ${available} pieces expected, ${change.level.available} answered`);
      ({ available, revision } = change.level);
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

/** Strict serializability: what was answered before something else was sent comes before it. `changes` are by revision. */
function againstTime(changes: readonly Change[], sights: readonly Sight[]): string[] {
  const events = [...changes.map(({ level, ...change }) => ({ ...change, revision: level.revision })), ...sights];
  const answered = events.filter(({ revision }) => revision !== undefined).sort((a, b) => a.answeredAt - b.answeredAt);
  const sent = answered.toSorted((a, b) => a.sentAt - b.sentAt);
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
