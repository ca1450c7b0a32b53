/** One seed, for people. */
import type { Shown } from "../pool/messages.ts";
import { table } from "./totals.ts";

export function showSeed({ result, lines, faults, answers }: Shown, trace: boolean): string {
  const parts = [
    ...(trace ? lines : []),
    `hash ${result.hash}`,
    `Faults:\n${table(new Map(faults))}`,
    `Answers:\n${table(new Map(answers))}`,
    ...result.notes.map((note) => `note: ${note}`),
    ...result.failures.map((failure) => `FAILED: ${failure}`),
  ];
  return parts.join("\n");
}
