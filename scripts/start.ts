/** `npm start`: serves the shop on this machine in workerd, with its data on disk. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./lib/bundle.ts";
import { type LocalServer, serve } from "./lib/local-server.ts";

const ROOT = resolve(import.meta.dirname, "..");
const HOST = "127.0.0.1";
const PORT_DEFAULT = 8787;
const PORT_MAX = 65_535;
/** Where the demo receives the shop's webhooks: the one address on this machine that they may go to. */
const RECEIVER = `${HOST}:8799`;
/** File that marks a data folder as ours. */
const MARKER = "tidegate-data";

const HELP = `npm start -- [options]     serves the shop on http://${HOST}:${PORT_DEFAULT}

  --port N       port to listen on; PORT in the environment does the same
  --data DIR     where state lives on disk; default .tidegate
  --fresh        wipes that folder first
  --help

The bearer token is made once and kept in the data folder; TIDEGATE_TOKEN in the environment overrides it.`;

interface Options {
  readonly port: number;
  readonly data: string;
  readonly fresh: boolean;
}

/** A mistake of the person at the keyboard: shown without a stack. */
class UsageError extends Error {}

function readOptions(): Options | "help" {
  const { values } = parseArgs({
    options: {
      port: { type: "string" },
      data: { type: "string", default: join(ROOT, ".tidegate") },
      fresh: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const text = values.port ?? process.env["PORT"] ?? String(PORT_DEFAULT);
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(port >= 1 && port <= PORT_MAX)) throw new UsageError(`a port is a number from 1 to ${PORT_MAX}, not "${text}"`);
  return { port, data: resolve(values.data), fresh: values.fresh };
}

/** Asks for the port before anything is built, since workerd reports a taken one less clearly. */
function requireFree(port: number): Promise<void> {
  const { promise, resolve: free, reject } = Promise.withResolvers<void>();
  const probe = createServer();
  probe.once("error", () => reject(new UsageError(`port ${port} is taken; try npm start -- --port ${port + 1}`)));
  probe.listen(port, HOST, () => probe.close(() => free()));
  return promise;
}

/** Only folders that this script made are used and wiped: a marker says so, and a mistyped --data costs nothing. */
async function claim({ data, fresh }: Options): Promise<void> {
  const entries: string[] = await readdir(data).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  if (entries.length > 0 && !entries.includes(MARKER))
    throw new UsageError(`${data} holds something else; --data takes an empty or new folder`);
  if (fresh) await rm(data, { recursive: true, force: true });
  await mkdir(data, { recursive: true });
  await writeFile(join(data, MARKER), "State of a local Tidegate server; npm start -- --fresh wipes it.\n");
}

async function tokenIn(data: string): Promise<string> {
  const given = process.env["TIDEGATE_TOKEN"];
  const file = join(data, "token");
  if (given !== undefined && given !== "") {
    await writeFile(file, given, { mode: 0o600 });
    return given;
  }
  const kept = await readFile(file, "utf8").catch(() => "");
  if (kept.trim() !== "") return kept.trim();
  const made = randomBytes(18).toString("base64url");
  await writeFile(file, made, { mode: 0o600 });
  return made;
}

/** Signs the shop's webhooks; the demo, which receives them, finds it in the data folder. */
async function webhookSecret(data: string): Promise<string> {
  const file = join(data, "webhook-secret");
  const kept = await readFile(file, "utf8").catch(() => "");
  if (kept.trim() !== "") return kept.trim();
  const made = `whsec_${randomBytes(32).toString("base64")}`;
  await writeFile(file, made, { mode: 0o600 });
  return made;
}

function greeting(url: string, token: string, { data }: Options): string {
  const call = (rest: string): string => `curl -H "authorization: Bearer ${token}" ${rest}`;
  return `
Tidegate serves the shop on ${url}
  data   ${relative(process.cwd(), data) || "."}
  token  ${token}

Try:
  ${call(`--json '{"amount":5000}' ${url}/v1/services/account/alice/deposit`)}
  ${call(`--json '{"quantity":10}' ${url}/v1/services/stock/teapot/restock`)}
  ${call(`--json '{"item":"teapot","price":1900,"quantity":2}' ${url}/v1/services/cart/alice/add`)}
  ${call(`-X POST ${url}/v1/services/cart/alice/checkout`)}
  ${call(`${url}/v1/services/cart/alice/orders`)}
  ${call(`${url}/openapi.json`)}

The console: ${url}/console

In another shell: npm run demo
Ctrl-C stops; the data stays.
`;
}

function stopOnSignal(server: LocalServer): void {
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Miniflare's own listener ends this process before the server has stopped.
    process.removeAllListeners(signal);
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      void server.stop().then(
        () => {
          console.log("stopped");
          process.exit(0);
        },
        (error: unknown) => fail(error),
      );
    });
  }
}

function fail(error: unknown): never {
  const usage = error instanceof UsageError || (error instanceof TypeError && "code" in error);
  console.error(usage ? `${(error as Error).message}\n\n${HELP}` : error);
  process.exit(1);
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === "help") return console.log(HELP);
  await requireFree(options.port);
  await claim(options);
  const token = await tokenIn(options.data);
  console.log("Building the shop, as a deploy would…");
  const app = await bundle(join(ROOT, "wrangler.jsonc"));
  const server = await serve({
    bundle: app,
    port: options.port,
    host: HOST,
    persist: join(options.data, "state"),
    token,
    bindings: { SHOP_WEBHOOK_SECRET: await webhookSecret(options.data), SHOP_WEBHOOK_HOSTS: RECEIVER },
  });
  stopOnSignal(server);
  await writeFile(join(options.data, "url"), server.url);
  console.log(greeting(server.url, token, options));
}

await main().catch(fail);
