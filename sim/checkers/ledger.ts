/** The ledger: every transaction writes its id into it, so that exactly once (invariant 4) can be counted. */
import type { Finding } from "./finding.ts";
import type { Outcome } from "./history.ts";

export type LedgerAnomaly = "lost" | "duplicated" | "refused-applied" | "unasked";

export interface LedgerHistory {
  /** What clients know of each id: `ok` acknowledged, `fail` refused or aborted for good, `info` unknown. */
  readonly requests: readonly { readonly id: string; readonly outcome: Outcome }[];
  /** The ids in the ledger when everything has drained, from all its keys together. */
  readonly entries: readonly string[];
}

export function checkLedger({ requests, entries }: LedgerHistory): Finding<LedgerAnomaly>[] {
  const counts = new Map<string, number>();
  for (const id of entries) counts.set(id, (counts.get(id) ?? 0) + 1);
  const asked = new Set(requests.map(({ id }) => id));
  if (asked.size !== requests.length) throw new Error("an id is in the list of requests twice: its outcomes are one");
  const findings = requests.flatMap(({ id, outcome }) => {
    const wrong = judge(outcome, counts.get(id) ?? 0);
    return wrong ? [finding(wrong, id, counts.get(id) ?? 0)] : [];
  });
  const unasked = [...counts].filter(([id]) => !asked.has(id));
  return [...findings, ...unasked.map(([id, count]) => finding("unasked", id, count))];
}

function judge(outcome: Outcome, count: number): LedgerAnomaly | null {
  if (outcome === "fail") return count > 0 ? "refused-applied" : null;
  if (count > 1) return "duplicated";
  return outcome === "ok" && count === 0 ? "lost" : null;
}

const EXPLANATIONS: Readonly<Record<LedgerAnomaly, string>> = {
  lost: "was acknowledged and is not in the ledger",
  duplicated: "was applied more than once",
  "refused-applied": "was refused and is in the ledger all the same",
  unasked: "is in the ledger and nobody asked for it",
};

function finding(anomaly: LedgerAnomaly, id: string, count: number): Finding<LedgerAnomaly> {
  return { anomaly, explanation: `${id} ${EXPLANATIONS[anomaly]} (${count} times there)`, operations: [id] };
}
