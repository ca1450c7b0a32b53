/** `tidegate check`: whether clients of the deployed app go on working with the code in this folder. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { added, compare } from "../check/compare.ts";
import { losses, strayed } from "../check/flows.ts";
import { type Command, EXIT, Failure, type Terminal, text } from "../command.ts";
import { connect, CONNECTION } from "../connection.ts";
import { START_LOOK_MS, START_MS } from "../limits.ts";
import { freePort } from "../ports.ts";
import { startWrangler } from "../wrangler.ts";

const DOCUMENT = "/openapi.json";

export const check: Command = {
  summary: "compares the contracts in this folder with those of the deployed app: what would break its clients?",
  usage: "[options]",
  takes: [0, 0],
  options: {
    ...CONNECTION,
    url: { type: "string", value: "URL", help: "the deployed app; default TIDEGATE_URL" },
    next: { type: "string", value: "FILE", help: "an OpenAPI document to compare, in the place of this folder's app" },
  },
  details: `Breaking is: a function that is gone, an input that is not taken any more, a result or refusal that clients do not know.
So is a flow that would lose state and does not say so.
Without --next it starts the app of this folder with wrangler, on a free port and without its data, and asks it.`,
  async run(given, terminal) {
    if (text(given, "url") === undefined && terminal.env["TIDEGATE_URL"] === undefined)
      throw new Failure("say which app is deployed: --url https://… or TIDEGATE_URL");
    const deployed = await (await (await connect(given, terminal)).request(DOCUMENT)).json();
    const file = text(given, "next");
    const next = file === undefined ? await documentOfFolder(terminal) : await documentIn(resolve(terminal.cwd, file));
    const breaks = compare(deployed, next);
    for (const { operation, what } of breaks) terminal.out(`${operation}: ${what}`);
    const lost = losses(deployed, next);
    for (const { flow, operator, named, with: tied } of lost) {
      const state =
        tied === undefined
          ? operator
          : `${operator} (with ${tied}, which begins anew: one of them takes back results of the other)`;
      if (named) terminal.err(`drops: the state of ${state} in flow "${flow}"`);
      else
        terminal.out(
          `flow "${flow}": would lose the state of ${state}, and takes no events until its \`drops\` name it`,
        );
    }
    for (const { flow, end, from, to } of strayed(deployed, next))
      terminal.err(
        `warning: in flow "${flow}" ${to} leads to ${end}, where ${from} did: they are defined alike, and each goes on with the state that is kept under its name. Keep their order, or name them`,
      );
    for (const name of added(deployed, next)) terminal.err(`new: ${name}`);
    const unnamed = lost.filter(({ named }) => !named).length;
    if (breaks.length > 0) terminal.err(`${breaks.length} changes break clients of the deployed app`);
    if (unnamed > 0) terminal.err(`${unnamed} changes would lose what flows of the deployed app keep`);
    if (breaks.length + unnamed > 0) return EXIT.failed;
    terminal.err("compatible");
    return EXIT.done;
  },
};

async function documentIn(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new Failure(`${path} is no OpenAPI document: ${(error as Error).message}`, { cause: error });
  }
}

/** Starts the app of a folder, asks it for its document, and stops it. @throws Failure with what wrangler says */
async function documentOfFolder({ cwd, env }: Terminal): Promise<unknown> {
  const state = await mkdtemp(join(tmpdir(), "tidegate-check-"));
  const token = randomBytes(18).toString("hex");
  const port = await freePort();
  const place = ["--ip", "127.0.0.1", "--port", String(port), "--persist-to", state];
  const args = ["dev", ...place, "--var", `TIDEGATE_TOKEN:${token}`, "--show-interactive-dev-session=false"];
  const wrangler = startWrangler(args, cwd, { ...env, CI: "true", WRANGLER_SEND_METRICS: "false" }, "pipe");
  let said = "";
  wrangler.process.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  wrangler.process.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  try {
    const ended = wrangler.ended.then(() => "ended" as const);
    const url = `http://127.0.0.1:${port}${DOCUMENT}`;
    const headers = { authorization: `Bearer ${token}` };
    for (const end = Date.now() + START_MS; Date.now() < end;) {
      const response = await fetch(url, { headers }).catch(() => undefined);
      if (response?.ok) return await response.json();
      if ((await Promise.race([ended, sleep(START_LOOK_MS)])) === "ended") break;
    }
    throw new Failure(`the app of this folder does not start:\n${said}`);
  } finally {
    wrangler.process.kill("SIGTERM");
    await wrangler.ended;
    await rm(state, { recursive: true, force: true, maxRetries: 3 });
  }
}
