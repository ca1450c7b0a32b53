/** One run of the demo: what it has to work with, and its two parts, each driven and audited. */
import { readLevels } from "./audit/ask.ts";
import { auditCustomers } from "./audit/customers.ts";
import { auditOrders } from "./audit/orders.ts";
import { auditSales } from "./audit/sales.ts";
import { auditStock } from "./audit/stock.ts";
import { auditSums } from "./audit/sums.ts";
import { Customer } from "./customer.ts";
import { type Drive, driveBatches, driveDeliveries, driveSingles } from "./drive.ts";
import type { Findings } from "./findings.ts";
import { STOCKED } from "./goods.ts";
import { digestRows, type History, type PastRun } from "./history.ts";
import { Growing } from "./grow.ts";
import type { Http } from "./http.ts";
import { ingest } from "./ingest.ts";
import type { Options } from "./options.ts";
import { OrderTimes } from "./order-times.ts";
import { duration } from "./sales.ts";
import { type Level, Shelf } from "./shelf.ts";
import { openingDeliveries } from "./shopping.ts";
import type { Tally } from "./tally.ts";
import { readView, type View } from "./view.ts";
import { OUT_OF_ORDERNESS, SIZE, Windows } from "./windows.ts";

/** Share of checkouts that come as requests of their own. */
const SINGLE_SHARE = 0.3;
/** The same with `--grow`: partitions come while requests come alone, and go while batches do. */
const GROWING_SINGLE_SHARE = 0.5;
/** Checkouts of one customer, about. */
const CHECKOUTS_PER_CUSTOMER = 20;
/** Event time of the first run, unless the stream is further: 2026-01-01. */
const FIRST_EVENT = Date.UTC(2026, 0, 1);

export interface Run {
  readonly options: Options;
  readonly http: Http;
  readonly name: string;
  readonly seed: number;
  readonly findings: Findings;
}

function newCustomers({ options, name }: Run): Customer[][] {
  const each = Math.max(4, Math.ceil(options.checkouts / CHECKOUTS_PER_CUSTOMER / options.clients));
  return Array.from({ length: options.clients }, (_, client) =>
    Array.from(
      { length: each },
      (__, at) => new Customer({ key: `${name}/customer-${client * each + at}`, balance: 0, cart: [], orders: [] }),
    ),
  );
}

function newDrive(run: Run, levels: ReadonlyMap<string, Level>): Drive {
  const { http, name, seed } = run;
  return {
    http,
    run: name,
    done: 0,
    seed,
    shelves: new Map([...levels].map(([key, level]) => [key, new Shelf(key, level)])),
    orders: new OrderTimes(),
    counter: { cents: 0, pieces: 0 },
    refusals: new Map(),
    clients: newCustomers(run),
    faults: [],
  };
}

export interface Served {
  /** What it cost that partitions came and went, for people. */
  readonly growth: readonly string[];
  readonly tallies: readonly Tally[];
  /** Refused checkouts by the refusal. */
  readonly refusals: ReadonlyMap<string, number>;
  /** What is to be remembered. */
  readonly customers: PastRun["customers"];
  readonly stock: History["stock"];
}

/** Drives and audits the services. */
export async function services(run: Run): Promise<Served> {
  const { http, findings } = run;
  const { checkouts } = run.options;
  const levels = await readLevels(
    http,
    STOCKED.map(({ name }) => name),
  );
  const drive = newDrive(run, levels);
  await driveDeliveries(drive, openingDeliveries(levels, checkouts));
  const alone = Math.round(checkouts * (run.options.grow ? GROWING_SINGLE_SHARE : SINGLE_SHARE));
  const growing = run.options.grow ? new Growing(http, run.options.adminToken, checkouts) : undefined;
  if (growing) http.onAnswer = (from, to, { path }) => growing.answered(from, to, path === "/v1/batch");
  const grown = growing?.run(() => drive.done);
  const singles = await driveSingles(drive, alone);
  const batches = await driveBatches(drive, checkouts - alone);
  growing?.end();
  await grown;
  http.onAnswer = undefined;
  growing?.check(findings);
  const tallies = [singles.checkouts, singles.others, batches.checkouts, batches.others];
  const answered = tallies.reduce((sum, tally) => sum + tally.answered, 0);
  const customers = drive.clients.flat();
  const money = await auditCustomers(http, findings, customers, "as foretold");
  const stored = await auditOrders(http, findings, customers, "as foretold");
  const stock = await auditStock(http, findings, drive, stored);
  const before = [...levels.values()].reduce((sum, { available }) => sum + available, 0);
  auditSums(findings, { stored, money, counter: drive.counter, before, levels: stock });
  findings.check("answers of services, each as the demo foretold it", answered, drive.faults);
  return {
    growth: growing?.lines() ?? [],
    tallies,
    refusals: drive.refusals,
    customers: customers.map(({ state }) => state),
    stock,
  };
}

/** Drives and audits the stream. Returns what is to be remembered. */
export async function sales(run: Run, view: View): Promise<{ tally: Tally; view: View; sales: PastRun["sales"] }> {
  const { http, options, findings, name, seed } = run;
  const { watermark } = view.totals;
  const size = SIZE;
  const seen = watermark + OUT_OF_ORDERNESS;
  const start = Math.max(FIRST_EVENT, Number.isFinite(seen) ? (Math.floor(seen / size) + 1) * size : 0);
  const end = start + duration(options.events);
  const windows = new Windows(watermark);
  const faults: string[] = [];
  const sent = await ingest({ http, run: name, seed, events: options.events, start, windows, faults });
  findings.check("batches of events, each answered as the demo foretold it", sent.batches, faults);
  const after = await readView(http);
  const { batches, late } = sent;
  auditSales(findings, {
    view: after,
    before: view.totals,
    windows,
    events: options.events,
    late,
    batches,
    start,
    end,
  });
  return { tally: sent.tally, view: after, sales: { start, end, ...digestRows(after.rows, start, end) } };
}
