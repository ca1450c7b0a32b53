/** The commands by name, in the order in which the help lists them. */
import type { Command } from "./command.ts";
import { backup, restore } from "./commands/backup.ts";
import { call } from "./commands/call.ts";
import { check } from "./commands/check.ts";
import { dev } from "./commands/dev.ts";
import { exportCommand } from "./commands/export.ts";
import { grow } from "./commands/grow.ts";
import { ingest } from "./commands/ingest.ts";
import { init } from "./commands/init.ts";
import { key } from "./commands/key.ts";
import { verify } from "./commands/verify.ts";
import { watch } from "./commands/watch.ts";

export const COMMANDS: Readonly<Record<string, Command>> = {
  init,
  dev,
  call,
  ingest,
  watch,
  export: exportCommand,
  backup,
  restore,
  grow,
  key,
  check,
  verify,
};
