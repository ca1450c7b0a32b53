/** What the person at the keyboard asks for, and where the server is. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

export const HELP = `npm run demo -- [options]     drives the shop that npm start serves, and audits what it answered

  --checkouts N  checkouts, with the calls around them; default 10000, with --grow 20000
  --events N     events into the stream; default 1000000
  --clients N    concurrent connections; default 32
  --grow         has the server go to twice its partitions and back meanwhile
  --seed N       the same seed makes the same calls and events; default: the number of the run
  --data DIR     data folder of npm start, where the address and the token are; default .tidegate
  --url URL      another server, with --token TOKEN, and with --admin-token TOKEN for --grow
  --help

Each run adds to what is there, and first audits what the runs before it left. While the server is away, requests are repeated for a
minute with their Idempotency-Keys: stop it on the way, or kill it, and start it again. Exit code 1 when an audit fails.`;

export interface Options {
  readonly url: string;
  readonly token: string;
  /** For the number of partitions. On this machine it is the same. */
  readonly adminToken: string;
  readonly checkouts: number;
  readonly events: number;
  readonly clients: number;
  /** Signs the shop's webhooks; undefined for another server, which does not send them here. */
  readonly webhookSecret: string | undefined;
  /** The number of partitions changes during the checkouts. */
  readonly grow: boolean;
  readonly seed: number | undefined;
  /** File that carries what earlier runs left. */
  readonly history: string;
}

/** A mistake of the person at the keyboard: shown without a stack. */
export class UsageError extends Error {}

const CHECKOUTS_MAX = 1_000_000;
const EVENTS_MAX = 100_000_000;
const CLIENTS_MAX = 512;

/** @throws UsageError, or the TypeError of `parseArgs` */
export async function readOptions(): Promise<Options | "help"> {
  const { values } = parseArgs({
    options: {
      checkouts: { type: "string" },
      grow: { type: "boolean", default: false },
      events: { type: "string", default: "1000000" },
      clients: { type: "string", default: "32" },
      seed: { type: "string" },
      data: { type: "string", default: resolve(import.meta.dirname, "../../../.tidegate") },
      url: { type: "string" },
      token: { type: "string" },
      "admin-token": { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const data = resolve(values.data);
  const url = values.url ?? (await kept(join(data, "url"), "the server's address", "--url"));
  if (!URL.canParse(url)) throw new UsageError(`--url takes an address such as http://127.0.0.1:8787, not "${url}"`);
  const token = values.token ?? (await kept(join(data, "token"), "the token", "--token"));
  return {
    url,
    token,
    adminToken: values["admin-token"] ?? token,
    webhookSecret: values.url === undefined ? await webhookSecretIn(data) : undefined,
    checkouts: whole("checkouts", values.checkouts ?? (values.grow ? "20000" : "10000"), 0, CHECKOUTS_MAX),
    events: whole("events", values.events, 0, EVENTS_MAX),
    grow: values.grow,
    clients: whole("clients", values.clients, 1, CLIENTS_MAX),
    seed: values.seed === undefined ? undefined : whole("seed", values.seed, 0, 2 ** 31 - 1),
    history: join(data, values.url === undefined ? "demo.json" : `demo-${new URL(url).host.replace(":", "-")}.json`),
  };
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${name} is a whole number from ${least} to ${most}, not "${text}"`);
}

/** A server that was started before there were any has none. */
async function webhookSecretIn(data: string): Promise<string | undefined> {
  const text = await readFile(join(data, "webhook-secret"), "utf8").catch(() => "");
  return text.trim() === "" ? undefined : text.trim();
}

async function kept(file: string, what: string, option: string): Promise<string> {
  const text = await readFile(file, "utf8").catch(() => "");
  if (text.trim() !== "") return text.trim();
  throw new UsageError(`${what} is not in ${file}: run npm start in another shell first, or give ${option}`);
}
