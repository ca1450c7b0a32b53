/** The commands by name, in the order in which the help lists them. */
import type { Command } from "./command.ts";
import { call } from "./commands/call.ts";
import { dev } from "./commands/dev.ts";
import { init } from "./commands/init.ts";

export const COMMANDS: Readonly<Record<string, Command>> = { init, dev, call };
