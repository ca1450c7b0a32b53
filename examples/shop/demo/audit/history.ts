/** What earlier runs left, before a run begins. */
import { isDeepStrictEqual } from "node:util";
import { Customer } from "../customer.ts";
import { differs, type Findings } from "../findings.ts";
import { digestRows, type History } from "../history.ts";
import type { Http } from "../http.ts";
import type { View } from "../view.ts";
import { readLevels } from "./ask.ts";
import { auditCustomers } from "./customers.ts";
import { auditOrders } from "./orders.ts";

const WHOSE = "as earlier runs left them";

export async function auditHistory(http: Http, findings: Findings, history: History, view: View): Promise<void> {
  const customers = history.runs.flatMap((run) => run.customers.map((state) => new Customer(state)));
  await auditCustomers(http, findings, customers, WHOSE);
  await auditOrders(http, findings, customers, WHOSE);
  if (history.unfinished === undefined) {
    const keys = Object.keys(history.stock);
    const faults: string[] = [];
    for (const [key, level] of await readLevels(http, keys))
      if (!isDeepStrictEqual(level, history.stock[key]))
        faults.push(differs(`stock "${key}"`, history.stock[key], level));
    findings.check(`articles in stock, ${WHOSE}`, keys.length, faults);
  }
  auditView(findings, history, view);
}

function auditView(findings: Findings, { runs, totals }: History, view: View): void {
  const faults = view.doubled.map((place) => `row ${place} is shown twice`);
  let rows = 0;
  for (const { run, sales } of runs) {
    if (sales === undefined) continue;
    const found = digestRows(view.rows, sales.start, sales.end);
    rows += sales.rows;
    if (found.digest !== sales.digest)
      faults.push(`run ${run} left ${sales.rows} rows, and the ${found.rows} that are there differ`);
  }
  if (totals !== undefined) {
    for (const name of ["watermark", "events", "late", "batches"] as const)
      if (view.totals[name] < totals[name])
        faults.push(differs(`the view's ${name} went back`, totals[name], view.totals[name]));
  }
  findings.check(`rows of the view, ${WHOSE}`, rows, faults);
}
