/** Whether a domain is at rest, by what its objects report of themselves. */
import { AT_REST, findLeaks, type Status } from "../sim/checkers/leaks.ts";

/** What waits for its time is at rest. */
const COUNTERS = AT_REST.filter((name) => name !== "timers");

/** What is under way, in words; nothing at rest. Statuses are by the names of their objects. */
export function underWay(statuses: Readonly<Record<string, Status>>): string[] {
  return findLeaks(statuses, COUNTERS)
    .filter(({ anomaly }) => anomaly === "left-over")
    .map(({ explanation }) => explanation);
}
