/** Delayed messages: each arrives once and not early, unless a cancel was told that it was in time; then never (invariants 4 and 5). */
import type { Finding } from "./finding.ts";

export type TimerAnomaly =
  | "timer-early"
  | "timer-repeated"
  | "timer-missing"
  | "timer-unsent"
  | "timer-elsewhere"
  | "timer-after-cancel"
  | "timer-cancelled-twice"
  | "timer-cancel-lost";

export interface TimerHistory {
  /** Every message that was sent, by its sender and number, and where it was sent. */
  readonly sent: ReadonlyArray<{ readonly from: string; readonly n: number; readonly to: string }>;
  /** What was sent and nobody knows whether it was kept: it arrives once or not. */
  readonly unknown?: TimerHistory["sent"];
  /** Arrivals, with the time that it was sent for and the true one, ms; 0 where nobody knows it. */
  readonly rung: ReadonlyArray<{
    readonly from: string;
    readonly n: number;
    readonly to: string;
    readonly due: number;
    readonly ms: number;
  }>;
  /** What cancels were told: that they were in time or not, or null where nobody heard. */
  readonly dropped: ReadonlyArray<{
    readonly from: string;
    readonly n: number;
    readonly won: boolean | null;
    /** It was answered when the time had not come by any clock. */
    readonly inTime?: boolean;
  }>;
  /** How far clocks may be off, ms: of the one that set the time and the one that looked at it. */
  readonly skewMs: number;
}

export function checkTimers(history: TimerHistory): Finding<TimerAnomaly>[] {
  const nameOf = ({ from, n }: { readonly from: string; readonly n: number }): string => `${from}.${n}`;
  const sent = new Map([...history.sent, ...(history.unknown ?? [])].map((each) => [nameOf(each), each]));
  const findings: Finding<TimerAnomaly>[] = [];
  const find = (anomaly: TimerAnomaly, name: string, what: string): void =>
    void findings.push({ anomaly, explanation: `the delayed message ${name} ${what}`, operations: [name] });
  const won = new Set<string>();
  for (const each of history.dropped) {
    const name = nameOf(each);
    if (each.won && won.has(name)) find("timer-cancelled-twice", name, "was cancelled by two, each in time");
    if (each.won) won.add(name);
  }
  const unsure = new Set(history.dropped.filter((each) => each.won === null).map(nameOf));
  for (const { from, n, won: isWon, inTime = false } of history.dropped) {
    const name = nameOf({ from, n });
    if (isWon === false && inTime && !won.has(name) && !unsure.has(name))
      find("timer-cancel-lost", name, "was not cancelled, though its time had not come");
  }
  const arrived = new Set<string>();
  for (const each of history.rung) {
    const name = nameOf(each);
    const origin = sent.get(name);
    if (origin === undefined) find("timer-unsent", name, "arrived and was never sent");
    else if (origin.to !== each.to) find("timer-elsewhere", name, `was sent to ${origin.to} and arrived at ${each.to}`);
    if (arrived.has(name)) find("timer-repeated", name, "arrived more than once");
    if (won.has(name)) find("timer-after-cancel", name, "arrived though it was cancelled in time");
    const early = each.due - each.ms - 2 * history.skewMs;
    if (each.due > 0 && early > 0) find("timer-early", name, `arrived ${early} ms early`);
    arrived.add(name);
  }
  for (const each of history.sent) {
    const name = nameOf(each);
    if (!arrived.has(name) && !won.has(name) && !unsure.has(name))
      find("timer-missing", name, "never arrived, and was not cancelled");
  }
  return findings;
}
