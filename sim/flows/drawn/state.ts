/** What keyed nodes keep: rows, as they came. */

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
  readonly left: Change[] = [];
  readonly right: Change[] = [];
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
export const resultOf = ({ out }: { readonly out: "count" | "sum" }, rows: readonly Change[]): number =>
  out === "count" ? rows.length : sumOf(rows);
