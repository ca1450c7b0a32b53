/**
 * Histories of list-append transactions as clients saw them. Lists are chosen because a read shows the whole past of its key, so
 * that the order of versions follows from what was read (Kingsbury & Alvaro, Elle, VLDB 2020, section 3).
 */

export type Key = string;
/** Appended at most once to a key in the whole history: a value names its write. */
export type Value = number | string;

/** The values of a read are null where nobody saw its answer. */
export type MicroOp = readonly ["append", Key, Value] | readonly ["read", Key, readonly Value[] | null];

export interface Moment {
  /** Position among all events of the history: real time is the order of these. */
  readonly index: number;
  /** The clock at that moment, for people only: many events share one reading. */
  readonly time: number;
}

/**
 * `ok` committed. `fail` certainly did not, and never will. `info` is unknown: it may have committed at any time since it was
 * invoked, or may still, or never.
 */
export type Outcome = "ok" | "fail" | "info";

export interface Operation {
  /** Unique in its history. */
  readonly name: string;
  /** Who asked; a process asks for one thing at a time. */
  readonly process: string;
  readonly invoked: Moment;
  /** Null while nobody knows an end; only an `info` operation may have none. */
  readonly completed: Moment | null;
  readonly outcome: Outcome;
  readonly micro: readonly MicroOp[];
}

export type History = readonly Operation[];

/** Long lists show their end only: that is where reads differ. */
const SHOWN_VALUES = 8;

export function formatValues(values: readonly Value[] | null): string {
  if (values === null) return "?";
  const left = values.length - SHOWN_VALUES;
  return left > 0 ? `[(${left} more) ${values.slice(left).join(" ")}]` : `[${values.join(" ")}]`;
}

export function formatOperation({ name, outcome, micro }: Operation): string {
  const steps = micro.map((step) =>
    step[0] === "append" ? `append ${step[1]} ${step[2]}` : `read ${step[1]} ${formatValues(step[2])}`,
  );
  return `${name}${outcome === "ok" ? "" : ` (${outcome})`}: ${steps.join(", ")}`;
}
