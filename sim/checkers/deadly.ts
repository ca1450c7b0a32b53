/** A message that ends whoever runs it is given up after some tries, like one that fails; what is under way beside it is not (rule O13 of docs/protocol.md). */
import type { Finding } from "./finding.ts";

export type DeadlyAnomaly = "deadly-forever" | "innocent-given-up" | "deadly-not-kept";

export interface DeadlyHistory {
  /** How often each has ended who ran it. */
  readonly kills: ReadonlyArray<readonly [who: string, count: number]>;
  /** Dead letters that came of it. */
  readonly letters: ReadonlyArray<{ readonly who: string; readonly isDeadly: boolean }>;
  /** Everything came to rest while it would still have ended whoever ran it. */
  readonly isOver: boolean;
}

/** @param most how often one may end who runs it before it is given up */
export function checkDeadly({ kills, letters, isOver }: DeadlyHistory, most: number): Finding<DeadlyAnomaly>[] {
  const findings: Finding<DeadlyAnomaly>[] = [];
  const find = (anomaly: DeadlyAnomaly, who: string, what: string): void =>
    void findings.push({ anomaly, explanation: `the message ${who} ${what}`, operations: [who] });
  for (const [who, count] of kills) {
    if (count > most) find("deadly-forever", who, `ended who ran it ${count} times`);
    else if (!isOver) find("deadly-forever", who, "was not given up as long as it ended who ran it");
    else if (!letters.some((letter) => letter.who === who))
      find("deadly-not-kept", who, "was given up and is no dead letter");
  }
  for (const { who, isDeadly } of letters)
    if (!isDeadly) find("innocent-given-up", who, "was given up, and nothing was wrong with it");
  return findings;
}
