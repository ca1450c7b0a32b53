/** State with a time to live: nobody sees what has expired, and nothing goes before its time. */
import type { Finding } from "./finding.ts";

export type LifetimeAnomaly = "expired-seen" | "removed-early" | "touched-twice";

/** One who came to a key, noted that, and saw who was there before. */
export interface Touch {
  readonly key: string;
  readonly n: number;
  /** ms since 1970, by the clock of the partition, and by one that is never off. */
  readonly at: number;
  readonly ms: number;
  readonly before: { readonly n: number; readonly at: number } | null;
}

export interface LifetimeHistory {
  readonly touches: readonly Touch[];
  readonly ttlMs: number;
  /** How far clocks may be off, each way. */
  readonly skewMs: number;
}

export function checkLifetimes({ touches, ttlMs, skewMs }: LifetimeHistory): Finding<LifetimeAnomaly>[] {
  const findings: Finding<LifetimeAnomaly>[] = [];
  const byKey = Map.groupBy(touches, ({ key }) => key);
  for (const [key, all] of byKey) {
    const find = (anomaly: LifetimeAnomaly, n: number, what: string): void =>
      void findings.push({ anomaly, explanation: `${n} at ${key} ${what}`, operations: [String(n)] });
    // One at a time has the key, so that this is their order.
    const inOrder = [...all].sort((a, b) => a.ms - b.ms);
    const seen = new Set<number>();
    // Of the times of those who came since somebody saw nobody.
    let latest = -Infinity;
    for (const [place, { n, at, ms, before }] of inOrder.entries()) {
      // Of those of one moment nobody knows which came first.
      const last = inOrder.slice(0, place).findLast((other) => other.ms < ms);
      if (before !== null) {
        // One that waited has an earlier time than others before it, which still count.
        if (Math.max(before.at, latest) + ttlMs <= at)
          find("expired-seen", n, `saw ${before.n}, ${at - before.at} ms old`);
        if (seen.has(before.n)) find("touched-twice", n, `saw ${before.n}, as another did`);
        seen.add(before.n);
      } else if (last && !hasTwin(inOrder, last.ms) && last.at + ttlMs > Math.max(at, ms + skewMs)) {
        find("removed-early", n, `saw nobody, ${at - last.at} ms after ${last.n}`);
      }
      latest = before === null ? at : Math.max(latest, at);
    }
  }
  return findings;
}

function hasTwin(touches: readonly Touch[], at: number): boolean {
  return touches.filter(({ ms }) => ms === at).length > 1;
}
