/** `npm run sim`: runs seeds and says what it found. */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { createKernels } from "../core-wasm/facade/kernels.ts";
import { loadCore } from "../core-wasm/load-node.ts";
import { enumerate, showExplored } from "./enumerate.ts";
import { measureLatencies, showLatencies } from "./latency.ts";
import { tryBugs } from "./planted/try-bugs.ts";
import { Pool } from "./pool/pool.ts";
import type { Settings } from "./pool/messages.ts";
import { showSeed } from "./report/show.ts";
import { Totals } from "./report/totals.ts";

const HELP = `Runs the transaction protocol in a simulated world and tries to break it.

npm run sim                        200 seeds
npm run sim -- --seeds 2000        seeds 1 to 2000
npm run sim -- --from 5000         the first seed
npm run sim -- --minutes 60        until the time is over, however many seeds that is
npm run sim -- --all               goes on after a failure and lists all of them
npm run sim -- --seed 17           one seed; with --show its trace, with --shrink a smaller plan that fails as well
npm run sim -- --bug NAME          with a planted bug: failures are wanted, the first ends it
npm run sim -- --bugs              every planted bug, at most --seeds (500) seeds each: the table in docs/testing.md
npm run sim -- --bugs NAME ...     some of them
npm run sim -- --enumerate         small scenarios with a crash at every point, and at --pairs (1000, or all) pairs of points each;
                                   --scenario NAME takes one of them
npm run sim -- --latency           what transactions wait for when only messages and storage take time
npm run sim -- --local             one partition: what commits at once, by itself
npm run sim -- --jobs 2            threads; one a core if not given
npm run sim -- --transactions 200  transactions a seed
npm run sim -- --coverage          which messages were handled in which state, near a crash or not
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    minutes: { type: "string" },
    seed: { type: "string" },
    show: { type: "boolean", default: false },
    shrink: { type: "boolean", default: false },
    bug: { type: "string" },
    all: { type: "boolean", default: false },
    latency: { type: "boolean", default: false },
    enumerate: { type: "boolean", default: false },
    pairs: { type: "string", default: "1000" },
    scenario: { type: "string" },
    bugs: { type: "boolean", default: false },
    local: { type: "boolean", default: false },
    jobs: { type: "string", default: String(navigator.hardwareConcurrency) },
    transactions: { type: "string", default: "200" },
    coverage: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const SHRINK_MS = 60_000;
/** Seeds in one order to a thread. */
const CHUNK = 10;
const PROGRESS_MS = 10_000;

const settings: Settings = {
  transactions: Number(values.transactions),
  sends: true,
  local: values.local,
  bug: values.bug ?? null,
};
const from = Number(values.from);
const jobs = Number(values.jobs);

if (values.help) console.log(HELP);
else if (values.bugs)
  process.exitCode = await tryBugs(settings, { from, seeds: Number(values.seeds ?? 500), jobs }, positionals);
else if (values.enumerate) process.exitCode = await everyPoint();
else if (values.latency) console.log(showLatencies(await measureLatencies(createKernels(loadCore()))));
else if (values.seed !== undefined) process.exitCode = await one(Number(values.seed));
else process.exitCode = await many();

async function everyPoint(): Promise<number> {
  const only = values.scenario === undefined ? {} : { only: values.scenario };
  const explored = await enumerate(settings, {
    jobs,
    every: true,
    pairs: values.pairs === "all" ? Infinity : Number(values.pairs),
    ...only,
  });
  console.log(`commit ${commit()}\n${showExplored(explored)}`);
  return explored.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

async function one(seed: number): Promise<number> {
  const pool = new Pool(settings, 1);
  const shown = await pool.ask({ kind: "show", seed });
  if (shown.kind !== "show") throw new Error("a thread answered another order");
  console.log(`seed ${seed}, commit ${commit()}`);
  console.log(showSeed(shown, values.show));
  if (values.shrink && shown.result.failures.length > 0) await shrunk(pool, seed);
  await pool.close();
  return shown.result.failures.length > 0 ? 1 : 0;
}

async function shrunk(pool: Pool, seed: number): Promise<void> {
  try {
    const answer = await pool.ask({ kind: "shrink", seed, budgetMs: SHRINK_MS });
    if (answer.kind === "shrink") console.log(`\nCut down:\n${answer.text}`);
  } catch (error) {
    console.log(`\nNot cut down: ${(error as Error).message}`);
  }
}

async function many(): Promise<number> {
  const pool = new Pool(settings, jobs);
  const started = performance.now();
  const deadline = values.minutes === undefined ? Infinity : started + Number(values.minutes) * 60_000;
  const last =
    values.seeds === undefined && values.minutes !== undefined ? Infinity : from + Number(values.seeds ?? 200);
  const totals = new Totals();
  let next = from;
  let said = started;
  let stopped = false;
  // The first ends it as if all seeds were done, with what is known so far.
  process.once("SIGINT", () => void (stopped = true));
  process.once("SIGTERM", () => void (stopped = true));
  const goesOn = (): boolean =>
    !stopped && next < last && performance.now() < deadline && (values.all || totals.failed.length === 0);
  const work = async (): Promise<void> => {
    while (goesOn()) {
      const seeds = Array.from({ length: Math.min(CHUNK, last - next) }, (_, n) => next + n);
      next += seeds.length;
      const done = await pool.ask({ kind: "seeds", seeds });
      if (done.kind === "seeds") totals.add(done);
      if (performance.now() - said < PROGRESS_MS) continue;
      said = performance.now();
      console.log(totals.progress(said - started));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  console.log(`commit ${commit()}, seeds ${from} to ${next - 1}`);
  console.log(totals.text(performance.now() - started, values.coverage));
  const failures = totals.failed.sort((a, b) => a.seed - b.seed);
  if (values.all) {
    for (const each of failures) console.log(`seed ${each.seed}: ${each.failures[0]?.slice(0, 300)}`);
    console.log(`${failures.length} seeds failed`);
  }
  const [failed] = values.all ? [] : failures;
  if (failed) {
    console.log(
      `\nFAILED: seed ${failed.seed} (npm run sim -- --seed ${failed.seed} --show)\n${failed.failures.join("\n")}`,
    );
    if (settings.bug === null) await shrunk(pool, failed.seed);
  }
  await pool.close();
  return failures.length > 0 ? 1 : 0;
}

function commit(): string {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
  try {
    return `${git("rev-parse", "--short", "HEAD")}${git("status", "--porcelain") === "" ? "" : " with changes"}`;
  } catch {
    return "unknown";
  }
}
