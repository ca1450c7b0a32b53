#!/usr/bin/env node
/** `npx tidegate`. */
import { EXIT } from "./command.ts";
import { run } from "./run.ts";

// Who reads has enough, as `head` has: nothing is wrong, and there is nobody to go on for.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT.done);
});

process.exitCode = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  stdin: process.stdin,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
});
