/** `npm run bench -- <name>`: runs one benchmark, prints its table and keeps its figures in bench/results. */
import { parseArgs } from "node:util";
import { benchCompare } from "./compare/main.ts";
import { benchCost } from "./cost/main.ts";
import { benchEngine } from "./engine/main.ts";
import { benchIngest } from "./ingest/main.ts";
import { benchIngestMemory } from "./ingest/memory.ts";
import { benchKernels } from "./kernels/main.ts";
import { benchLayers } from "./layers/main.ts";
import { benchLocal } from "./local/main.ts";
import { benchRescale } from "./rescale/main.ts";
import { benchRecovery } from "./recovery/main.ts";
import { benchTimers } from "./timers/main.ts";
import { benchMemory } from "./memory/main.ts";
import { benchNexmark } from "./nexmark/main.ts";
import { profileNexmark } from "./nexmark/profile.ts";
import { benchTransfers } from "./transfers/main.ts";

const HELP = `Usage: npm run bench -- <name> [--runs N] [--seconds S]

  local     one function on one key over HTTP, beside a hand-written Durable Object
  transfers two accounts a transaction, most of them on two partitions, beside a hand-written Durable Object
  layers    one request from layer to layer: the Worker, its door, an object, a function, a write, a second partition
  compare   two states of the code in one process (--with): the ratio of what a transfer takes, with its error
  cost      rows, requests, bytes and object time of a million transfers, and their price
  engine    the same transfers in memory: CPU time, messages and records of the protocol alone
  recovery  SIGKILL under load: when every partition answers again, and when throughput is back; nothing lost or doubled
  ingest    NDJSON over HTTP to durable windowed views, beside plain JavaScript in memory
  ingest-memory  bodies of 30 MB: what the isolate holds while they are taken
  rescale   half of all keys move to as many new partitions and back, while requests go on
  timers    a hundred thousand delayed messages of a thousand keys: once each, none early, and the rows that they cost
  memory    a partition with a million keys: its memory while they are written and read, and the rows that it writes
  nexmark   the queries of Nexmark: results against a naive evaluation, rates beside plain JavaScript
  kernels   each Wasm kernel beside idiomatic and hand-tuned JavaScript

  --runs N      counted runs of each figure, after a warm-up (default 5)
  --seconds S   length of a run where it is timed (default 3; for cost 10, and saturated runs take four times that)

nexmark only:
  --only QUERIES   such as q1,q5
  --phase PHASE    check or measure, one of the two
  --profile        instead of figures, which functions use the CPU under one query (--only)

memory only:
  --keys N         keys (default 1000000)

timers only:
  --keys N         delayed messages (default 100000)

compare only:
  --with FOLDER    the other state: a checkout with its dependencies, and built (npm run build)
  --only LOAD      one (128 at a time, the default), alone or batch
  --runs N         turns of each (default 100), of --seconds (default 0.5; of batches 2) each

transfers, cost, recovery (--runs: kills) and, where they fit, engine:
  --only ROWS      of transfers: batch, one, alone, zipf-0.999, zipf-0.99, hot or model
  --keys N         accounts (default 10000; also measured with 1000000; of recovery 100000)
  --at-once N      batches under way in a closed loop (default 8)
  --partitions N   partitions, and hand-written objects (default 8)
  --profile        instead of figures, print which functions of the app use the CPU; with --only, under that load
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string" },
    seconds: { type: "string" },
    only: { type: "string" },
    keys: { type: "string" },
    "at-once": { type: "string", default: "8" },
    partitions: { type: "string", default: "8" },
    phase: { type: "string" },
    with: { type: "string" },
    profile: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const options = {
  runs: Number(values.runs ?? 5),
  seconds: Number(values.seconds ?? (positionals[0] === "cost" ? 10 : 3)),
};
const transferOptions = {
  ...options,
  keys: Number(values.keys ?? (positionals[0] === "recovery" ? 100_000 : 10_000)),
  atOnce: Number(values["at-once"]),
  partitions: Number(values.partitions),
  profile: values.profile,
  ...(values.only === undefined ? {} : { only: values.only }),
};
const benches: Record<string, () => Promise<void>> = {
  local: () => benchLocal(options),
  compare: () => {
    const { with: other, only: load = "one" } = values;
    if (other === undefined) throw new Error("--with is the folder of the other state of the code");
    const seconds = Number(values.seconds ?? (load === "batch" ? 2 : 0.5));
    const { keys, partitions } = transferOptions;
    return benchCompare({ other, load, turns: Number(values.runs ?? 100), seconds, keys, partitions });
  },
  cost: () => benchCost(transferOptions),
  recovery: () => benchRecovery(transferOptions),
  layers: () => benchLayers(transferOptions),
  transfers: () => benchTransfers(transferOptions),
  engine: () => benchEngine({ runs: options.runs, partitions: transferOptions.partitions }),
  ingest: () => benchIngest(options),
  "ingest-memory": () => benchIngestMemory(),
  rescale: () => benchRescale(options),
  kernels: () => benchKernels(),
  timers: () => benchTimers({ timers: Number(values.keys ?? 100_000) }),
  nexmark: () =>
    values.profile
      ? profileNexmark(values.only ?? "q1")
      : benchNexmark({
          runs: options.runs,
          ...(values.only === undefined ? {} : { only: values.only }),
          ...(values.phase === undefined ? {} : { phase: values.phase }),
        }),
  memory: () => benchMemory({ keys: Number(values.keys ?? 1_000_000) }),
};
const bench = benches[positionals[0] ?? ""];
if (values.help || !bench) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}
await bench();
