/** `tidegate verify`: whether the place where an app is deployed keeps what Tidegate promises, and how fast it is. */
import { createClient, ProblemError } from "../../sdk/client/index.ts";
import { checkBank } from "../../sim/checkers/bank.ts";
import { formatFindings } from "../../sim/checkers/finding.ts";
import { checkListAppend } from "../../sim/checkers/list-append.ts";
import { createRandom } from "../../sim/random.ts";
import { Accounts, Lists } from "../../verify/contracts.ts";
import { type Command, EXIT, Failure, whole } from "../command.ts";
import { connect, CONNECTION, inWords } from "../connection.ts";
import { clear, drive, type Load, Seen } from "../verify/drive.ts";
import { quantilesOf } from "../verify/latencies.ts";
import { ACCOUNTS, CLIENTS, OPENING, SECONDS, TRANSACTIONS } from "../verify/limits.ts";
import { Workload } from "../verify/workload.ts";

const SEED_MAX = 0xffffffff;

export const verify: Command = {
  summary: "drives a deployed app with transfers and lists, and checks that what it saw is strictly serializable",
  usage: "[options]",
  takes: [0, 0],
  options: {
    ...CONNECTION,
    seconds: { type: "string", value: "N", help: `for how long; default ${SECONDS.default}` },
    transactions: { type: "string", value: "N", help: `at most; default ${TRANSACTIONS.default}` },
    clients: { type: "string", value: "N", help: `that ask at the same time; default ${CLIENTS.default}` },
    seed: { type: "string", value: "N", help: "repeats what is asked for, though not its timing" },
    keep: { type: "boolean", help: "leaves the lists and accounts of the run where they are" },
  },
  details: `The app must have the services of "tidegate/verify": tidegate({ services: [...yours, ...verification] }).
Prints a line of JSON; findings go to standard error, and make the exit code 1.`,
  async run(given, terminal) {
    const seconds = whole(given, "seconds", SECONDS.default, 1, SECONDS.most);
    const transactions = whole(given, "transactions", TRANSACTIONS.default, 1, TRANSACTIONS.most);
    const clients = whole(given, "clients", CLIENTS.default, 1, CLIENTS.most);
    const seed = whole(given, "seed", Date.now() % 1_000_000, 0, SEED_MAX);
    const { url, options } = await connect(given, terminal);
    const workload = new Workload(createRandom(seed), `verify-${crypto.randomUUID().slice(0, 8)}`);
    const client = createClient(url, [Lists, Accounts] as const, options);
    const until = performance.now() + seconds * 1_000;
    const load: Load = { client, workload, clients, transactions, until };
    const seen = new Seen();
    await inWords(url, () => drive(load, seen).catch(explain));
    const findings = judge(workload, seen);
    if (given.values["keep"] !== true) await inWords(url, () => clear(load));
    terminal.out(JSON.stringify(reportOf(seen, seed, findings.length)));
    if (findings.length === 0) return EXIT.done;
    for (const finding of findings) terminal.err(formatFindings([finding]));
    return EXIT.failed;
  },
};

/** @throws Failure with what to add to the app, when that is what is wrong */
function explain(error: unknown): never {
  if (error instanceof ProblemError && error.type === "unknown-service")
    throw new Failure(
      'the app has no services to verify with: import { verification } from "tidegate/verify", and tidegate({ services: [...yours, ...verification] })',
    );
  throw error;
}

function judge(workload: Workload, seen: Seen) {
  const opened = Object.fromEntries(workload.accounts.map((account) => [account, OPENING]));
  return [...checkListAppend(seen.history.history()), ...checkBank({ opened, snapshots: seen.sums, end: seen.end })];
}

function reportOf(seen: Seen, seed: number, findings: number): object {
  const answered = seen.latencies.length;
  const took = seen.milliseconds / 1_000;
  return {
    verdict: findings === 0 ? "strictly serializable" : "violated",
    findings,
    transactions: answered,
    perSecond: Math.round(answered / took),
    latencyMs: quantilesOf(seen.latencies),
    refused: seen.refused,
    unknown: seen.unknown,
    sums: seen.sums.length,
    total: { expected: ACCOUNTS * OPENING, found: Object.values(seen.end).reduce((sum, one) => sum + one, 0) },
    seconds: Math.round(took * 10) / 10,
    seed,
  };
}
