/** The view of sales after a run, row by row, and its counters. */
import { isDeepStrictEqual } from "node:util";
import { differs, type Findings } from "../findings.ts";
import type { Totals, View } from "../view.ts";
import type { Windows } from "../windows.ts";

export interface SalesAudit {
  readonly view: View;
  readonly before: Totals;
  readonly windows: Windows;
  readonly events: number;
  readonly late: number;
  readonly batches: number;
  /** Event times of this run: from `start`, not including `end`. */
  readonly start: number;
  readonly end: number;
}

/** The view after this run, row by row, and its counters. */
export function auditSales(findings: Findings, audit: SalesAudit): void {
  const { view, before, windows, start, end } = audit;
  const faults = view.doubled.map((place) => `row ${place} is shown twice`);
  const expected = windows.rows();
  for (const [place, row] of expected)
    if (!isDeepStrictEqual(view.rows.get(place), row)) faults.push(differs(`row ${place}`, row, view.rows.get(place)));
  for (const [place, row] of view.rows) {
    const window = Number.parseInt(place, 10);
    if (window >= start && window < end && !expected.has(place)) faults.push(differs(`row ${place}`, undefined, row));
  }
  findings.check("rows of the view, against windows of the demo's own", expected.size, faults);
  const totals: Totals = {
    watermark: windows.watermark,
    events: before.events + audit.events,
    late: before.late + audit.late,
    batches: before.batches + audit.batches,
  };
  const wrong = isDeepStrictEqual(view.totals, totals) ? [] : [differs("counters of the view", totals, view.totals)];
  findings.check(
    `events taken once each, ${audit.late.toLocaleString("en")} of them late and counted as such`,
    audit.events,
    wrong,
  );
}
