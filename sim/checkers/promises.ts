/** Promises: each that was made ends once, by one event or its deadline, and everybody who asks is told the same end (invariants 2 and 4). */
import type { Finding } from "./finding.ts";

export type PromiseAnomaly =
  | "promise-unended"
  | "promise-ended-twice"
  | "promise-unmade"
  | "promise-made-twice"
  | "promise-early"
  | "promise-unsettled"
  | "promise-two-ends"
  | "promise-unknown"
  | "promise-stale";

export interface PromiseHistory {
  /** Promises that committed transactions made, in no order. An id may be used again when its promise is forgotten. Times are true, ms. */
  readonly made: ReadonlyArray<{
    readonly n: number;
    readonly id: string;
    /** By the clock of who made it. */
    readonly deadline: number | null;
    readonly ms: number;
    /** When a client knew of it; Infinity when none did. */
    readonly knownMs: number;
  }>;
  /** What those were told who wait. */
  readonly heard: ReadonlyArray<{ readonly n: number; readonly how: string; readonly ms: number }>;
  /** Ends that events from outside asked for, whatever became of them, and when. */
  readonly asked: ReadonlyArray<{ readonly id: string; readonly how: string; readonly invokedMs: number }>;
  /** What those were answered that settled a promise or looked at it. `how` is absent for one that waits, null for one that is not known. */
  readonly seen: ReadonlyArray<{
    readonly id: string;
    readonly how: string | null | undefined;
    readonly invokedMs: number;
    readonly completedMs: number;
    /** It may be old. */
    readonly snapshot: boolean;
  }>;
  /** How long one is kept when it has ended, ms. */
  readonly keptMs: number;
  /** How far clocks may be off, each way, ms. */
  readonly skewMs: number;
}

export const DEADLINE = "deadline";

export function checkPromises(history: PromiseHistory): Finding<PromiseAnomaly>[] {
  const { made, heard, skewMs } = history;
  const findings: Finding<PromiseAnomaly>[] = [];
  const find = (anomaly: PromiseAnomaly, id: string, what: string): void =>
    void findings.push({ anomaly, explanation: `the promise ${id} ${what}`, operations: [id] });
  const ends = Map.groupBy(heard, ({ n }) => n);
  const known = new Set(made.map(({ n }) => n));
  for (const { n, how } of heard)
    if (!known.has(n)) find("promise-unmade", `of ${n}`, `ended ("${how}"), and nobody made it`);
  for (const [id, lives] of Map.groupBy(made, (each) => each.id)) {
    const asked = askedOf(history, id);
    for (const { n, deadline } of lives) {
      const [end, ...others] = ends.get(n) ?? [];
      if (end === undefined) find("promise-unended", id, `of ${n} never ended`);
      if (others.length > 0)
        find("promise-ended-twice", id, `of ${n} ended ${[end, ...others].map((each) => each?.how).join(" and ")}`);
      if (end === undefined) continue;
      if (end.how !== DEADLINE && !asked.has(end.how))
        find("promise-unsettled", id, `of ${n} ended "${end.how}", which nobody said`);
      if (end.how !== DEADLINE) continue;
      const early = (deadline ?? Infinity) - end.ms - 2 * skewMs;
      if (early > 0) find("promise-early", id, `of ${n} came to its deadline ${early} ms early`);
    }
    const [life, ...more] = lives.map(({ n, ms, knownMs }) => {
      const end = endOf(ends.get(n));
      // A transaction has the time at which it was asked for, however late it runs: the end may be dated before the promise was made.
      return { n, knownMs, ...end, ms, keptFromMs: Math.min(ms, asked.get(end.how ?? "") ?? ms) };
    });
    // Where an id was used again nobody knows which of them an answer is about.
    if (more.length > 0 || life === undefined)
      checkLives(history, [...(life ? [life] : []), ...more], (n) =>
        find("promise-made-twice", id, `was made by ${n} while there was one`),
      );
    else checkAllSeen(history, id, life, (anomaly, what) => find(anomaly, id, what));
  }
  return findings;
}

/** Ends that were asked for, with the first time that each was. */
function askedOf({ asked }: PromiseHistory, id: string): Map<string, number> {
  const first = new Map<string, number>();
  for (const each of asked) {
    if (each.id === id) first.set(each.how, Math.min(each.invokedMs, first.get(each.how) ?? Infinity));
  }
  return first;
}

interface Life {
  readonly n: number;
  readonly ms: number;
  /** Its end has no earlier date. */
  readonly keptFromMs: number;
  readonly knownMs: number;
  readonly endMs: number;
  readonly how: string | undefined;
}

function endOf(heard: ReadonlyArray<{ readonly how: string; readonly ms: number }> = []): Pick<Life, "endMs" | "how"> {
  return { endMs: heard[0]?.ms ?? Infinity, how: heard[0]?.how };
}

/** One after the other, in whatever order: none is forgotten before its time, and who waits for it may hear of its end after that. */
function checkLives({ keptMs, skewMs }: PromiseHistory, lives: readonly Life[], find: (n: number) => void): void {
  // A function runs for as long as its calls take: of two that overlap, either may have made its promise first, when the other's was forgotten.
  const mayFollow = (before: Life, after: Life): boolean =>
    before.keptFromMs + keptMs - 2 * skewMs <= after.knownMs && before.ms <= after.knownMs;
  const inOrder = lives.toSorted((one, other) => one.ms - other.ms);
  for (const [at, life] of inOrder.entries())
    if (inOrder.slice(0, at).some((before) => !mayFollow(before, life) && !mayFollow(life, before))) find(life.n);
}

type Find = (anomaly: PromiseAnomaly, what: string) => void;

function checkAllSeen({ seen, keptMs, skewMs }: PromiseHistory, id: string, life: Life, find: Find): void {
  // It cannot have been forgotten before.
  const surelyMs = life.keptFromMs + keptMs - 2 * skewMs;
  for (const each of seen) {
    if (each.id !== id) continue;
    const { how, invokedMs, completedMs, snapshot } = each;
    if (typeof how === "string" && how !== life.how)
      find("promise-two-ends", `ended "${life.how}", and somebody was told "${how}"`);
    if (snapshot) continue;
    if (how === null && invokedMs >= life.knownMs && completedMs < surelyMs)
      find("promise-unknown", "was told to be unknown, and somebody knew of it");
    if (how === undefined && invokedMs > life.endMs) find("promise-stale", "was told to wait when it had ended");
  }
}
