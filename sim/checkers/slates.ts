/** Keys that are written to and cleared: each function finds what those before it have left, and nothing of what was cleared (invariant 2). */
import type { Finding } from "./finding.ts";

export type SlateAnomaly = "cleared-seen" | "entry-lost" | "slate-otherwise";

export interface SlateCall {
  readonly key: string;
  readonly name: "write" | "wipe" | "clear";
  readonly n: number;
  readonly text: string;
  /** What it found, and its place among all; null when nobody knows what became of it. */
  readonly found: {
    readonly order: number;
    readonly entries: ReadonlyArray<readonly [string, string]>;
    readonly sum: number;
  } | null;
}

export interface SlateHistory {
  readonly calls: readonly SlateCall[];
  /** What is there in the end, by key. */
  readonly final: ReadonlyMap<
    string,
    { readonly entries: ReadonlyArray<readonly [string, string]>; readonly sum: number }
  >;
}

export function checkSlates({ calls, final }: SlateHistory): Finding<SlateAnomaly>[] {
  const findings: Finding<SlateAnomaly>[] = [];
  for (const [key, all] of Map.groupBy(calls, (call) => call.key)) {
    // What may have happened at any time leaves nothing to be said.
    if (all.some(({ found }) => found === null)) continue;
    const entries = new Map<string, string>();
    const cleared = new Set<string>();
    let sum = 0;
    const compare = (
      who: string,
      found: { readonly entries: ReadonlyArray<readonly [string, string]>; readonly sum: number },
    ): void => {
      const find = (anomaly: SlateAnomaly, what: string): void =>
        void findings.push({ anomaly, explanation: `${who} of ${key} ${what}`, operations: [who] });
      const seen = new Map(found.entries);
      const back = [...seen.keys()].filter((name) => cleared.has(name));
      const lost = [...entries.keys()].filter((name) => !seen.has(name));
      if (back.length > 0) find("cleared-seen", `found ${back.join(", ")}, which had been cleared`);
      if (lost.length > 0) find("entry-lost", `did not find ${lost.join(", ")}`);
      const others = [...seen].filter(([name, text]) => !cleared.has(name) && entries.get(name) !== text);
      if (others.length > 0 || found.sum !== sum)
        find("slate-otherwise", `found ${JSON.stringify(found)}, not the sum ${sum}`);
    };
    for (const { name, n, text, found } of all.toSorted(
      (one, other) => (one.found?.order ?? 0) - (other.found?.order ?? 0),
    )) {
      compare(`the ${name} ${n}`, found as NonNullable<typeof found>);
      if (name !== "write") {
        for (const gone of entries.keys()) cleared.add(gone);
        entries.clear();
        sum = 0;
      }
      if (name === "clear") continue;
      entries.set(`e${n}`, text);
      sum += n;
    }
    compare("the end", final.get(key) ?? { entries: [], sum: 0 });
  }
  return findings;
}
