/** Words for the steps of programs. */
import type { Place, Shown, Step } from "../../../sim/program.ts";
import { noted, openGate, until } from "../../app/src/gates.ts";
import { pausedAt } from "../../app/src/pause.ts";

export const add = (by: number): Step => ({ op: "add", by });
export const read: Step = { op: "read" };
export const fail: Step = { op: "throw" };
export const refuse: Step = { op: "refuse" };
export const put = (key: string | number, value: number): Step => ({ op: "put", key, value });
/** Without a time, until others have had their turn. */
export const pause = (ms?: number): Step => ({ op: "pause", ...(ms === undefined ? {} : { ms }) });

/** A pause at which so many functions have to be at the same time before any goes on: one behind the other they never are. */
export function meeting(functions: number): { readonly step: Step; readonly met: Promise<void> } {
  const gate = -++meetings;
  const met = until(() => noted(pausedAt(gate)) >= functions, `${functions} functions to meet`).then(() =>
    openGate(pausedAt(gate)),
  );
  return { step: pause(gate), met };
}
let meetings = 0;

/** Steps of another function, by this kind of call. */
export const on = (op: "call" | "try" | "catch" | "loose", at: Place, ...steps: Step[]): Step => ({ op, at, steps });

/** Calls made at once. */
export const all = (...calls: Array<readonly [at: Place, ...steps: Step[]]>): Step => ({
  op: "all",
  calls: calls.map(([at, ...steps]) => ({ at, steps })),
});

/** What `read` shows of a place. */
export const shown = (n: number, entries: Shown["entries"] = [], ids: Shown["ids"] = []): Shown => ({
  n,
  ids,
  entries,
});
