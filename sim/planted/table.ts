/** The table of planted bugs, as `npm run sim -- --bugs` prints it and docs/testing.md has it. */
import type { PlantedBug } from "./planted.ts";

/** When a bug was found, counted from seed 1, and by what. */
export interface Known {
  readonly seed: number;
  readonly by: string;
}

export const HEAD = "| bug | what is wrong | rule | found at seed | by |\n| --- | --- | --- | --- | --- |";

export function rowOf({ name, what, rule }: PlantedBug, known: Known | null): string {
  return `| ${[name, what, rule, known?.seed ?? "not found", known?.by ?? ""].join(" | ")} |`;
}

const STALLS = /^(without an answer|it does not drain|final reads are not answered)/;

/** Whether a checker, an assertion of the protocol, or a stall has found it, in a few words. */
export function foundBy(failure: string): string {
  const [line = ""] = failure.split("\n");
  const assertion = /InvariantError: (.*)$/.exec(line)?.[1];
  if (assertion !== undefined) return `assertion "${assertion.replaceAll(/\d+\.\d+/g, "N")}"`;
  if (STALLS.test(line) || line.includes("/problems/deadline-exceeded")) return "stall";
  if (line.startsWith("a final read was answered")) return "a final read that fails";
  if (line.includes(" and then ")) return "answers that differ";
  const anomaly = /^([a-zA-Z0-9 -]+):/.exec(line)?.[1];
  return anomaly ?? line.slice(0, 80);
}
