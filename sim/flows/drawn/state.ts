/** What keyed nodes keep: rows, as they came. */
import type { Output } from "./graph.ts";

/** A row that comes, or is taken back. */
export interface Change {
  readonly k: number;
  readonly v: number;
  /** Event time, where it is that of an event. */
  readonly at: number;
  readonly sign: 1 | -1;
}

export interface Session {
  readonly rows: readonly Change[];
  /** What was given of it, or of those that it has swallowed. */
  readonly given: readonly Change[];
}

/** Of a keyed node since it began. */
export class State {
  /** By the texts of groups, or of windows: rows that it has, each as often as it came and was not taken back. */
  readonly groups = new Map<string, Change[]>();
  /** The latest time of each of these. */
  readonly times = new Map<string, number>();
  /** Of joins. */
  left: Change[] = [];
  right: Change[] = [];
  readonly newest = new Map<number, Change>();
  /** Of user code: events by key, and what is to ring by time and key. */
  readonly counts = new Map<number, number>();
  readonly timers = new Map<string, Change>();
  /** Those that have ended, too. */
  sessions: Session[] = [];
  /** Rows that came too late, of the last batch. */
  late = 0;
  /** How far its time has come. */
  mark = Number.NEGATIVE_INFINITY;
}

export const sumOf = (rows: readonly Change[]): number => rows.reduce((sum, { v }) => sum + v, 0);
export const maxOf = (rows: readonly Change[]): number => Math.max(...rows.map(({ v }) => v));
const distinctOf = (rows: readonly Change[]): number => new Set(rows.map(({ v }) => v)).size;
/** @param rows at least one */
export function resultOf({ out }: { readonly out: Output }, rows: readonly Change[]): number {
  if (out === "count") return rows.length;
  return out === "sum" ? sumOf(rows) : maxOf(rows);
}
/** What a view shows of a group that takes nothing back. */
export function shownGroup(rows: readonly Change[]): object {
  return { n: rows.length, s: sumOf(rows), m: maxOf(rows), d: distinctOf(rows) };
}
export const newestOf = (rows: readonly Change[]): number => Math.max(...rows.map(({ at }) => at));
