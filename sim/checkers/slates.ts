/** Keys that are written to and cleared: each function finds what those before it have left, and nothing of what was cleared (invariant 2). */
import type { Finding } from "./finding.ts";

export type SlateAnomaly = "cleared-seen" | "entry-lost" | "slate-otherwise";

interface Found {
  readonly entries: ReadonlyArray<readonly [key: string, text: string]>;
  /** Of the numbers of these. */
  readonly sum: number;
}

/** A function that ran, with what it found and its place among all. */
export interface SlateCall extends Found {
  readonly key: string;
  readonly name: "write" | "wipe" | "clear";
  readonly n: number;
  readonly text: string;
  readonly order: number;
}

export interface SlateHistory {
  readonly calls: readonly SlateCall[];
  /** Keys that somebody may have touched of whom nobody knows. */
  readonly unknown: ReadonlySet<string>;
  /** What is there in the end, by key. */
  readonly final: ReadonlyMap<string, Found>;
}

export function checkSlates({ calls, unknown, final }: SlateHistory): Finding<SlateAnomaly>[] {
  const byKey = Map.groupBy(calls, (call) => call.key);
  return [...final].flatMap(([key, end]) => (unknown.has(key) ? [] : new Replay(key).run(byKey.get(key) ?? [], end)));
}

/** One key, from call to call. */
class Replay {
  readonly #key: string;
  readonly #findings: Finding<SlateAnomaly>[] = [];
  readonly #entries = new Map<string, string>();
  readonly #cleared = new Set<string>();
  #sum = 0;

  constructor(key: string) {
    this.#key = key;
  }

  run(calls: readonly SlateCall[], end: Found): Finding<SlateAnomaly>[] {
    for (const call of calls.toSorted((one, other) => one.order - other.order)) {
      const { name, n, text } = call;
      this.#compare(`the ${name} ${n}`, call);
      if (name !== "write") this.#clear();
      if (name === "clear") continue;
      this.#entries.set(`e${n}`, text);
      this.#sum += n;
    }
    this.#compare("the end", end);
    return this.#findings;
  }

  #clear(): void {
    for (const gone of this.#entries.keys()) this.#cleared.add(gone);
    this.#entries.clear();
    this.#sum = 0;
  }

  #compare(who: string, { entries, sum }: Found): void {
    const find = (anomaly: SlateAnomaly, what: string): void =>
      void this.#findings.push({ anomaly, explanation: `${who} of ${this.#key} ${what}`, operations: [who] });
    const seen = new Map(entries);
    const back = [...seen.keys()].filter((name) => this.#cleared.has(name));
    const lost = [...this.#entries.keys()].filter((name) => !seen.has(name));
    if (back.length > 0) find("cleared-seen", `found ${back.join(", ")}, which had been cleared`);
    if (lost.length > 0) find("entry-lost", `did not find ${lost.join(", ")}`);
    const other = [...seen].filter(([name, text]) => !this.#cleared.has(name) && this.#entries.get(name) !== text);
    if (other.length > 0 || sum !== this.#sum)
      find("slate-otherwise", `found ${JSON.stringify({ entries, sum })}, not the sum ${this.#sum}`);
  }
}
