/** workerd is killed under load and started again on its data: how long until every partition answers, and until it does as much as before. */
import { pick, report, type Row, rowOf } from "../lib/report.ts";
import { accountName, uniform } from "../transfers/accounts.ts";
import { type Batch, BATCH_LINES } from "../transfers/batches.ts";
import type { TransferOptions } from "../transfers/options.ts";
import { TOKEN } from "../transfers/requests.ts";
import { APP_PORT, onStage, type Stage } from "../transfers/stage.ts";
import { Clients, Line } from "./clients.ts";

const ANSWERS_MS = 500;
const BACK_S = 5;
const SHARE = 0.9;
/** Throughput is that of the last second. */
const WINDOW_MS = 1_000;
const LOOK_MS = 50;
/** What has not come back by then is shown as that late. */
const PATIENCE_MS = 30_000;

interface Recovery {
  readonly before: number;
  /** From SIGKILL until the process answers. */
  readonly process: number;
  /** From then on, until the last partition has answered. */
  readonly partitions: number;
  /** From then on, in seconds. */
  readonly throughput: number;
}

export async function benchRecovery(options: TransferOptions): Promise<void> {
  const rows = await onStage(options, uniform(options.keys), async (stage) => {
    await touchAll(stage);
    const clients = new Clients(stage);
    clients.start(options.atOnce);
    const recoveries: Recovery[] = [];
    for (let kill = 0; kill < options.runs; kill++) recoveries.push(await killOnce(stage, clients));
    await clients.stop();
    return rowsOf(recoveries, clients);
  });
  await report("recovery", rows, {
    partitions: options.partitions,
    accounts: options.keys,
    "at once": options.atOnce,
    kills: options.runs,
    invariants: "all accounts checked at the end",
  });
}

function rowsOf(recoveries: readonly Recovery[], { repeats }: Clients): Row[] {
  const most = (what: string, unit: string, figure: keyof Recovery, target?: Row["target"]): Row => {
    const row = rowOf(what, unit, pick(recoveries, figure), target);
    return target ? { ...row, value: Math.max(...pick(recoveries, figure)), note: "the most of all kills" } : row;
  };
  return [
    most("batches before the kill", "transfers/s", "before"),
    most("from SIGKILL until the process answers", "ms", "process"),
    most("then until every partition answers", "ms", "partitions", { figure: ANSWERS_MS, atMost: true }),
    most(`then until ${SHARE * 100} % of the throughput is back`, "s", "throughput", { figure: BACK_S, atMost: true }),
    {
      what: "requests sent again",
      unit: "",
      value: repeats,
      note: "nothing lost or doubled, or there would be no figures",
    },
  ];
}

/** Every account is written once, so that all are stored. */
async function touchAll(stage: Stage): Promise<void> {
  const clients = new Clients(stage);
  const line = new Line();
  const pairs = Math.floor(stage.skew.accounts / 2);
  for (let first = 0; first < pairs; first += BATCH_LINES) await clients.send(pairsFrom(first, pairs), line);
  line.close();
}

function pairsFrom(first: number, pairs: number): Batch {
  const numbers = Uint32Array.from({ length: BATCH_LINES }, (_, at) => (first + at) % pairs);
  const from = numbers.map((pair) => pair * 2);
  const to = numbers.map((pair) => pair * 2 + 1);
  const amount = new Uint8Array(BATCH_LINES).fill(1);
  const lines = Array.from(from, (account, at) => {
    const input = `{"to":"${accountName(to[at]!)}","amount":1}`;
    return `{"service":"account","key":"${accountName(account)}","function":"transfer","input":${input}}\n`;
  });
  return { from, to, amount, body: Buffer.from(lines.join("")) };
}

async function killOnce(stage: Stage, clients: Clients): Promise<Recovery> {
  const { seconds } = stage.options;
  const began = performance.now();
  await sleep(seconds * 1000);
  const before = clients.rate(began, performance.now());
  const killed = performance.now();
  await stage.workerd.restart();
  const back = performance.now();
  const [partitions, throughput] = await Promise.all([
    untilAllAnswer(stage, back),
    untilAsBefore(clients, before, back),
  ]);
  return { before, process: back - killed, partitions, throughput };
}

/** One account of each partition is asked until it answers. */
async function untilAllAnswer({ partitions, options }: Stage, since: number): Promise<number> {
  const firsts = Array.from({ length: options.partitions }, (_, partition) => partitions.indexOf(partition));
  const answered = await Promise.all(firsts.filter((account) => account >= 0).map((account) => untilAnswered(account)));
  return Math.max(...answered) - since;
}

async function untilAnswered(account: number): Promise<number> {
  const url = `http://127.0.0.1:${APP_PORT}/v1/services/account/${accountName(account)}/statement`;
  const headers = { authorization: `Bearer ${TOKEN}` };
  for (;;) {
    const response = await fetch(url, { headers }).catch(() => null);
    await response?.arrayBuffer();
    if (response?.status === 200) return performance.now();
    await sleep(5);
  }
}

async function untilAsBefore(clients: Clients, before: number, since: number): Promise<number> {
  for (;;) {
    const now = performance.now();
    // Until a whole second has passed, it is the share of it that has.
    if (clients.rate(Math.max(since, now - WINDOW_MS), Math.max(now, since + WINDOW_MS)) >= before * SHARE)
      return (now - since) / 1000;
    if (now - since > PATIENCE_MS) return PATIENCE_MS / 1000;
    await sleep(LOOK_MS);
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
