/** Words for the steps of programs. */
import type { Place, Shown, Step } from "../../../sim/program.ts";

export const add = (by: number): Step => ({ op: "add", by });
export const read: Step = { op: "read" };
export const fail: Step = { op: "throw" };
export const refuse: Step = { op: "refuse" };
export const pause = (ms: number): Step => ({ op: "pause", ms });

/** Steps of another function, by this kind of call. */
export const on = (op: "call" | "try" | "catch" | "loose", at: Place, ...steps: Step[]): Step => ({ op, at, steps });

/** Calls made at once. */
export const all = (...calls: Array<readonly [at: Place, ...steps: Step[]]>): Step => ({
  op: "all",
  calls: calls.map(([at, ...steps]) => ({ at, steps })),
});

/** What `read` shows of a place where only numbers were added. */
export const shown = (n: number): Shown => ({ n, ids: [], entries: [] });
