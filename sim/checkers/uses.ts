/** State that lives until it was not used for a while: a use that commits keeps it for just as long again, and nobody sees it when it has expired. */
import type { Finding } from "./finding.ts";

export type UseAnomaly = "expired-seen" | "removed-early" | "use-otherwise";

/** One who came to a key, in whatever way, and found the number of who wrote last, or nothing. */
export interface Use {
  readonly key: string;
  readonly n: number;
  /** A refusal is kept, what it would have changed is not. */
  readonly name: "touch" | "look" | "peek" | "refuse";
  /** Those of one key run one after the other. */
  readonly order: number;
  /** ms since 1970, by the clock of the partition, and by one that is never off. */
  readonly at: number;
  readonly ms: number;
  readonly found: number | null;
}

export interface UseHistory {
  /** Snapshots, which keep nothing, are not among them. */
  readonly uses: readonly Use[];
  /** Keys that somebody may have used of whom nobody knows. */
  readonly unknown: ReadonlySet<string>;
  readonly ttlMs: number;
  /** How far clocks may be off, each way. */
  readonly skewMs: number;
}

export function checkUses({ uses, unknown, ttlMs, skewMs }: UseHistory): Finding<UseAnomaly>[] {
  const findings: Finding<UseAnomaly>[] = [];
  for (const [key, all] of Map.groupBy(uses, (use) => use.key)) {
    if (unknown.has(key)) continue;
    let last: Pick<Use, "n" | "at"> | null = null;
    for (const use of all.toSorted((one, other) => one.order - other.order)) {
      const { n, name, at, ms, found } = use;
      const find = (anomaly: UseAnomaly, what: string): void =>
        void findings.push({ anomaly, explanation: `the ${name} ${n} of ${key} ${what}`, operations: [String(n)] });
      const age: number = last === null ? Infinity : at - last.at;
      if (found === null) {
        // Somebody whose clock is ahead may have deleted it.
        if (last !== null && last.at + ttlMs > Math.max(at, ms + skewMs))
          find("removed-early", `found nothing, ${age} ms after a use`);
        last = null;
      } else if (last?.n !== found) find("use-otherwise", `found ${found}, not ${last?.n ?? "nothing"}`);
      else if (age >= ttlMs) find("expired-seen", `found ${found}, ${age} ms after the last use`);
      if (name === "touch") last = { n, at };
      else if (last !== null && name !== "refuse") last = { n: last.n, at };
    }
  }
  return findings;
}
