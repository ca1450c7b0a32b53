/** Effects: each that was committed happens, none other does, always under one key, and what became of it is told once (invariants 4 and 5). */
import type { Finding } from "./finding.ts";

export type OutsideAnomaly =
  | "effect-uncommitted"
  | "effect-missing"
  | "effect-key-changed"
  | "effect-key-shared"
  | "outcome-repeated"
  | "outcome-missing"
  | "outcome-unasked";

export interface OutsideHistory {
  /** Numbers of effects that committed transactions asked for. */
  readonly asked: readonly number[];
  /** What was done to the world, and under which key. */
  readonly done: ReadonlyArray<{ readonly n: number; readonly id: string }>;
  /** What was told. */
  readonly told: ReadonlyArray<{ readonly n: number; readonly ok: boolean }>;
}

export function checkOutside({ asked, done, told }: OutsideHistory): Finding<OutsideAnomaly>[] {
  const findings: Finding<OutsideAnomaly>[] = [];
  const find = (anomaly: OutsideAnomaly, n: number, what: string): void =>
    void findings.push({ anomaly, explanation: `the effect ${n} ${what}`, operations: [String(n)] });
  const committed = new Set(asked);
  const keys = new Map<number, string>();
  const owners = new Map<string, number>();
  for (const { n, id } of done) {
    if (!committed.has(n)) find("effect-uncommitted", n, "happened, and no committed transaction asked for it");
    const known = keys.get(n) ?? id;
    if (known !== id) find("effect-key-changed", n, `happened under ${known} and under ${id}`);
    keys.set(n, known);
    const owner = owners.get(id) ?? n;
    if (owner !== n) find("effect-key-shared", n, `happened under the key of ${owner}`);
    owners.set(id, owner);
  }
  const heard = new Set<number>();
  for (const { n, ok } of told) {
    if (!committed.has(n)) find("outcome-unasked", n, "was told, and nobody asked for it");
    if (heard.has(n)) find("outcome-repeated", n, "was told more than once");
    if (ok && !keys.has(n)) find("effect-missing", n, "was told to have happened, and has not");
    heard.add(n);
  }
  for (const n of committed) if (!heard.has(n)) find("outcome-missing", n, "was never told");
  return findings;
}
