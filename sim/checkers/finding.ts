/** What a checker reports: a named anomaly that explains itself. */

export interface Finding<Anomaly extends string = string> {
  readonly anomaly: Anomaly;
  /** For people: who did what, and why that cannot be. */
  readonly explanation: string;
  /** Names of the operations (or of the requests, partitions) that it is about. */
  readonly operations: readonly string[];
}

/** For the report of a failed run. */
export function formatFindings(findings: readonly Finding[]): string {
  return findings.map(({ anomaly, explanation }) => `${anomaly}: ${explanation}`).join("\n");
}
