/** `npm run demo`: drives the shop over HTTP as its customers and tills would, and audits every answer and all that is stored. */
import { auditCustomers, auditHistory, auditSales, auditStock, readLevels } from "./audit.ts";
import { Customer } from "./customer.ts";
import { type Drive, driveBatches, driveSingles, type Tally } from "./drive.ts";
import { Findings } from "./findings.ts";
import { ARTICLES } from "./goods.ts";
import { digestRows, type History, type PastRun, readHistory, withRun, writeHistory } from "./history.ts";
import { Http } from "./http.ts";
import { ingest } from "./ingest.ts";
import { HELP, type Options, readOptions, UsageError } from "./options.ts";
import { table } from "./report.ts";
import { duration } from "./sales.ts";
import { Shelf } from "./shelf.ts";
import { stockKey } from "./shopping.ts";
import { readView, type View } from "./view.ts";
import { Windows } from "./windows.ts";
import { salesPerMinute } from "../src/sales.ts";

/** Share of calls that come as requests of their own. */
const SINGLE_SHARE = 0.15;
/** Calls that one customer makes, about. */
const CALLS_PER_CUSTOMER = 40;
/** Event time of the first run, unless the stream is further: 2026-01-01. */
const FIRST_EVENT = Date.UTC(2026, 0, 1);

interface Run {
  readonly options: Options;
  readonly http: Http;
  readonly name: string;
  readonly seed: number;
  readonly findings: Findings;
}

function newCustomers({ options, name }: Run): Customer[][] {
  const each = Math.max(4, Math.ceil(options.calls / CALLS_PER_CUSTOMER / options.clients));
  return Array.from({ length: options.clients }, (_, client) =>
    Array.from(
      { length: each },
      (__, at) => new Customer({ key: `${name}/customer-${client * each + at}`, balance: 0, cart: [], orders: [] }),
    ),
  );
}

/** Drives and audits the services. Returns what is to be remembered. */
async function services(
  run: Run,
): Promise<{ tallies: Tally[]; customers: PastRun["customers"]; stock: History["stock"] }> {
  const { http, options, findings } = run;
  const keys = ARTICLES.map(({ name }) => stockKey(name));
  const levels = await readLevels(http, keys);
  const shelves = new Map([...levels].map(([key, level]) => [key, new Shelf(key, level)]));
  const drive: Drive = { http, run: run.name, seed: run.seed, shelves, clients: newCustomers(run), faults: [] };
  const singles = await driveSingles(drive, Math.round(options.calls * SINGLE_SHARE));
  const batches = await driveBatches(drive, options.calls - Math.round(options.calls * SINGLE_SHARE));
  findings.check(
    "answers of services, each as the demo foretold it",
    singles.answered + batches.answered,
    drive.faults,
  );
  const customers = drive.clients.flat();
  await auditCustomers(http, findings, customers, "as foretold");
  const stock = await auditStock(http, findings, shelves);
  return { tallies: [singles, batches], customers: customers.map(({ state }) => state), stock };
}

/** Drives and audits the stream. Returns what is to be remembered. */
async function sales(run: Run, view: View): Promise<{ tally: Tally; view: View; sales: PastRun["sales"] }> {
  const { http, options, findings, name, seed } = run;
  const { watermark } = view.totals;
  const size = salesPerMinute.window.size;
  const seen = watermark + salesPerMinute.outOfOrderness;
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

async function drive(run: Run, history: History): Promise<void> {
  const { options, http, findings, name } = run;
  const before = await readView(http);
  if (history.unfinished !== undefined)
    console.log(`Run ${history.unfinished} did not end: what it left of shared stock cannot be audited.`);
  if (history.runs.length > 0) await auditHistory(http, findings, history, before);
  await writeHistory(options.history, { ...history, count: history.count + 1, unfinished: name });
  const served = await services(run);
  const sold = await sales(run, before);
  const past: PastRun = {
    run: name,
    customers: served.customers,
    ...(sold.sales === undefined ? {} : { sales: sold.sales }),
  };
  console.log(`\n${table([...served.tallies, sold.tally]).join("\n")}`);
  console.log(`\nAudit\n${findings.lines().join("\n")}`);
  if (!findings.failed)
    await writeHistory(
      options.history,
      withRun({ ...history, count: history.count + 1 }, past, served.stock, sold.view.totals),
    );
}

/** Says at once that nobody is there; later on a server that does not answer is waited for. */
async function requireServer(url: string): Promise<void> {
  const health = await fetch(new URL("/health", url)).catch(() => undefined);
  if (health?.ok !== true) throw new UsageError(`nobody answers at ${url}: run npm start in another shell first`);
}

async function main(): Promise<void> {
  const options = await readOptions();
  if (options === "help") return console.log(HELP);
  await requireServer(options.url);
  const history = await readHistory(options.history);
  const number = history.count + 1;
  const run: Run = {
    options,
    http: new Http(options.url, options.token, options.clients * 2),
    // Never the same twice, even where the history was lost and the store was not.
    name: `demo-${number}-${crypto.randomUUID().slice(0, 8)}`,
    seed: options.seed ?? number,
    findings: new Findings(),
  };
  console.log(`Run ${number} against ${options.url}: ${options.clients} clients, seed ${run.seed}`);
  try {
    await drive(run, history);
  } finally {
    run.http.close();
  }
  const { user, system } = process.cpuUsage();
  const again = run.http.retries === 0 ? "" : `; ${run.http.retries} requests were sent again for want of an answer`;
  console.log(`\nThe driver itself took ${((user + system) / 1e6).toFixed(1)} s of processor time${again}.`);
  if (run.findings.failed) {
    console.error("\nThe audit FAILED: see above.");
    process.exitCode = 1;
  } else
    console.log(
      "All audits passed. Run it again, or restart npm start in between: the next run audits this one's data, too.",
    );
}

function fail(error: unknown): void {
  const usage = error instanceof UsageError || (error instanceof TypeError && "code" in error);
  console.error(usage ? `${(error as Error).message}\n\n${HELP}` : error);
  process.exitCode = 1;
}

await main().catch(fail);
