/** What a million transfers cost: SQLite's rows, requests and bytes between objects, and the time in which objects are busy. Counted, not timed. */
import { join } from "node:path";
import { report, type Row } from "../lib/report.ts";
import { uniform } from "../transfers/accounts.ts";
import { BATCH_LINES } from "../transfers/batches.ts";
import type { TransferOptions } from "../transfers/options.ts";
import { onStage, type Stage } from "../transfers/stage.ts";
import { idleRows, loneRows } from "./lone.ts";
import { type Counted, countBatches, countSingles } from "./phases.ts";
import { durationDollars, ingressDollars, objectDollars } from "./prices.ts";

const MILLION = 1_000_000;
const APP = join(import.meta.dirname, "app.wrangler.jsonc");

/** Figures to reach, for a transfer or, in dollars, for a million. */
interface Targets {
  readonly rowsWritten?: number;
  readonly requests?: number;
  /** Beyond ingress. */
  readonly dollars?: number;
  readonly allDollars?: number;
}

interface Phase {
  readonly name: string;
  readonly targets?: Targets;
  run(stage: Stage): Promise<Counted>;
}

/** Long enough that logs are folded several times. */
const SATURATED_TIMES = 4;

function phases(seconds: number): Phase[] {
  return [
    {
      name: `batches of ${BATCH_LINES}, as many as go`,
      targets: { rowsWritten: 0.02, requests: 0.05, dollars: 0.1 },
      run: (stage) => countBatches(stage, BATCH_LINES, null, seconds * SATURATED_TIMES),
    },
    {
      name: "a request each, as many as go",
      targets: { allDollars: 1 },
      run: (stage) => countSingles(stage, null, seconds * SATURATED_TIMES),
    },
    { name: "batches of 100, 100/s", run: (stage) => countBatches(stage, 100, 100, seconds) },
    { name: "a request each, 100/s", run: (stage) => countSingles(stage, 100, seconds) },
    { name: "batches of 10, 1/s", run: (stage) => countBatches(stage, 10, 1, seconds * 2) },
    { name: "a request each, 1/s", run: (stage) => countSingles(stage, 1, seconds * 2) },
  ];
}

export async function benchCost(options: TransferOptions): Promise<void> {
  const rows = await onStage(
    options,
    uniform(options.keys),
    async (stage) => {
      // Everything is started, and every isolate knows the map, before anything is counted.
      await countBatches(stage, BATCH_LINES, null, 2);
      const found: Row[] = [];
      for (const phase of phases(options.seconds)) found.push(...rowsOf(phase, await phase.run(stage)));
      found.push(...(await loneRows(stage)), ...(await idleRows(stage)));
      return found;
    },
    APP,
  );
  await report("cost", rows, {
    partitions: options.partitions,
    accounts: options.keys,
    "at once": options.atOnce,
    seconds: options.seconds,
    idempotency: "on",
    duration: "billed while something is under way",
    invariants: "checked at the end",
  });
}

function rowsOf({ name, targets = {} }: Phase, { transfers, httpRequests, elapsedMs, use, cpuMs }: Counted): Row[] {
  const each = (what: string, unit: string, value: number, figure?: number): Row => ({
    what: `  ${what}`,
    unit,
    value: value / transfers,
    ...(figure === undefined ? {} : { target: { figure, atMost: true } }),
  });
  const million = MILLION / transfers;
  const dollars = objectDollars(use) * million;
  const most = (what: string, value: number, figure: number | undefined, note: string): Row => ({
    what: `  ${what}`,
    unit: "$ a million",
    value,
    note,
    ...(figure === undefined ? {} : { target: { figure, atMost: true } }),
  });
  const idle = durationDollars(use.idleMs) * million;
  return [
    {
      what: name,
      unit: "transfers/s",
      value: (transfers / elapsedMs) * 1000,
      note: `${transfers} transfers, ${(cpuMs / transfers).toPrecision(2)} ms of CPU each, edge and objects`,
    },
    each("rows written", "a transfer", use.rowsWritten, targets.rowsWritten),
    each("rows read", "a transfer", use.rowsRead),
    each("object requests", "a transfer", use.requests, targets.requests),
    each("bytes between edge and objects", "a transfer", use.bytes),
    each("object time, busy", "ms a transfer", use.busyMs),
    most(
      "storage and objects",
      dollars,
      targets.dollars,
      `of it duration ${durationDollars(use.busyMs * million).toPrecision(2)}; objects in memory idle, not billed: ${idle.toPrecision(2)}`,
    ),
    most(
      "with requests to the Worker",
      dollars + ingressDollars(httpRequests) * million,
      targets.allDollars,
      "without the Worker's CPU",
    ),
  ];
}
