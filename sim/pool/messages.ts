/** What the threads of a simulation say to each other. */

import type { Explored } from "../enumerate/explore.ts";

/** How runs are made; the same for all of a simulation. */
export interface Settings {
  readonly transactions: number;
  readonly sends: boolean;
  readonly local: boolean;
  /** Name of a planted bug. */
  readonly bug: string | null;
  /** Limits of the protocol that are to be other than planted/small-limits.ts has them. */
  readonly limits?: Readonly<Record<string, number>>;
}

/** What a thread is asked for. */
export type Order =
  | { readonly kind: "seeds"; readonly seeds: readonly number[] }
  /** One seed with its lines. */
  | { readonly kind: "show"; readonly seed: number }
  /** A smaller plan that fails as well. */
  | { readonly kind: "shrink"; readonly seed: number; readonly budgetMs: number }
  /** One scenario of enumerate/scenarios.ts, with a crash at each boundary, and at so many pairs of them. */
  | { readonly kind: "enumerate"; readonly scenario: string; readonly pairs: number; readonly every: boolean };

export interface SeedResult {
  readonly seed: number;
  readonly hash: string;
  readonly failures: readonly string[];
  readonly notes: readonly string[];
}

export type Counts = ReadonlyArray<readonly [name: string, count: number]>;

/** Of the seeds of one order. */
export interface Done {
  readonly kind: "seeds";
  readonly results: readonly SeedResult[];
  readonly transactions: number;
  readonly simulatedMs: number;
  readonly events: number;
  readonly messages: number;
  readonly newer: number;
  readonly carried: number;
  /** The least of any seed. */
  readonly fewestTransactions: number;
  readonly fewestFaults: number;
  readonly faults: Counts;
  readonly answers: Counts;
  readonly coverage: Counts;
}
export interface Shown {
  readonly kind: "show";
  readonly result: SeedResult;
  readonly lines: readonly string[];
  readonly faults: Counts;
  readonly answers: Counts;
}
export interface Shrunk {
  readonly kind: "shrink";
  readonly seed: number;
  readonly text: string;
}
/** A seed begins. */
interface Began {
  readonly kind: "began";
  readonly seed: number;
}
export type Said = Answer | Began;

export type Answer =
  | Done
  | Shown
  | Shrunk
  | { readonly kind: "enumerated"; readonly explored: Explored }
  | { readonly kind: "broken"; readonly error: string };
