/** CPU time of a transfer in the protocol alone, without HTTP, RPC and SQLite; run it under `node --cpu-prof` to see where it goes. */
import { pick, report, type Row, rowOf } from "../lib/report.ts";
import { EngineLoad, type LoadOptions } from "./load.ts";

/** Transfers of one counted run, for each of those under way; as many before it warm up. */
const ROUNDS = 15;

interface Figures {
  readonly cpuUs: number;
  readonly batches: number;
  readonly records: number;
  readonly sentBytes: number;
  readonly loggedBytes: number;
  readonly perTurn: number;
}

async function run(load: EngineLoad, transfers: number): Promise<Figures> {
  const { counts } = load.world;
  const before = { ...counts, done: load.done };
  const cpu = process.cpuUsage();
  await load.drive(transfers);
  const { user, system } = process.cpuUsage(cpu);
  const done = load.done - before.done;
  return {
    cpuUs: (user + system) / done,
    batches: (counts.batches - before.batches) / done,
    records: (counts.records - before.records) / done,
    sentBytes: (counts.bytes - before.bytes) / done,
    loggedBytes: (counts.recordBytes - before.recordBytes) / done,
    perTurn: done / (counts.turns - before.turns),
  };
}

async function rowsOf(what: string, options: LoadOptions, runs: number): Promise<Row[]> {
  const load = new EngineLoad(options);
  await load.start();
  const transfers = Math.max(options.atOnce * ROUNDS, 3_000);
  await load.drive(transfers);
  const figures: Figures[] = [];
  for (let n = 0; n < runs; n++) figures.push(await run(load, transfers));
  if (load.refused > 0) throw new Error(`${load.refused} transfers were refused`);
  return [
    rowOf(`${what}, ${options.atOnce} at once`, "us of CPU", pick(figures, "cpuUs")),
    rowOf("  batches of messages a transfer", "", pick(figures, "batches")),
    rowOf("  records a transfer", "", pick(figures, "records")),
    rowOf("  bytes sent a transfer", "", pick(figures, "sentBytes")),
    rowOf("  bytes logged a transfer", "", pick(figures, "loggedBytes")),
    rowOf("  transfers a step of the event loop", "", pick(figures, "perTurn")),
  ];
}

export async function benchEngine({ runs, partitions }: { runs: number; partitions: number }): Promise<void> {
  const rows = [
    ...(await rowsOf("uniform", { partitions, accounts: 10_000, atOnce: 4_000 }, runs)),
    ...(await rowsOf("uniform", { partitions, accounts: 10_000, atOnce: 128 }, runs)),
    ...(await rowsOf("uniform", { partitions, accounts: 10_000, atOnce: 1 }, runs)),
    ...(await rowsOf("10 hot accounts", { partitions, accounts: 10, atOnce: 64 }, runs)),
    ...(await rowsOf("one partition", { partitions: 1, accounts: 10_000, atOnce: 4_000 }, runs)),
  ];
  await report("engine", rows, { partitions, runs, "in memory": "no HTTP, no RPC, no SQLite" });
}
