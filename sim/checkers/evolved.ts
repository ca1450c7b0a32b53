/** State whose form has changed: it says what was written in the form before, whichever code wrote it. */
import type { Finding } from "./finding.ts";

export interface Evolved {
  readonly added: readonly number[];
  /** Of all that was added; null where the last version of the code was not asked. */
  readonly sum: number | null;
}

export function checkEvolved(states: ReadonlyMap<string, Evolved>): Finding<"evolved-otherwise">[] {
  return [...states].flatMap(([key, { added, sum }]) => {
    const all = added.reduce((total, n) => total + n, 0);
    if (sum === all) return [];
    return [{ anomaly: "evolved-otherwise", explanation: `${key} has the sum ${sum}, not ${all}`, operations: [key] }];
  });
}
