/** `npm run test:long`: tests of the suite with many more kills, backups and flipped bits; minutes instead of seconds. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runListAppend } from "../tests/kill/support/list-append/run.ts";

const HELP = `npm run test:long -- [what] [options]

  list-append   strict serializability and a bank under kills (default)
  backups       backups of a domain that works, each restored elsewhere and judged
  flips         one random bit of a partition's files flipped, again and again: reported or harmless, never a wrong answer
  all           all of them

  --transactions N   of list-append; default 20000
  --kills N          of list-append; default 20
  --seed N           of list-append: repeats the choices of a run, though not its timing
  --times N          backups (default 20), or flips (default 40)
  --help`;

/** A transaction may take so long on average, kills included; the run ends as failed beyond that. */
const MS_PER_TRANSACTION = 60;
const SHOWN_FAULTS = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    transactions: { type: "string", default: "20000" },
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    times: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

/** Each returns whether all was well. */
const TESTS: Readonly<Record<string, () => Promise<boolean>>> = {
  "list-append": listAppend,
  backups: () => suite("tests/kill/backup.test.ts", { TIDEGATE_BACKUPS: values.times ?? "20" }),
  flips: () => suite("tests/kill/flips.test.ts", { TIDEGATE_FLIPS: values.times ?? "40" }),
};

async function listAppend(): Promise<boolean> {
  const [transactions, kills, seed] = [values.transactions, values.kills, values.seed].map(Number) as [
    number,
    number,
    number,
  ];
  if (![transactions, kills, seed].every((number) => Number.isSafeInteger(number) && number >= 0))
    throw new Error(HELP);
  const patienceMs = Math.max(60_000, transactions * MS_PER_TRANSACTION);
  console.log(`seed ${seed} (repeat its choices with --seed ${seed})`);
  const report = await runListAppend({ transactions, kills, seed, patienceMs, progress: (text) => console.log(text) });
  console.log(report.summary);
  for (const fault of report.faults.slice(0, SHOWN_FAULTS)) console.log(`FAULT ${fault}`);
  console.log(report.faults.length === 0 ? "ok: nothing found" : `FAILED: ${report.faults.length} faults`);
  return report.faults.length === 0;
}

/** A test of the suite, made longer by a variable that it reads. */
function suite(file: string, env: Record<string, string>): Promise<boolean> {
  const vitest = join(import.meta.dirname, "..", "node_modules", "vitest", "vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", file], { stdio: "inherit", env: { ...process.env, ...env } });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code === 0));
  });
}

async function main(): Promise<void> {
  const [what = "list-append", ...more] = positionals;
  const chosen = what === "all" ? Object.values(TESTS) : Object.hasOwn(TESTS, what) ? [TESTS[what]] : [];
  if (chosen.length === 0 || more.length > 0) throw new Error(HELP);
  for (const test of chosen) if (!(await test?.())) process.exitCode = 1;
}

if (values.help) console.log(HELP);
else await main();
