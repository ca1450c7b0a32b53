/** What many seeds came to. */
import { addCounts } from "../coverage.ts";
import type { Done, SeedResult } from "../pool/messages.ts";

export class Totals {
  readonly failed: SeedResult[] = [];
  readonly faults = new Map<string, number>();
  readonly answers = new Map<string, number>();
  readonly coverage = new Map<string, number>();
  seeds = 0;
  #transactions = 0;
  #simulatedMs = 0;
  #events = 0;
  #messages = 0;
  /** Batches of a later version than the first. */
  newer = 0;
  /** Batches that came with the answer to another. */
  carried = 0;
  #notes = 0;
  /** Of any seed. */
  fewestTransactions = Infinity;
  fewestFaults = Infinity;

  add(done: Done): void {
    this.seeds += done.results.length;
    this.#transactions += done.transactions;
    this.#simulatedMs += done.simulatedMs;
    this.#events += done.events;
    this.#messages += done.messages;
    this.newer += done.newer;
    this.carried += done.carried;
    this.fewestTransactions = Math.min(this.fewestTransactions, done.fewestTransactions);
    this.fewestFaults = Math.min(this.fewestFaults, done.fewestFaults);
    for (const result of done.results) {
      this.#notes += result.notes.length;
      if (result.failures.length > 0) this.failed.push(result);
    }
    addCounts(this.faults, done.faults);
    addCounts(this.answers, done.answers);
    addCounts(this.coverage, done.coverage);
  }

  progress(elapsedMs: number): string {
    const rate = (elapsedMs / this.seeds).toFixed(0);
    const failed = this.failed.length === 0 ? "" : `, FAILED: ${this.failed.map(({ seed }) => seed).join(", ")}`;
    return `${this.seeds} seeds, ${this.#transactions} transactions, ${rate} ms a seed${failed}`;
  }

  text(elapsedMs: number, coverage: boolean): string {
    const faults = [...this.faults.values()].reduce((sum, count) => sum + count, 0);
    const lines = [
      `${this.seeds} seeds in ${(elapsedMs / 1000).toFixed(0)} s (${(elapsedMs / this.seeds).toFixed(0)} ms a seed), ` +
        `${(this.#simulatedMs / 60_000).toFixed(0)} simulated minutes, ${this.#events} events, ${this.#messages} messages, ` +
        `${this.newer} batches of a newer version, ${this.carried} with an answer`,
      `${this.#transactions} transactions (at least ${this.fewestTransactions} a seed), ` +
        `${faults} faults (at least ${this.fewestFaults} a seed), ${this.#notes} notes`,
      `Faults:\n${table(this.faults)}`,
      `Answers:\n${table(this.answers)}`,
    ];
    if (coverage) lines.push(`Coverage:\n${table(this.coverage)}`);
    return lines.join("\n");
  }
}

/** Names with counts, by name. */
export function table(counts: ReadonlyMap<string, number>): string {
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return rows.map(([name, count]) => `  ${String(count).padStart(9)}  ${name}`).join("\n");
}
