/** A thread that runs seeds. What it patches must be patched before the protocol is loaded, so it loads all else by `import()`. */
import { enableCompileCache, flushCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import { bugNamed } from "../planted/bugs.ts";
import { patchesOf } from "../planted/planted.ts";
import { applyPatches } from "../planted/patches.ts";
import { smallLimitsPatches } from "../planted/small-limits.ts";
import type { Order, Said, Settings } from "./messages.ts";

// With a planted bug all but a file or two are the same as without: what they are without types, and compiled, is kept from thread to thread.
enableCompileCache();
const settings = workerData as Settings;
applyPatches([
  ...smallLimitsPatches(settings.limits),
  ...(settings.bug === null ? [] : patchesOf(bugNamed(settings.bug))),
]);
const { obey } = await import("./obey.ts");
flushCompileCache();

const say = (said: Said): void => parentPort?.postMessage(said);

parentPort?.on("message", (order: Order) => {
  obey(settings, order, (seed) => say({ kind: "began", seed })).then(say, (error: unknown) =>
    say({ kind: "broken", error: String((error as Error).stack ?? error) }),
  );
});
