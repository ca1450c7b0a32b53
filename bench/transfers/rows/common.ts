/** What the groups of rows share: words for shares of a core, and the largest of a figure. */
import { pick } from "../../lib/report.ts";

/** The largest of one figure. */
export function most<F extends string>(runs: ReadonlyArray<Readonly<Record<F, number>>>, figure: F): number {
  return Math.max(...pick(runs, figure));
}

/** A share of a core. */
export function share(cpu: number): string {
  return `${Math.round(cpu * 100)} %`;
}
