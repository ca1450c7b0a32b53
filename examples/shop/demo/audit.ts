/** The audits: what earlier runs left before this one begins, and everything that this run did when it has ended. */
import { isDeepStrictEqual } from "node:util";
import { type Call, type Outcome, outcomeOf, same } from "./calls.ts";
import { Customer } from "./customer.ts";
import { differs, type Findings } from "./findings.ts";
import { digestRows, type History } from "./history.ts";
import type { Http } from "./http.ts";
import type { Level, Shelf } from "./shelf.ts";
import type { Totals, View } from "./view.ts";
import type { Windows } from "./windows.ts";

/** Lines of one batch of queries. */
const LINES = 300;

/** Runs queries; outcomes in the order of the calls, undefined for what is neither result nor refusal. */
export async function ask(http: Http, calls: readonly Call[]): Promise<Array<Outcome | undefined>> {
  const outcomes: Array<Outcome | undefined> = [];
  for (let at = 0; at < calls.length; at += LINES) {
    const lines = calls.slice(at, at + LINES);
    const body = lines.map((call) => JSON.stringify(call)).join("\n");
    const request = { method: "POST", path: "/v1/batch?ordered=1", body, type: "application/x-ndjson" } as const;
    const answer = await http.send({ ...request, idempotencyKey: crypto.randomUUID() });
    const results = answer.text.split("\n").filter((text) => text !== "");
    if (answer.status !== 200 || results.length !== lines.length)
      throw new Error(
        `queries were answered ${answer.status}, ${results.length} of ${lines.length}: ${answer.text.slice(0, 300)}`,
      );
    for (const text of results) {
      const { status, result, problem } = JSON.parse(text) as { status: number; result?: unknown; problem?: unknown };
      outcomes.push(outcomeOf(status, status === 200 ? result : problem));
    }
  }
  return outcomes;
}

/** Levels of articles. */
export async function readLevels(http: Http, keys: readonly string[]): Promise<Map<string, Level>> {
  const outcomes = await ask(
    http,
    keys.map((key) => ({ service: "stock", key, function: "level" })),
  );
  return new Map(
    keys.map((key, at) => {
      const outcome = outcomes[at];
      if (outcome === undefined || !("result" in outcome)) throw new Error(`the level of ${key} cannot be read`);
      return [key, outcome.result as Level];
    }),
  );
}

/** Compares everything that is stored of customers with what is remembered. */
export async function auditCustomers(
  http: Http,
  findings: Findings,
  customers: readonly Customer[],
  whose: string,
): Promise<void> {
  const calls = customers.flatMap((customer) => customer.reading.map((call) => ({ customer, call })));
  const outcomes = await ask(
    http,
    calls.map(({ call }) => call),
  );
  const faults: string[] = [];
  for (const [at, { customer, call }] of calls.entries()) {
    const [expected, actual] = [customer.run(call), outcomes[at]];
    if (actual === undefined || !same(expected, actual))
      faults.push(differs(`${call.service} "${call.key}"`, expected, actual));
  }
  const orders = customers.reduce((sum, customer) => sum + customer.orders, 0);
  findings.check(
    `accounts and as many carts, with ${orders.toLocaleString("en")} orders, ${whose}`,
    customers.length,
    faults,
  );
}

/** What earlier runs left. */
export async function auditHistory(http: Http, findings: Findings, history: History, view: View): Promise<void> {
  const customers = history.runs.flatMap((run) => run.customers.map((state) => new Customer(state)));
  await auditCustomers(http, findings, customers, "as earlier runs left them");
  if (history.unfinished === undefined) {
    const keys = Object.keys(history.stock);
    const faults: string[] = [];
    for (const [key, level] of await readLevels(http, keys))
      if (!isDeepStrictEqual(level, history.stock[key]))
        faults.push(differs(`stock "${key}"`, history.stock[key], level));
    findings.check("articles in stock, as earlier runs left them", keys.length, faults);
  }
  const faults = view.doubled.map((place) => `row ${place} is shown twice`);
  let rows = 0;
  for (const { run, sales } of history.runs) {
    if (sales === undefined) continue;
    const found = digestRows(view.rows, sales.start, sales.end);
    rows += sales.rows;
    if (found.digest !== sales.digest)
      faults.push(`run ${run} left ${sales.rows} rows, and the ${found.rows} that are there differ`);
  }
  const { totals } = history;
  if (totals !== undefined) {
    for (const name of ["watermark", "events", "late", "batches"] as const)
      if (view.totals[name] < totals[name])
        faults.push(differs(`the view's ${name} went back`, totals[name], view.totals[name]));
  }
  findings.check("rows of the view, as earlier runs left them", rows, faults);
}

/** The stock after this run: every change replayed, and what is there now. Returns the levels. */
export async function auditStock(
  http: Http,
  findings: Findings,
  shelves: ReadonlyMap<string, Shelf>,
): Promise<Record<string, Level>> {
  const levels = await readLevels(http, [...shelves.keys()]);
  const faults: string[] = [];
  let changes = 0;
  for (const [key, shelf] of shelves) {
    const replayed = shelf.replay();
    faults.push(...replayed.faults);
    changes += shelf.changes;
    if (!isDeepStrictEqual(levels.get(key), replayed.level))
      faults.push(differs(`stock "${key}"`, replayed.level, levels.get(key)));
  }
  findings.check(
    `changes of ${shelves.size} articles by concurrent clients: in one order, none lost, none doubled, none against real time`,
    changes,
    faults,
  );
  return Object.fromEntries(levels);
}

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
