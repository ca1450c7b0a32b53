/** The project's own wrangler, as a process. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { EXIT, Failure } from "./command.ts";

export interface Wrangler {
  readonly process: ChildProcess;
  /** Its exit code. */
  readonly ended: Promise<number>;
}

/**
 * Starts it in a folder. It ends with this process.
 * @param output what becomes of what it says; default: shown
 * @throws Failure when the project has none
 */
export function startWrangler(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  output: "inherit" | "pipe" = "inherit",
): Wrangler {
  const child = spawn(wranglerOf(cwd), args, { cwd, env, stdio: ["ignore", output, output] });
  // Who ends it by Ctrl-C has what they wanted, whatever wrangler's own exit code then is; a crash is none of that.
  let isAsked = false;
  const stop = (signal: NodeJS.Signals): void => {
    isAsked = true;
    child.kill(signal);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
      const isEnded = isAsked || signal === "SIGINT" || signal === "SIGTERM";
      resolve(isEnded ? EXIT.done : (code ?? EXIT.failed));
    });
  });
  return { process: child, ended };
}

/** In the folder's node_modules or in those above, as npm looks for it. */
function wranglerOf(cwd: string): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const file = join(folder, "node_modules/.bin/wrangler");
    if (existsSync(file)) return file;
    if (dirname(folder) === folder)
      throw new Failure("wrangler is not installed here; run it in the folder of an app: npm install -D wrangler");
  }
}
