/** `npm run demo`: drives the shop over HTTP as its customers and tills would, and audits every answer and all that is stored. */
import { auditHistory } from "./audit/history.ts";
import { Findings } from "./findings.ts";
import { type History, type PastRun, readHistory, withRun, writeHistory } from "./history.ts";
import { Http } from "./http.ts";
import { Invoices } from "./invoices.ts";
import { HELP, readOptions, UsageError } from "./options.ts";
import { table } from "./report.ts";
import { type Run, sales, services } from "./run.ts";
import { readView } from "./view.ts";

/** What takes longer than a transaction. */
async function invoices({ options, http, findings, name }: Run): Promise<readonly string[]> {
  if (options.webhookSecret === undefined) return ["No invoices: the webhooks of another server do not come here."];
  return new Invoices(http, name, options.webhookSecret).drive(findings);
}

async function drive(run: Run, history: History): Promise<void> {
  const { options, http, findings, name } = run;
  const before = await readView(http);
  if (history.unfinished !== undefined)
    console.log(`Run ${history.unfinished} did not end: what it left of shared stock cannot be audited.`);
  if (history.runs.length > 0) await auditHistory(http, findings, history, before);
  await writeHistory(options.history, { ...history, count: history.count + 1, unfinished: name });
  const served = await services(run);
  const invoiced = await invoices(run);
  const sold = await sales(run, before);
  const past: PastRun = {
    run: name,
    customers: served.customers,
    ...(sold.sales === undefined ? {} : { sales: sold.sales }),
  };
  console.log(`\n${table([...served.tallies, sold.tally]).join("\n")}`);
  const refused = [...served.refusals].map(([refusal, count]) => `${count.toLocaleString("en")} ${refusal}`);
  if (served.growth.length > 0) console.log(`\n${served.growth.join("\n")}`);
  console.log(`\n${invoiced.join("\n")}`);
  if (refused.length > 0) console.log(`\nCheckouts refused: ${refused.sort().join(", ")}`);
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
