/**
 * Which edge ids may have had a result that is kept no more: an unknown one of these is refused, never run (invariant 4).
 * Lone ids are told apart by their time of issue. All lines of a batch have the time at which it began, and later lines are still
 * to come when results of earlier ones are forgotten: a batch sends a partition its lines in order, so the last one counts.
 */
import { LIMITS } from "../limits.ts";
import { issuedAt, isBatchLine, lineOf, originOf } from "../wire/invoke.ts";

/** As stored: the two times, and some batches with their lines. */
export type StoredMarks = readonly [
  lone: number,
  batches: number,
  lines: ReadonlyArray<readonly [origin: string, line: number]>,
];

export class Forgotten {
  /** Lone ids issued at or before this, in ms. */
  #lone = 0;
  /** Lines of batches that are not listed and began at or before this. */
  #batches = 0;
  /** Highest forgotten line by the batch's part of its ids, the batch that forgot last at the end. */
  readonly #lines = new Map<string, number>();
  #latest = "";

  add(requestId: string): void {
    const issued = issuedAt(requestId) ?? 0;
    if (!isBatchLine(requestId)) {
      this.#lone = Math.max(this.#lone, issued);
      return;
    }
    const origin = originOf(requestId);
    const line = lineOf(requestId);
    const known = this.#lines.get(origin) ?? 0;
    // Set anew, it comes last.
    if (origin !== this.#latest) this.#lines.delete(origin);
    this.#latest = origin;
    this.#lines.set(origin, Math.max(known, line));
    if (this.#lines.size > LIMITS.forgottenBatches) this.#dropOldest();
  }

  #dropOldest(): void {
    for (const origin of this.#lines.keys()) {
      this.#lines.delete(origin);
      this.#batches = Math.max(this.#batches, issuedAt(origin) ?? 0);
      return;
    }
  }

  has(requestId: string): boolean {
    const issued = issuedAt(requestId) ?? 0;
    if (!isBatchLine(requestId)) return issued <= this.#lone;
    const line = this.#lines.get(originOf(requestId));
    return line === undefined ? issued <= this.#batches : lineOf(requestId) <= line;
  }

  /** What a restart must know; of the batches the latest, and of the others their time. */
  get stored(): StoredMarks {
    const all = [...this.#lines];
    const listed = all.slice(-LIMITS.storedForgottenBatches);
    const others = all.slice(0, all.length - listed.length).map(([origin]) => issuedAt(origin) ?? 0);
    return [this.#lone, others.reduce((a, b) => Math.max(a, b), this.#batches), listed];
  }

  restore([lone, batches, lines]: StoredMarks): void {
    this.#lone = Math.max(this.#lone, lone);
    this.#batches = Math.max(this.#batches, batches);
    for (const [origin, line] of lines) this.#lines.set(origin, Math.max(line, this.#lines.get(origin) ?? 0));
  }
}
