/** `.dev.vars`: secrets for local work, as wrangler reads them. */
import { parseEnv } from "node:util";

export const VARS_FILE = ".dev.vars";

/** Names and values of lines such as `NAME=value # comment`, of which the last counts; a value in quotes may have anything in it. */
export function varsIn(text: string): Record<string, string> {
  return parseEnv(text) as Record<string, string>;
}
