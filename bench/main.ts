/** `npm run bench -- <name>`: runs one benchmark, prints its table and keeps its figures in bench/results. */
import { parseArgs } from "node:util";
import { benchIngest } from "./ingest/main.ts";
import { benchKernels } from "./kernels/main.ts";
import { benchLocal } from "./local/main.ts";

const HELP = `Usage: npm run bench -- <name> [--runs N] [--seconds S]

  local     one function on one key over HTTP, beside a hand-written Durable Object
  ingest    NDJSON over HTTP to durable windowed views, beside plain JavaScript in memory
  kernels   each Wasm kernel beside idiomatic and hand-tuned JavaScript

  --runs N      counted runs of each figure, after one warm-up (default 5)
  --seconds S   length of a run where it is timed (default 3)
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    help: { type: "boolean", default: false },
  },
});
const options = { runs: Number(values.runs), seconds: Number(values.seconds) };
const benches: Record<string, () => Promise<void>> = {
  local: () => benchLocal(options),
  ingest: () => benchIngest(options),
  kernels: () => benchKernels(),
};
const bench = benches[positionals[0] ?? ""];
if (values.help || !bench) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}
await bench();
