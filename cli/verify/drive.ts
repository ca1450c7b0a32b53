/** Drives a domain with a workload, and notes what each client saw. */
import { type Client, ProblemError, RefusalError, UnreachableError } from "../../sdk/client/index.ts";
import type { Balances } from "../../sim/checkers/bank.ts";
import { HistoryRecorder } from "../../sim/checkers/history-recorder.ts";
import type { MicroOp } from "../../sim/checkers/history.ts";
import type { Accounts, ListOperation, ListResults, Lists } from "../../verify/contracts.ts";
import { KEYS_AT_ONCE, OPENING } from "./limits.ts";
import type { Ask, Workload } from "./workload.ts";

export type VerifyClient = Client<readonly [typeof Lists, typeof Accounts]>;

export interface Load {
  readonly client: VerifyClient;
  readonly workload: Workload;
  readonly clients: number;
  readonly transactions: number;
  /** How long; what comes before and behind the load takes time of its own. */
  readonly seconds: number;
}

/** What came of it. */
export class Seen {
  readonly history = new HistoryRecorder(() => Math.round(performance.now()));
  readonly sums: Array<{ readonly name: string; readonly balances: Balances }> = [];
  readonly latencies: number[] = [];
  /** Of what was asked for, how much of each kind was answered. */
  readonly answered: Record<Ask["kind"], number> = { lists: 0, transfer: 0, sum: 0 };
  refused = 0;
  /** Without an answer that says whether it happened. */
  unknown = 0;
  end: Balances = {};
  /** From the first request of the load to its last answer. */
  milliseconds = 0;
}

/** Opens the accounts, runs the load, and reads everything at the end. @throws what makes it pointless to go on, with nothing under way any more */
export async function drive(load: Load, seen: Seen): Promise<void> {
  const { client, workload } = load;
  await allEnded(workload.accounts.map((key) => client.tidegateAccounts(key).open({ amount: OPENING })));
  let begun = 0;
  const began = performance.now();
  const until = began + load.seconds * 1_000;
  const one = async (number: number): Promise<void> => {
    while (begun < load.transactions && performance.now() < until) {
      begun += 1;
      await ask(load, seen, `client ${number}`, `t${begun}`).catch((error: unknown) => {
        begun = load.transactions;
        throw error;
      });
    }
  };
  await allEnded(Array.from({ length: load.clients }, (_, number) => one(number)));
  seen.milliseconds = performance.now() - began;
  await readFinally(load, seen);
}

/** What would end later might write behind what clears it. @throws why the first of them failed */
async function allEnded(these: ReadonlyArray<Promise<unknown>>): Promise<void> {
  const failed = (await Promise.allSettled(these)).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

/** Takes away what the run has left. */
export async function clear({ client, workload }: Load): Promise<void> {
  const all = [
    ...workload.accounts.map((key) => () => client.tidegateAccounts(key).clear()),
    ...workload.lists.map((key) => () => client.tidegateLists(key).clear()),
  ];
  for (let at = 0; at < all.length; at += KEYS_AT_ONCE)
    await Promise.all(all.slice(at, at + KEYS_AT_ONCE).map((one) => one()));
}

async function ask(load: Load, seen: Seen, process: string, name: string): Promise<void> {
  const { client, workload } = load;
  const asked = workload.next();
  const began = performance.now();
  try {
    if (asked.kind === "lists") await lists(client, seen, process, name, asked.operations, asked.atOnce);
    else if (asked.kind === "transfer")
      await client.tidegateAccounts(asked.from).transfer({ to: asked.to, amount: asked.amount });
    else seen.sums.push({ name, balances: await balances(load, asked.snapshot ? "snapshot" : "fresh") });
    seen.latencies.push(performance.now() - began);
    seen.answered[asked.kind] += 1;
  } catch (error) {
    if (error instanceof RefusalError) {
      seen.answered[asked.kind] += 1;
      seen.refused += 1;
      seen.latencies.push(performance.now() - began);
    } else if (isUnknown(error)) seen.unknown += 1;
    else throw error;
  }
}

/** Its transaction may have happened, or may happen yet. */
function isUnknown(error: unknown): boolean {
  return error instanceof UnreachableError || (error instanceof ProblemError && error.status >= 500);
}

async function lists(
  client: VerifyClient,
  { history }: Seen,
  process: string,
  name: string,
  operations: readonly ListOperation[],
  atOnce: boolean,
): Promise<void> {
  history.invoke(name, process, microOps(operations, null));
  const root = operations[0]?.[1] ?? "";
  try {
    history.ok(name, microOps(operations, await client.tidegateLists(root).perform({ operations, atOnce })));
  } catch (error) {
    if (error instanceof RefusalError) history.fail(name);
    else history.info(name);
    throw error;
  }
}

/** Operations with what they showed, as far as that is known. */
function microOps(operations: readonly ListOperation[], results: ListResults | null): MicroOp[] {
  return operations.map(([op, key, value], at) =>
    op === "append" ? ["append", key, value] : ["read", key, results?.[at] ?? null],
  );
}

async function balances({ client, workload }: Load, consistency: "fresh" | "snapshot"): Promise<Balances> {
  const keys = workload.accounts;
  const found = await client.tidegateAccounts(keys[0] as string).balances({ keys }, { consistency });
  return Object.fromEntries(keys.map((key, at) => [key, found[at] as number]));
}

async function readFinally(load: Load, seen: Seen): Promise<void> {
  const { lists: keys } = load.workload;
  for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
    const some = keys.slice(at, at + KEYS_AT_ONCE);
    const operations = some.map((key): ListOperation => ["read", key, null]);
    const name = `final ${at}`;
    seen.history.invoke(name, "final", microOps(operations, null));
    const found = await load.client.tidegateLists(some[0] as string).readAll({ keys: some });
    seen.history.ok(name, microOps(operations, found));
  }
  seen.end = await balances(load, "fresh");
}
