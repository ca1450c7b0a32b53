/** Sagas: each that was started ends once and as it should, each step counts once, and what was done before a failure is made up for once. */
import type { Finding } from "./finding.ts";

export type SagaAnomaly = "saga-unended" | "saga-ended-otherwise" | "saga-step" | "saga-compensation" | "saga-unasked";

export interface SagaHistory {
  /** The step that is to fail, or `well`. */
  readonly begun: ReadonlyArray<{ readonly n: number; readonly end: string }>;
  /** What steps and compensations noted, and what was told of the end. */
  readonly notes: readonly string[];
}

export function checkSagas({ begun, notes }: SagaHistory): Finding<SagaAnomaly>[] {
  const findings: Finding<SagaAnomaly>[] = [];
  const find = (anomaly: SagaAnomaly, n: number, what: string): void =>
    void findings.push({ anomaly, explanation: `the saga ${n} ${what}`, operations: [String(n)] });
  const known = new Set(begun.map(({ n }) => n));
  for (const note of notes) {
    const n = Number(note.split(" ")[1]);
    if (!known.has(n)) find("saga-unasked", n, `noted "${note}", and nobody started it`);
  }
  for (const { n, end } of begun) {
    const times = (note: string): number => notes.filter((each) => each === note).length;
    const isWell = end === "well";
    const [ended, otherwise] = [times(`over ${n} ${isWell}`), times(`over ${n} ${!isWell}`)];
    if (otherwise > 0) find("saga-ended-otherwise", n, `was to end ${end}`);
    if (ended !== 1) find("saga-unended", n, `ended ${ended} times`);
    const booked = times(`book ${n}`);
    if (booked !== Number(end !== "book")) find("saga-step", n, `has booked ${booked} times, and was to end ${end}`);
    if (times(`go ${n}`) !== Number(isWell))
      find("saga-step", n, `went ${times(`go ${n}`)} times, and was to end ${end}`);
    const undone = times(`undo ${n}`);
    if (undone !== Number(end === "pay" || end === "go"))
      find("saga-compensation", n, `was made up for ${undone} times`);
  }
  return findings;
}
