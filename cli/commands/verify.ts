/** `tidegate verify`: whether the place where an app is deployed keeps what Tidegate promises, and how fast it is. */
import { createClient, ProblemError } from "../../sdk/client/index.ts";
import { checkBank } from "../../sim/checkers/bank.ts";
import { formatFindings } from "../../sim/checkers/finding.ts";
import { checkListAppend } from "../../sim/checkers/list-append.ts";
import { createRandom } from "../../sim/random.ts";
import { Accounts, Lists } from "../../verify/contracts.ts";
import { type Command, EXIT, Failure, type Terminal, whole } from "../command.ts";
import { connect, CONNECTION, inWords } from "../connection.ts";
import { clear, drive, type Load, Seen } from "../verify/drive.ts";
import { quantilesOf } from "../verify/latencies.ts";
import { ACCOUNTS, CLIENTS, OPENING, SECONDS, TRANSACTIONS } from "../verify/limits.ts";
import { Traces } from "../verify/traces.ts";
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
    const traces = new Traces();
    const client = createClient(url, [Lists, Accounts] as const, { ...options, fetch: traces.fetch });
    const load: Load = { client, workload, clients, transactions, seconds };
    const seen = new Seen();
    const end = async (): Promise<void> => {
      if (traces.maybe && given.values["keep"] !== true) await inWords(url, () => clear(load));
    };
    try {
      await inWords(url, () => drive(load, seen).catch(explain));
    } catch (error) {
      // What went wrong first is what is told.
      await end().catch((left: unknown) => {
        if (!isLacking((left as Error).cause)) terminal.err("what this run may have written is still there");
      });
      throw error;
    }
    const findings = judge(workload, seen);
    terminal.out(JSON.stringify(reportOf(seen, seed, findings.length)));
    for (const finding of findings) terminal.err(formatFindings([finding]));
    await end();
    return findings.length > 0 ? EXIT.failed : enough(seen, terminal);
  },
};

/** @throws Failure with what to add to the app, when that is what is wrong */
function explain(error: unknown): never {
  if (isLacking(error))
    throw new Failure(
      'the app has no services to verify with: import { verification } from "tidegate/verify", and tidegate({ services: [...yours, ...verification] })',
    );
  throw error;
}

function isLacking(error: unknown): boolean {
  return error instanceof ProblemError && error.type === "unknown-service";
}

function judge(workload: Workload, seen: Seen) {
  const opened = Object.fromEntries(workload.accounts.map((account) => [account, OPENING]));
  return [...checkListAppend(seen.history.history()), ...checkBank({ opened, snapshots: seen.sums, end: seen.end })];
}

/** Where nothing was answered, nothing could be found. @returns the exit code */
function enough(seen: Seen, terminal: Terminal): number {
  if (isEnough(seen)) return EXIT.done;
  const { lists, transfer } = seen.answered;
  terminal.err(
    `this says nothing: ${lists} transactions on lists and ${transfer} transfers were answered; a verdict takes one of each`,
  );
  return EXIT.failed;
}

function isEnough({ answered }: Seen): boolean {
  return answered.lists > 0 && answered.transfer > 0;
}

function verdictOf(seen: Seen, findings: number): string {
  if (findings > 0) return "violated";
  return isEnough(seen) ? "strictly serializable" : "unverified";
}

function reportOf(seen: Seen, seed: number, findings: number): object {
  const answered = seen.latencies.length;
  const took = seen.milliseconds / 1_000;
  return {
    verdict: verdictOf(seen, findings),
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
