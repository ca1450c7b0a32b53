/** `tidegate dev`: the app of this folder on this machine, with tokens that are made when there are none. */
import { randomBytes } from "node:crypto";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, whole } from "../command.ts";
import { VARS_FILE, varsIn } from "../dev-vars.ts";
import { PORT_DEFAULT, PORT_MAX } from "../limits.ts";
import { startWrangler } from "../wrangler.ts";

const TOKENS = ["TIDEGATE_TOKEN", "TIDEGATE_ADMIN_TOKEN"] as const;

export const dev: Command = {
  summary: "serves the app of this folder on this machine, and prints its tokens",
  usage: "[options] [-- options of wrangler dev]",
  takes: [0, Number.POSITIVE_INFINITY],
  options: { port: { type: "string", value: "N", help: `where it listens; default ${PORT_DEFAULT}` } },
  details: `Tokens are kept in ${VARS_FILE}, which stays out of git. The data is kept in .wrangler/state.`,
  async run(given, { cwd, err, env }) {
    const port = whole(given, "port", PORT_DEFAULT, 1, PORT_MAX);
    const file = join(cwd, VARS_FILE);
    const there = await readFile(file, "utf8").catch(() => "");
    const vars = varsIn(there);
    // An editor may have left the last line without its end.
    let before = there === "" || there.endsWith("\n") ? "" : "\n";
    for (const name of TOKENS) {
      if (vars[name] !== undefined && vars[name] !== "") continue;
      vars[name] = randomBytes(18).toString("base64url");
      await appendFile(file, `${before}${name}=${vars[name]}\n`, { mode: 0o600 });
      before = "";
    }
    const url = `http://127.0.0.1:${port}`;
    const tokens = `  token           ${vars["TIDEGATE_TOKEN"]}\n  administrator   ${vars["TIDEGATE_ADMIN_TOKEN"]}`;
    const example = "npx tidegate call <service> <key> <function> '{…}'";
    err(`${url}, with the console at ${url}/console\n${tokens}\n\nWhen it is ready, in another shell:\n  ${example}\n`);
    return startWrangler(["dev", "--port", String(port), "--ip", "127.0.0.1", ...given.positionals], cwd, env).ended;
  },
};
