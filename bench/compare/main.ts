/**
 * Transfers of two states of the code, as two Workers of one workerd process: in short turns, so that what the machine does beside it befalls both alike.
 * Pairs of processes differ by 5 % with the same code in both; a hundred turns here have a standard error of 1 to 3 %.
 */
import { basename, join, resolve } from "node:path";
import { bundle } from "../../scripts/lib/bundle.ts";
import { seeded } from "../kernels/bids.ts";
import { closedLoop, type Job } from "../lib/drive.ts";
import { commit, report, type Row, rowOf } from "../lib/report.ts";
import { startWorkerd } from "../lib/workerd.ts";
import { drawTransfer, uniform } from "../transfers/accounts.ts";
import { BATCH_LINES, makeBatches } from "../transfers/batches.ts";
import { batchRequest, TOKEN, transferRequest } from "../transfers/requests.ts";
import { type Comparison, compare, LEAST_TURNS, type Turn } from "./ratio.ts";

export interface CompareOptions {
  /** The folder of the other state: a checkout with its dependencies and its build. */
  readonly other: string;
  /** Name of a load. */
  readonly load: string;
  readonly turns: number;
  readonly seconds: number;
  readonly keys: number;
  readonly partitions: number;
}

interface Load {
  readonly connections: number;
  /** Transfers of one request. */
  readonly each: number;
}

const LOADS: Readonly<Record<string, Load>> = {
  alone: { connections: 1, each: 1 },
  one: { connections: 128, each: 1 },
  batch: { connections: 8, each: BATCH_LINES },
};
const PORTS = [8_798, 8_799] as const;
const CONFIG = "bench/transfers/app.wrangler.jsonc";
const SEED = 20_26;
const POOL = 64;
/** Turns of each that warm up, and how much longer than the others they are. */
const WARM_TURNS = 2;
const WARM_TIMES = 6;

export async function benchCompare(options: CompareOptions): Promise<void> {
  const load = LOADS[options.load];
  if (load === undefined)
    throw new Error(`--only is one of ${Object.keys(LOADS).join(", ")}, not ${JSON.stringify(options.load)}`);
  if (options.turns < LEAST_TURNS) throw new Error(`--runs is at least ${LEAST_TURNS}: fewer tell nothing`);
  const root = join(import.meta.dirname, "..", "..");
  const folders = [root, resolve(options.other)];
  const vars = { PARTITIONS: String(options.partitions), TIDEGATE_TOKEN: TOKEN };
  const workers = folders.map(async (folder, at) => ({
    name: `state${at}`,
    port: PORTS[at] as number,
    bundle: await bundle(join(folder, CONFIG)),
    classes: ["Partition", "Coordinator"],
    vars,
  }));
  const workerd = await startWorkerd(await Promise.all(workers));
  const next = jobs(options, load);
  const play = async (at: number, seconds: number): Promise<Turn> => {
    const before = await workerd.cpuSeconds();
    const drive = await closedLoop({ port: PORTS[at] as number, connections: load.connections, seconds, next });
    const transfers = drive.jobs * load.each;
    const cpu = (await workerd.cpuSeconds()) - before;
    return { cpuUs: (cpu * 1e6) / transfers, timeUs: (drive.elapsedMs * 1e3) / transfers };
  };
  try {
    const turns: [Turn[], Turn[]] = [[], []];
    for (let turn = -WARM_TURNS; turn < options.turns; turn++) {
      const seconds = turn < 0 ? WARM_TIMES * options.seconds : options.seconds;
      // Who comes first would otherwise always find the other's traces in the caches.
      for (const at of turn % 2 === 0 ? [0, 1] : [1, 0]) {
        const played = await play(at, seconds);
        if (turn >= 0) turns[at as 0 | 1].push(played);
      }
      if (turn >= 0 && (turn + 1) % 20 === 0) console.log(`${turn + 1} of ${options.turns} turns`);
    }
    await report("compare", rowsOf(turns), {
      load: options.load,
      partitions: options.partitions,
      accounts: options.keys,
      turns: options.turns,
      seconds: options.seconds,
      other: `${basename(folders[1] as string)} at ${commit(folders[1])}`,
    });
  } finally {
    await workerd.stop();
  }
}

/** Both get what is drawn in turn; each that is answered with an error of the server ends the comparison. */
function jobs({ keys }: CompareOptions, { each }: Load): () => Job {
  const random = seeded(SEED);
  const draw = uniform(keys).draw(random);
  const take: Job["take"] = ({ status, body }) => {
    if (status >= 500) throw new Error(`answered ${status}: ${body.toString()}`);
  };
  if (each > 1) {
    const pool = makeBatches(POOL, draw, random);
    let sent = 0;
    return () => ({ request: batchRequest((pool[sent++ % POOL] as (typeof pool)[number]).body), take });
  }
  return () => {
    const { from, to, amount } = drawTransfer(draw, random);
    return { request: transferRequest(from, to, amount), take };
  };
}

function rowsOf([these, those]: readonly [readonly Turn[], readonly Turn[]]): Row[] {
  const figure = (what: string, of: keyof Turn): Row[] => {
    const [own, others] = [these.map((turn) => turn[of]), those.map((turn) => turn[of])];
    return [
      rowOf(`${what} a transfer, this state`, "us", own),
      rowOf(`${what} a transfer, the other state`, "us", others),
      ratioRow(`  ratio of ${what}, this to the other`, compare(own, others)),
    ];
  };
  return [...figure("CPU of workerd", "cpuUs"), ...figure("time", "timeUs")];
}

function ratioRow(what: string, { ratio, error }: Comparison): Row {
  const [least, most] = [ratio * Math.exp(-2 * error), ratio * Math.exp(2 * error)];
  const isNone = least < 1 && most > 1;
  const note = `the range is two standard errors${isNone ? ": no difference can be seen" : ""}`;
  return { what, value: ratio, unit: "x", range: [least, most], note };
}
