/** `tidegate dev`: the app of this folder on this machine, with tokens that are made when there are none. */
import { randomBytes } from "node:crypto";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, whole } from "../command.ts";
import { localVars, VARS_FILE } from "../dev-vars.ts";
import { PORT_DEFAULT, PORT_MAX } from "../limits.ts";
import { startWrangler } from "../wrangler.ts";

const TOKENS = ["TIDEGATE_TOKEN", "TIDEGATE_ADMIN_TOKEN"] as const;

export const dev: Command = {
  summary: "serves the app of this folder on this machine, and prints its tokens",
  usage: "[options] [-- options of wrangler dev]",
  takes: [0, Number.POSITIVE_INFINITY],
  options: { port: { type: "string", value: "N", help: `where it listens; default ${PORT_DEFAULT}` } },
  details: `Tokens are kept in ${VARS_FILE}; in .env, where there is one and no ${VARS_FILE}. The .gitignore of a new app has both. The data is kept in .wrangler/state.`,
  async run(given, { cwd, err, env }) {
    const port = whole(given, "port", PORT_DEFAULT, 1, PORT_MAX);
    const { vars, file, text } = await localVars(cwd);
    const tokens: Record<string, string> = {};
    // An editor may have left the last line without its end.
    let before = text === "" || text.endsWith("\n") ? "" : "\n";
    for (const name of TOKENS) {
      tokens[name] = vars[name] || randomBytes(18).toString("base64url");
      if (vars[name]) continue;
      await appendFile(join(cwd, file), `${before}${name}=${tokens[name]}\n`, { mode: 0o600 });
      before = "";
    }
    const url = `http://127.0.0.1:${port}`;
    const told = `  token           ${tokens["TIDEGATE_TOKEN"]}\n  administrator   ${tokens["TIDEGATE_ADMIN_TOKEN"]}`;
    const example = "npx tidegate call <service> <key> <function> '{…}'";
    err(`${url}, with the console at ${url}/console\n${told}\n\nWhen it is ready, in another shell:\n  ${example}\n`);
    // The Worker has the tokens that are printed, whatever files wrangler reads for an environment that was asked for.
    const handed = TOKENS.flatMap((name) => ["--var", `${name}:${tokens[name]}`]);
    // `--var` takes all that follows up to the next option: an entry point behind it would be one more variable.
    const args = ["dev", ...handed, "--port", String(port), "--ip", "127.0.0.1", ...given.positionals];
    return startWrangler(args, cwd, env).ended;
  },
};
