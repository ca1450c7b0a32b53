/**
 * Sagas that may end anywhere: each ends once, and either all its steps count, once each, or none does that is not made up for, once each
 * and last first (invariant 1).
 */
import type { Finding } from "./finding.ts";

export type TourAnomaly =
  | "saga-unended"
  | "saga-unasked"
  | "saga-step"
  | "saga-compensation"
  | "saga-after-cancel"
  | "saga-ended-otherwise"
  | "saga-two-ends"
  | "saga-effect";

export interface TourHistory {
  /** Runs that committed transactions started. */
  readonly begun: ReadonlyArray<{
    readonly n: number;
    /** What fails for good, or `well`. */
    readonly end: string;
    readonly isFlaky: boolean;
    readonly hasDeadline: boolean;
  }>;
  /** What steps and compensations noted. */
  readonly notes: readonly string[];
  /** What was told of the ends: `ok`, or the type of an error. */
  readonly over: ReadonlyArray<{ readonly n: number; readonly how: string }>;
  /** What the effect of each did, and under which key. */
  readonly done: ReadonlyArray<{ readonly n: number; readonly id: string }>;
  /** Cancels that were asked for, whatever they were told. */
  readonly cancelled: ReadonlySet<number>;
  /** Those that were told that it is cancelled. */
  readonly cancelsWon: ReadonlySet<number>;
  /** Promises that somebody may have rejected. */
  readonly rejected: ReadonlySet<number>;
  /** How it was said to have ended, by whoever looked. */
  readonly seen: ReadonlyArray<{ readonly n: number; readonly completed: boolean }>;
}

/** What is done, and what makes up for it, in the order of the steps. */
const PAIRS = [
  ["hold", "release"],
  ["ask", "disagree"],
  ["toll", "refund"],
  ["board", "alight"],
] as const;

export function checkTours(history: TourHistory): Finding<TourAnomaly>[] {
  const findings: Finding<TourAnomaly>[] = [];
  const find = (anomaly: TourAnomaly, n: number, what: string): void =>
    void findings.push({ anomaly, explanation: `the saga ${n} ${what}`, operations: [String(n)] });
  const known = new Set(history.begun.map(({ n }) => n));
  for (const note of history.notes) {
    const n = Number(note.split(" ")[1]);
    if (!known.has(n)) find("saga-unasked", n, `noted "${note}", and nobody started it`);
  }
  for (const { n } of [...history.over, ...history.done]) {
    if (!known.has(n)) find("saga-unasked", n, "did something, and nobody started it");
  }
  for (const tour of history.begun) checkOne(history, tour, (anomaly, what) => find(anomaly, tour.n, what));
  return findings;
}

type Find = (anomaly: TourAnomaly, what: string) => void;

function checkOne(history: TourHistory, tour: TourHistory["begun"][number], find: Find): void {
  const { n } = tour;
  const ends = history.over.filter((each) => each.n === n).map(({ how }) => how);
  if (ends.length !== 1) find("saga-unended", `ended ${ends.length} times${ends.map((how) => `: ${how}`).join("")}`);
  const [how] = ends;
  if (how === undefined) return;
  const isWell = how === "ok";
  const times = (name: string): number => history.notes.filter((note) => note === `${name} ${n}`).length;
  checkSteps(times, how, find);
  const keys = new Set(history.done.filter((each) => each.n === n).map(({ id }) => id));
  if (keys.size > 1) find("saga-effect", `has ${keys.size} effects where it asks for one`);
  if (keys.size === 0 && (isWell || times("board") > 0)) find("saga-effect", "went on without its effect");
  if (isWell && tour.end !== "well") find("saga-ended-otherwise", `ended well, and "${tour.end}" was to fail`);
  if (!isWell && !mayFailBy(history, tour, how))
    find("saga-ended-otherwise", `ended by "${how}", for which there is no reason`);
  if (isWell && history.cancelsWon.has(n))
    find("saga-after-cancel", "ended well, and a cancel was told that it was in time");
  for (const seen of history.seen) {
    if (seen.n === n && seen.completed !== isWell)
      find(
        "saga-two-ends",
        `ended by "${how}", and somebody was told that it ${seen.completed ? "completed" : "did not"}`,
      );
  }
}

function checkSteps(times: (name: string) => number, how: string, find: Find): void {
  const isWell = how === "ok";
  const leaves = times("leave");
  // Nothing makes up for the last step: a cancel may come between that and the end.
  if (leaves !== Number(isWell) && !(how === "cancelled" && leaves === 1))
    find("saga-step", `took its last step ${leaves} times, and ended ${isWell ? "well" : "badly"}`);
  for (const name of ["hold", "ask", "board"]) {
    const count = times(name);
    if (count > 1 || (isWell && count === 0)) find("saga-step", `took the step "${name}" ${count} times`);
  }
  for (const [at, [name, undo]] of PAIRS.entries()) {
    const count = times(undo);
    const least = isWell ? 0 : leastUndone(times, at);
    // Whether an event or an effect came in time is not noted: those may be made up for, or not.
    const most = isWell ? 0 : name === "toll" ? 1 : times(name);
    if (count < least || count > most)
      find("saga-compensation", `was made up for "${name}" ${count} times, not ${least} to ${most}`);
  }
}

/** What was surely done must be made up for: a transaction that noted so, and all before one that was made up for. */
function leastUndone(times: (name: string) => number, at: number): number {
  const [name] = PAIRS[at] as (typeof PAIRS)[number];
  const isNoted = (name === "hold" || name === "board") && times(name) > 0;
  const isBehind = PAIRS.slice(at + 1).some(
    ([later, undo]) => times(undo) > 0 || (later === "board" && times(later) > 0),
  );
  return Number(isNoted || isBehind);
}

function mayFailBy(
  history: TourHistory,
  { n, end, isFlaky, hasDeadline }: TourHistory["begun"][number],
  how: string,
): boolean {
  switch (how) {
    case "cancelled":
      return history.cancelled.has(n);
    case "rejected":
      return history.rejected.has(n);
    case "deadline":
      return hasDeadline;
    case "failed":
      return end === "leave";
    // Attempts of effects are lost now and then, and it has six.
    case "effect-failed":
    case "interrupted":
    case "timeout":
      return true;
    case "internal-error":
      return isFlaky;
    default:
      return false;
  }
}
