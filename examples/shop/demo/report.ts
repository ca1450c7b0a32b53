/** The table at the end of a run. */
import type { Tally } from "./tally.ts";

const number = (value: number): string => Math.round(value).toLocaleString("en");
const milliseconds = (value: number): string => (value < 10 ? value.toFixed(1) : number(value));

/** Lines of the table; latencies are milliseconds from sending a request to the end of its answer. */
export function table(tallies: readonly Tally[]): string[] {
  const rows = [
    ["", "per second", "p50 ms", "p95 ms", "p99 ms", "of one", "answered", "refused", "replayed", "seconds"],
    ...tallies.map((tally) => [
      tally.name,
      number(tally.answered / tally.seconds),
      ...tally.latencies.percentiles(50, 95, 99).map(milliseconds),
      tally.unit,
      number(tally.answered),
      number(tally.refused),
      number(tally.replayed),
      tally.seconds.toFixed(1),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const left = new Set([0, 5]);
  return rows.map((row) =>
    row
      .map((cell, column) => (left.has(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
}
