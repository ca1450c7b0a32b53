/** Nexmark over HTTP: every query's results against a naive evaluation, then its rate beside plain JavaScript in the same process. */
import { join } from "node:path";
import { bundle, type Bundle } from "../../scripts/lib/bundle.ts";
import { report, rowOf, type Row } from "../lib/report.ts";
import { startWorkerd, type WorkerdProcess } from "../lib/workerd.ts";
import { check, SCENARIOS } from "./check.ts";
import { APP_PORT, PLAIN_PORT, TOKEN } from "./client.ts";
import { DISCARDING } from "./flows/discarding.ts";
import { QUERIES } from "./flows/queries.ts";
import type { Query } from "./flows/query.ts";
import { AGAINST_PLAIN, COMPARED, DISCARDED, DURABLE } from "./figures.ts";
import { generate } from "./generator.ts";
import {
  appGoal,
  type Goal,
  type Pass,
  passesOf,
  PER_SECOND,
  plainGoal,
  type Rates,
  run,
  WITHOUT_BIDS,
} from "./measure.ts";

/** Events to a run, all that the query reads. */
const EVENTS = 100_000;
/** Runs that do not count, a tenth of a second of CPU each: what is compiled only after a while is compiled then, and rates grow until the fifth. */
const WARM_UPS = 5;
export interface NexmarkOptions {
  readonly runs: number;
  /** Queries, by commas; all when absent. */
  readonly only?: string;
  /** What is done: `check`, `measure`, or both when absent. */
  readonly phase?: string;
}

interface Bundles {
  readonly app: Bundle;
  readonly plain: Bundle;
}

/** A process with the app and the baseline, both empty. */
function start({ app, plain }: Bundles): Promise<WorkerdProcess> {
  return startWorkerd([
    { name: "plain", port: PLAIN_PORT, bundle: plain, classes: [] },
    {
      name: "app",
      port: APP_PORT,
      bundle: app,
      classes: ["Partition", "Coordinator"],
      vars: { TIDEGATE_TOKEN: TOKEN },
    },
  ]);
}

async function checkAll(bundles: Bundles, queries: readonly Query[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const scenario of SCENARIOS) {
    const workerd = await start(bundles);
    try {
      for (const query of queries) {
        const verdict = await check(query, scenario, workerd).catch((error: unknown) => ({
          wrong: String(error),
          rows: 0,
          late: 0,
        }));
        const { wrong, late } = verdict;
        console.log(
          `${query.name} ${scenario.what}: ${wrong ?? `${verdict.rows} rows as they should be, ${late} events late`}`,
        );
        rows.push({
          what: `${query.name} ${scenario.what}: as the naive evaluation`,
          value: wrong === null ? 1 : 0,
          unit: "",
          target: { figure: 1 },
          note: wrong === null ? `${verdict.rows} rows, ${late} late` : wrong.slice(0, 200),
        });
      }
    } finally {
      await workerd.stop();
    }
  }
  return rows;
}

const cores = (what: string, rates: readonly Rates[], figure?: number): Row =>
  rowOf(
    what,
    "K events/s",
    rates.map(({ perCore }) => perCore),
    figure === undefined ? undefined : { figure },
  );

async function measureQuery(bundles: Bundles, query: Query, passes: readonly Pass[]): Promise<Row[]> {
  const workerd = await start(bundles);
  const discarding = DISCARDING.find((each) => each.query === query.name);
  const goals: Array<{ readonly goal: Goal; readonly rates: Rates[] }> = [
    { goal: plainGoal(query.name), rates: [] },
    { goal: appGoal(query.name), rates: [] },
    ...(discarding ? [{ goal: appGoal(discarding.name), rates: [] }] : []),
  ];
  try {
    for (const [index, pass] of passes.entries()) {
      for (const { goal, rates } of goals) {
        const made = await run(workerd, goal, pass, query.reads, `pass-${index}`);
        if (index >= WARM_UPS) rates.push(made);
      }
    }
  } finally {
    await workerd.stop();
  }
  const [plain, durable, none] = goals.map(({ rates }) => rates) as [Rates[], Rates[], Rates[] | undefined];
  const ratios = (rates: readonly Rates[]) => rates.map(({ perCore }, at) => perCore / (plain[at] as Rates).perCore);
  const target = COMPARED.includes(query.name) ? { figure: AGAINST_PLAIN } : undefined;
  return [
    cores(`${query.name}: plain JavaScript, in memory`, plain),
    cores(`${query.name}: durable and readable`, durable, DURABLE[query.name]),
    rowOf("  ratio", "x", ratios(durable), target),
    ...(none === undefined
      ? []
      : [cores(`${query.name}: durable, discarding`, none, DISCARDED), rowOf("  ratio", "x", ratios(none), target)]),
  ];
}

/** Makes the events of a query's runs; those of bids alone and with others are the same. */
function passMaker(passes: number): (query: Query) => Pass[] {
  const withBids = passesOf(generate({ events: EVENTS * passes, perSecond: PER_SECOND }), passes);
  const kinds = ["person", "auction"] as const;
  let without: Pass[] | undefined;
  return ({ reads }) => {
    if (reads.includes("bid")) return withBids;
    const events = EVENTS * passes * WITHOUT_BIDS;
    without ??= passesOf(generate({ events, perSecond: PER_SECOND * WITHOUT_BIDS, kinds }), passes);
    return without;
  };
}

export async function benchNexmark({ runs, only, phase }: NexmarkOptions): Promise<void> {
  const here = import.meta.dirname;
  const wanted = only?.split(",");
  const queries = QUERIES.filter(({ name }) => wanted?.includes(name) ?? true);
  if (queries.length === 0) throw new Error(`--only names no query: ${QUERIES.map(({ name }) => name).join()}`);
  const bundles = {
    app: await bundle(join(here, "app.wrangler.jsonc")),
    plain: await bundle(join(here, "plain", "worker.wrangler.jsonc")),
  };
  const rows: Row[] = [];
  if (phase !== "measure") rows.push(...(await checkAll(bundles, queries)));
  if (phase !== "check") {
    const passesFor = passMaker(runs + WARM_UPS);
    for (const query of queries) {
      const passes = passesFor(query);
      const made = await measureQuery(bundles, query, passes).catch((error: unknown) => {
        console.log(`${query.name}: ${String(error)}`);
        return [
          {
            what: query.name,
            value: 0,
            unit: "K events/s",
            target: { figure: DURABLE[query.name] },
            note: String(error).slice(0, 200),
          },
        ];
      });
      rows.push(...made);
      console.log(`measured ${query.name}`);
    }
  }
  await report("nexmark", rows, {
    events: EVENTS,
    runs,
    "a second of event time": PER_SECOND,
    core: "CPU time of workerd",
    idempotency: "on",
    auth: "on",
  });
}
