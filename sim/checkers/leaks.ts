/** Liveness at rest (invariant 6): when faults have stopped and everything has drained, no lock and no work is left anywhere. */
import type { Finding } from "./finding.ts";

export type LeakAnomaly = "left-over" | "unmeasured";

/** What a partition or coordinator reports of itself: plain numbers by name. */
export type Status = Readonly<Record<string, number>>;

/** Names of what must be nothing in every status that reports it. */
export const AT_REST: readonly string[] = [
  "locks",
  "attempts",
  "waiting",
  "unacknowledged",
  "held",
  "undecided",
  "outbox",
  "timers",
  "moving",
  "carrying",
];

/**
 * `statuses` are by the name of who reports them. A counter that no status has is a finding too: one that was renamed would
 * otherwise never be missed.
 */
export function findLeaks(
  statuses: Readonly<Record<string, Status>>,
  counters: readonly string[] = AT_REST,
): Finding<LeakAnomaly>[] {
  const left = Object.entries(statuses).flatMap(([owner, status]) =>
    counters
      .filter((name) => Object.hasOwn(status, name) && status[name] !== 0)
      .map((name) => finding("left-over", `${owner} has ${status[name]} ${name} left`, owner)),
  );
  const unmeasured = counters.filter((name) => !Object.values(statuses).some((status) => Object.hasOwn(status, name)));
  return [...left, ...unmeasured.map((name) => finding("unmeasured", `nobody reports ${name}`))];
}

function finding(anomaly: LeakAnomaly, explanation: string, ...operations: readonly string[]): Finding<LeakAnomaly> {
  return { anomaly, explanation, operations };
}
