/** Secrets for local work, in `.dev.vars` or else `.env`, as wrangler reads them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";

export const VARS_FILE = ".dev.vars";
/** What wrangler reads where there is no `.dev.vars`; of a name in both the last counts. */
const ENV_FILES = [".env", ".env.local"];

/** Names and values of lines such as `NAME=value # comment`, of which the last counts; a value in quotes may have anything in it. */
export function varsIn(text: string): Record<string, string> {
  return parseEnv(text) as Record<string, string>;
}

export interface LocalVars {
  readonly vars: Readonly<Record<string, string>>;
  /** Name of the file that further ones belong in, and what it has; a `.dev.vars` beside a `.env` would hide all that this says. */
  readonly file: string;
  readonly text: string;
}

/** What wrangler reads in the folder of an app. */
export async function localVars(folder: string): Promise<LocalVars> {
  const read = (name: string): Promise<string | undefined> =>
    readFile(join(folder, name), "utf8").catch(() => undefined);
  const own = await read(VARS_FILE);
  const found = own === undefined ? await Promise.all(ENV_FILES.map(read)) : [];
  const at = found.findIndex((text) => text !== undefined);
  if (at < 0) return { vars: varsIn(own ?? ""), file: VARS_FILE, text: own ?? "" };
  const vars = Object.assign({}, ...found.map((text) => varsIn(text ?? ""))) as Record<string, string>;
  return { vars, file: ENV_FILES[at] as string, text: found[at] as string };
}
