/** `--profile`: which functions of the app use the CPU under one query. */
import { join } from "node:path";
import { bundle } from "../../scripts/lib/bundle.ts";
import { type CallFrame, functionTimes, lineTicks, takeProfile } from "../lib/profile.ts";
import { printFiles, printFunctions, printLines } from "../lib/profile-tables.ts";
import { sourceNames } from "../lib/source-names.ts";
import { startWorkerd } from "../lib/workerd.ts";
import { APP_PORT, TOKEN } from "./client.ts";
import { QUERIES } from "./flows/queries.ts";
import { generate } from "./generator.ts";
import { appGoal, type Pass, passesOf, PER_SECOND, run, WITHOUT_BIDS } from "./measure.ts";
import type { Kind } from "./events.ts";

const INSPECTOR_PORT = 9794;
const EVENTS = 100_000;
const PASSES = 3;

/** The load that is measured: a query that reads no bids is sent none. */
function profiledPasses(reads: readonly Kind[]): Pass[] {
  const events = EVENTS * PASSES;
  if (reads.includes("bid")) return passesOf(generate({ events, perSecond: PER_SECOND }), PASSES);
  const all = { events: events * WITHOUT_BIDS, perSecond: PER_SECOND * WITHOUT_BIDS, kinds: reads };
  return passesOf(generate(all), PASSES);
}

/** @param name of a query, or of one with an end that discards */
export async function profileNexmark(name: string): Promise<void> {
  const app = await bundle(join(import.meta.dirname, "app.wrangler.jsonc"));
  const worker = { name: "app", port: APP_PORT, bundle: app, classes: ["Partition", "Coordinator"] };
  const workerd = await startWorkerd([{ ...worker, vars: { TIDEGATE_TOKEN: TOKEN } }], INSPECTOR_PORT);
  const reads = QUERIES.find((query) => query.name === name)?.reads ?? ["bid"];
  const passes = profiledPasses(reads);
  try {
    const drive = (index: number) => run(workerd, appGoal(name), passes[index] as Pass, reads, `pass-${index}`, false);
    await drive(0);
    await drive(1);
    const { result, profile } = await takeProfile(INSPECTOR_PORT, "app", () => drive(2));
    console.log(`\n${name}: ${Math.round(result.perCore)} K events/s of CPU under the profiler`);
    const source = sourceNames(app);
    const ofBundle = ({ url }: CallFrame): boolean => url !== "" && !/^(wasm|node|cloudflare)/.test(url);
    const times = functionTimes(profile, (frame) => {
      if (frame.url.startsWith("wasm:")) return "core.wasm";
      return ofBundle(frame) ? source(frame.lineNumber)[0] : frame.url;
    });
    printFunctions(times, { count: EVENTS, what: "event" });
    printFiles(times);
    printLines(lineTicks(profile, ofBundle), source);
  } finally {
    await workerd.stop();
  }
}
