/** `npm run test:long`: the list-append test with many more transactions and kills; minutes instead of seconds. */
import { parseArgs } from "node:util";
import { runListAppend } from "../tests/kill/support/list-append/run.ts";

const HELP = `npm run test:long -- [options]     strict serializability and a bank under kills

  --transactions N   default 20000
  --kills N          default 20
  --seed N           repeats the choices of a run, though not its timing
  --help`;

/** A transaction may take so long on average, kills included; the run ends as failed beyond that. */
const MS_PER_TRANSACTION = 60;
const SHOWN_FAULTS = 20;

const { values } = parseArgs({
  options: {
    transactions: { type: "string", default: "20000" },
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    help: { type: "boolean", default: false },
  },
});

async function main(): Promise<void> {
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
  process.exitCode = report.faults.length === 0 ? 0 : 1;
}

if (values.help) console.log(HELP);
else await main();
