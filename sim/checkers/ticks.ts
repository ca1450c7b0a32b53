/**
 * Schedules: each of their times is one message, none early, none of a schedule that was changed or ended by then, and those that were missed while
 * nothing could run are one together (invariants 4 and 5).
 */
import type { Finding } from "./finding.ts";

export type TickAnomaly =
  | "tick-unarranged"
  | "tick-elsewhere"
  | "tick-repeated"
  | "tick-between"
  | "tick-early"
  | "tick-before-schedule"
  | "tick-after-schedule"
  | "tick-missing"
  | "tick-burst"
  | "schedule-unknown";

/** A schedule was made, perhaps in the place of one of the same name, or ended. Times in ms: `at` by the clock of who did, `ms` true, when it had. */
export type Arrangement =
  | {
      readonly op: "arrange";
      readonly n: number;
      readonly name: string;
      readonly to: string;
      /** ms. */
      readonly every: number;
      readonly at: number;
      readonly ms: number;
      /** It may have been made several times, by code that was there again: by clocks that are off one of its times can come again then. */
      readonly isRepeated?: boolean;
      /** What earlier code declared in its place: a time of one of these that was overdue when it changed, and is its own, too, is its message. */
      readonly follows?: readonly number[];
    }
  | { readonly op: "end"; readonly name: string; readonly was: boolean; readonly ms: number };

export interface Tick {
  readonly from: string;
  readonly n: number;
  readonly to: string;
  readonly id: string;
  /** The time of the schedule that it is for, by the clock of who keeps that, and the true time when it came; ms. */
  readonly due: number;
  readonly ms: number;
}

/** True times, ms: from when on, and until when. */
export type Span = readonly [from: number, to: number];

export interface TickHistory {
  /** By key, in their order. */
  readonly arranged: ReadonlyMap<string, readonly Arrangement[]>;
  readonly ticks: readonly Tick[];
  /** Everybody was up, and all clocks were right: nothing is missed. */
  readonly quiet: readonly Span[];
  /** Nobody was up. */
  readonly dark: readonly Span[];
  /** How far clocks may be off, each way, ms. */
  readonly skewMs: number;
}

interface Life {
  readonly from: string;
  readonly n: number;
  readonly to: string;
  readonly every: number;
  readonly at: number;
  readonly ms: number;
  readonly isRepeated: boolean;
  readonly follows: readonly number[];
  /** Infinity while it lasts. */
  endMs: number;
}

export function checkTicks(history: TickHistory): Finding<TickAnomaly>[] {
  const findings: Finding<TickAnomaly>[] = [];
  const find: Find = (anomaly, n, what) =>
    void findings.push({ anomaly, explanation: `the schedule ${n} ${what}`, operations: [String(n)] });
  const lives = new Map(
    [...history.arranged].flatMap(([from, all]) => livesOf(from, all, find)).map((life) => [life.n, life]),
  );
  const ids = new Set<string>();
  for (const tick of history.ticks) {
    if (ids.has(tick.id)) find("tick-repeated", tick.n, `sent one message, ${tick.id}, that came twice`);
    ids.add(tick.id);
    const life = lives.get(tick.n);
    if (life === undefined) find("tick-unarranged", tick.n, "sent a message, and nobody has made it");
    else checkTick(history, { life, before: life.follows.flatMap((n) => lives.get(n) ?? []) }, tick, find);
  }
  const byLife = Map.groupBy(history.ticks, ({ n }) => n);
  for (const life of lives.values()) checkLife(history, life, byLife.get(life.n) ?? [], find);
  return findings;
}

type Find = (anomaly: TickAnomaly, n: number, what: string) => void;

function livesOf(from: string, all: readonly Arrangement[], find: Find): Life[] {
  const lives: Life[] = [];
  const present = new Map<string, Life>();
  for (const each of all) {
    const before = present.get(each.name);
    if (before) before.endMs = each.ms;
    present.delete(each.name);
    if (each.op === "end") {
      if (each.was !== (before !== undefined))
        find(
          "schedule-unknown",
          before?.n ?? 0,
          `"${each.name}" of ${from} was ${each.was ? "" : "not "}there when it was ended`,
        );
      continue;
    }
    const { n, to, every, at, ms, isRepeated = false, follows = [] } = each;
    const life: Life = { from, n, to, every, at, ms, isRepeated, follows, endMs: Infinity };
    present.set(each.name, life);
    lives.push(life);
  }
  return lives;
}

interface Lives {
  readonly life: Life;
  /** Those that it follows. */
  readonly before: readonly Life[];
}

function checkTick({ skewMs, ticks }: TickHistory, { life, before }: Lives, tick: Tick, find: Find): void {
  const { from, n, to, due, ms } = tick;
  if (from !== life.from || to !== life.to)
    find("tick-elsewhere", n, `of ${life.from} for ${life.to} was of ${from} and came to ${to}`);
  if (due % life.every !== 0) find("tick-between", n, `sent a message for ${due}, between its times`);
  if (ms < due - skewMs) find("tick-early", n, `sent a message ${due - ms} ms early`);
  const overdue = before.filter(({ at, every }) => due > at && due % every === 0);
  const sent = ticks.find((other) => other.due === due && overdue.some(({ n: earlier }) => earlier === other.n));
  if (due <= life.at && sent && !(life.isRepeated && skewMs > 0))
    find("tick-repeated", n, `sent a message for ${due}, as ${sent.n} did before it`);
  if (due <= life.at && overdue.length === 0)
    find("tick-before-schedule", n, `sent a message for a time ${life.at - due} ms before it was made`);
  // Who ends it has the key to itself, as has who fires: what fired did so before.
  if (due > life.endMs + skewMs)
    find("tick-after-schedule", n, `sent a message for a time ${due - life.endMs} ms after its end`);
}

function checkLife({ quiet, dark, skewMs }: TickHistory, life: Life, ticks: readonly Tick[], find: Find): void {
  const dues = new Set<number>();
  for (const { due } of ticks) {
    if (dues.has(due) && !(life.isRepeated && skewMs > 0))
      find("tick-repeated", life.n, `sent two messages for ${due}`);
    dues.add(due);
  }
  const isThere = ([from, to]: Span): boolean => life.ms <= from && life.endMs > to;
  for (const span of quiet.filter(isThere)) {
    const missing = timesIn(life, span).filter((time) => !dues.has(time));
    if (missing.length > 0) find("tick-missing", life.n, `sent nothing for ${missing.join(", ")}`);
  }
  for (const span of dark.filter(isThere)) {
    const times = timesIn(life, span);
    const sent = times.filter((time) => dues.has(time));
    if (sent.length > 1) find("tick-burst", life.n, `sent ${sent.length} messages for times that were missed together`);
    if (sent.length === 0 && times.length > 0)
      find("tick-missing", life.n, `sent nothing for the ${times.length} times that were missed`);
  }
}

/** Behind the first moment, and up to the last. */
function timesIn({ every }: Life, [from, to]: Span): number[] {
  const times: number[] = [];
  for (let time = Math.floor(from / every) * every + every; time <= to; time += every) times.push(time);
  return times;
}
