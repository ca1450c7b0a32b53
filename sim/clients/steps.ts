/** Transactions as data, on lists: what a run of them saw shows in which order they committed (checkers/history.ts). */

/** Service and key of a list or an account. */
export type Place = readonly [service: string, key: string];

export type Step =
  /** Shows the list. */
  | { readonly op: "read" }
  | { readonly op: "append"; readonly value: number }
  /** Lets others run. */
  | { readonly op: "pause"; readonly ms: number }
  /** Only when so many divide the length of the list: a failure that shows what was read. */
  | { readonly op: "refuse" | "throw"; readonly every: number }
  | ({ readonly op: "call" | "try" | "catch" } & Call)
  /** Made at once and awaited together; no two touch one place. */
  | { readonly op: "all"; readonly calls: readonly Call[] }
  /** Made one after the other by what nobody awaits, in a function whose last step it is; when they have ended, the value is appended to its own list. */
  | { readonly op: "loose"; readonly calls: readonly Call[]; readonly value: number }
  /** A one-way message: the number in the order of those to this key is kept by the sender. */
  | { readonly op: "send"; readonly at: Place; readonly steps: readonly Step[] };

export interface Call {
  readonly at: Place;
  /** By the query, which takes a shared lock; its steps only read. */
  readonly look?: true;
  readonly steps: readonly Step[];
}

/** What was done, in its order; the names are those of the checkers. */
export type Micro = readonly ["append", string, number] | readonly ["read", string, readonly number[]];

/** What a function answers, and what a refusal tells. */
export interface Done {
  readonly m: Micro[];
}

export interface ListState {
  list: number[];
  /** Messages sent so far, by target. */
  sent: Record<string, number>;
  /** Sender and number of every message received, in order. */
  inbox: Array<[sender: string, number: number]>;
}

export function nameOf([service, key]: Place): string {
  return `${service}/${key}`;
}

/** Values that a program appends, in no order that means anything: some are under calls that may be undone. */
export function appendsOf(at: Place, steps: readonly Step[]): Micro[] {
  return steps.flatMap((step): Micro[] => {
    if (step.op === "append") return [["append", nameOf(at), step.value]];
    if (step.op === "all") return step.calls.flatMap((call) => appendsOf(call.at, call.steps));
    if (step.op === "loose")
      return [...step.calls.flatMap((call) => appendsOf(call.at, call.steps)), ["append", nameOf(at), step.value]];
    return step.op === "call" || step.op === "try" || step.op === "catch" ? appendsOf(step.at, step.steps) : [];
  });
}
