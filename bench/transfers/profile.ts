/** `--profile`: which functions of the app use the CPU under one of the loads. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CallFrame, type CpuProfile, functionTimes, lineTicks, saveProfile, takeProfile } from "../lib/profile.ts";
import { printFiles, printFunctions, printLines } from "../lib/profile-tables.ts";
import { sourceNames } from "../lib/source-names.ts";
import { type Skew, uniform, zipf } from "./accounts.ts";
import { closedRun } from "./batch-run.ts";
import type { TransferOptions } from "./options.ts";
import { transferRun } from "./single-run.ts";
import { APP, INSPECTOR_PORT, onStage, type Stage } from "./stage.ts";

interface Load {
  skew(options: TransferOptions): Skew;
  run(stage: Stage): Promise<{ readonly transfers: number; readonly perSecond: number }>;
}

const every = ({ keys }: TransferOptions): Skew => uniform(keys);

/** By the names that `--only` takes. */
const LOADS: Readonly<Record<string, Load>> = {
  batch: { skew: every, run: closedRun },
  one: { skew: every, run: (stage) => transferRun(stage, 128) },
  alone: { skew: every, run: (stage) => transferRun(stage, 1) },
  "zipf-0.999": { skew: ({ keys }) => zipf(keys, 0.999), run: closedRun },
  "zipf-0.99": { skew: ({ keys }) => zipf(keys, 0.99), run: closedRun },
  hot: { skew: () => uniform(10, "10 hot accounts"), run: closedRun },
};

export async function profileTransfers(options: TransferOptions): Promise<void> {
  const name = options.only ?? "batch";
  const load = LOADS[name];
  if (!load) throw new Error(`nothing to profile in ${name}`);
  await onStage(options, load.skew(options), async (stage) => {
    await load.run(stage);
    let profile: CpuProfile | undefined;
    const profiled = async <T>(drive: () => Promise<T>): Promise<T> => {
      const taken = await takeProfile(INSPECTOR_PORT, APP, drive);
      profile = taken.profile;
      return taken.result;
    };
    const { transfers, perSecond } = await load.run({ ...stage, timed: profiled });
    console.log(`\n${name}, ${options.partitions} partitions: ${Math.round(perSecond)} /s under the profiler`);
    await show(stage, name, transfers, profile as CpuProfile);
  });
}

async function show(stage: Stage, name: string, transfers: number, profile: CpuProfile): Promise<void> {
  const source = sourceNames(stage.app);
  const ofBundle = ({ url }: CallFrame): boolean => url !== "" && !/^(wasm|node|cloudflare)/.test(url);
  const times = functionTimes(profile, (frame) => {
    if (frame.url.startsWith("wasm:")) return "core.wasm";
    return ofBundle(frame) ? source(frame.lineNumber)[0] : frame.url;
  });
  printFunctions(times, { count: transfers, what: "transfer" });
  printFiles(times);
  printLines(lineTicks(profile, ofBundle), source);
  await saveProfile(join(tmpdir(), `tidegate-${name}.cpuprofile`), profile);
}
