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
  /** It keeps nothing, unless it had to take locks after all. */
  readonly isSnapshot?: boolean;
}

export interface UseHistory {
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
    let last: Last | null = null;
    for (const use of all.toSorted((one, other) => one.order - other.order)) {
      if (use.isSnapshot !== true) last = checkUse(use, last, { ttlMs, skewMs }, findings);
      else if (last !== null) last.maybe = Math.max(last.maybe, use.at);
    }
  }
  return findings;
}

/** Who wrote last, when that was used last, and when perhaps. */
interface Last {
  readonly n: number;
  readonly at: number;
  maybe: number;
}

/** @returns what is there behind it */
function checkUse(
  { key, n, name, at, ms, found }: Use,
  last: Last | null,
  { ttlMs, skewMs }: Pick<UseHistory, "ttlMs" | "skewMs">,
  findings: Finding<UseAnomaly>[],
): Last | null {
  const find = (anomaly: UseAnomaly, what: string): void =>
    void findings.push({ anomaly, explanation: `the ${name} ${n} of ${key} ${what}`, operations: [String(n)] });
  // Somebody whose clock is ahead may have deleted it.
  if (found === null && last !== null && last.at + ttlMs > Math.max(at, ms + skewMs))
    find("removed-early", `found nothing, ${at - last.at} ms after a use`);
  if (found !== null && last?.n !== found) find("use-otherwise", `found ${found}, not ${last?.n ?? "nothing"}`);
  else if (found !== null && last !== null && at >= last.maybe + ttlMs)
    find("expired-seen", `found ${found}, ${at - last.maybe} ms after the last use`);
  // One that waited has an earlier time than others before it, which still count.
  const since = found === null || last === null ? at : Math.max(at, last.at);
  if (name === "touch") return { n, at: since, maybe: Math.max(since, found === null ? 0 : (last?.maybe ?? 0)) };
  // What has expired and is not deleted yet has not, by a clock that is behind.
  return found === null || last === null || name === "refuse"
    ? last
    : { n: last.n, at: since, maybe: Math.max(since, last.maybe) };
}
