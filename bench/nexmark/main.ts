/** Nexmark over HTTP: every query's results against a naive evaluation, then its rate beside plain JavaScript in the same process. */
import { join } from "node:path";
import { bundle, type Bundle } from "../../scripts/lib/bundle.ts";
import { report, rowOf, type Row } from "../lib/report.ts";
import { startWorkerd, type WorkerdProcess } from "../lib/workerd.ts";
import { check, SCENARIOS } from "./check.ts";
import { APP_PORT, PLAIN_PORT, TOKEN } from "./client.ts";
import { DISCARDING } from "./flows/discarding.ts";
import { QUERIES } from "./flows/queries.ts";
import type { Kind } from "./events.ts";
import type { Query } from "./flows/query.ts";
import { AGAINST_PLAIN, COMPARED, DISCARDED, DURABLE } from "./figures.ts";
import { generate } from "./generator.ts";
import {
  appGoal,
  bodyGoal,
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

interface Contender {
  readonly goal: Goal;
  readonly kinds: readonly Kind[];
  readonly passes: readonly Pass[];
  readonly rates: Rates[];
}

/** Runs of each, in turns: the first of them are not counted. */
async function measureInTurns(bundles: Bundles, contenders: readonly Contender[]): Promise<void> {
  const workerd = await start(bundles);
  const passes = Math.min(...contenders.map((each) => each.passes.length));
  try {
    for (let index = 0; index < passes; index++) {
      for (const { goal, kinds, passes: own, rates } of contenders) {
        const made = await run(workerd, goal, own[index] as Pass, kinds, `pass-${index}`);
        if (index >= WARM_UPS) rates.push(made);
      }
    }
  } finally {
    await workerd.stop();
  }
}

const ratio = (what: string, rates: readonly Rates[], to: readonly Rates[], target?: { figure: number }): Row =>
  rowOf(
    what,
    "x",
    rates.map(({ perCore }, at) => perCore / (to[at] as Rates).perCore),
    target,
  );

async function measureQuery(bundles: Bundles, query: Query, { passes, mixed }: Passes): Promise<Row[]> {
  const contender = (goal: Goal, kinds = query.reads): Contender => ({ goal, kinds, passes, rates: [] });
  const discarding = DISCARDING.find((each) => each.query === query.name);
  const plain = contender(plainGoal(query.name));
  const durable = contender(appGoal(query.name));
  const none = discarding ? contender(appGoal(discarding.name)) : undefined;
  const body = COMPARED.includes(query.name) ? contender(bodyGoal) : undefined;
  await measureInTurns(
    bundles,
    [plain, durable, none, body].filter((each) => each !== undefined),
  );
  const target = COMPARED.includes(query.name) ? { figure: AGAINST_PLAIN } : undefined;
  const isMixed = mixed !== passes;
  const rows = [
    cores(`${query.name}: plain JavaScript, in memory`, plain.rates),
    cores(`${query.name}: durable and readable`, durable.rates, isMixed ? undefined : DURABLE[query.name]),
    ratio("  ratio", durable.rates, plain.rates, target),
  ];
  if (none !== undefined) {
    rows.push(cores(`${query.name}: durable, discarding`, none.rates, DISCARDED));
    rows.push(ratio("  ratio", none.rates, plain.rates, target));
  }
  if (body !== undefined) {
    rows.push(cores(`${query.name}: the body read and dropped, by plain JavaScript`, body.rates));
    rows.push(ratio("  ratio", body.rates, plain.rates));
  }
  return isMixed ? [...rows, ...(await measureMixed(bundles, query, mixed))] : rows;
}

/** A query that reads no bids, given them all the same: what is counted elsewhere are all events of the generator. */
async function measureMixed(bundles: Bundles, { name }: Query, passes: readonly Pass[]): Promise<Row[]> {
  const contender = (goal: Goal): Contender => ({ goal, kinds: ["person", "auction", "bid"], passes, rates: [] });
  const [plain, durable] = [contender(plainGoal(name)), contender(appGoal(name))];
  await measureInTurns(bundles, [plain, durable]);
  return [
    cores(`${name}, bids among the events: plain JavaScript, in memory`, plain.rates),
    cores(`${name}, bids among the events: durable and readable`, durable.rates, DURABLE[name]),
    ratio("  ratio", durable.rates, plain.rates),
  ];
}

interface Passes {
  /** Of the kinds that the query reads. */
  readonly passes: readonly Pass[];
  /** Of all kinds, as the generator makes them: the same where the query reads bids. */
  readonly mixed: readonly Pass[];
}

/** Makes the events of a query's runs; those of bids alone and with others are the same. */
function passMaker(passes: number): (query: Query) => Passes {
  const withBids = passesOf(generate({ events: EVENTS * passes, perSecond: PER_SECOND }), passes);
  const kinds = ["person", "auction"] as const;
  let without: Pass[] | undefined;
  return ({ reads }) => {
    if (reads.includes("bid")) return { passes: withBids, mixed: withBids };
    const events = EVENTS * passes * WITHOUT_BIDS;
    without ??= passesOf(generate({ events, perSecond: PER_SECOND * WITHOUT_BIDS, kinds }), passes);
    return { passes: without, mixed: withBids };
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
