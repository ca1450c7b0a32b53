/** Backups of a server under load, and servers that they are restored into. */
import { OPENING_BALANCE } from "../../app/src/bank.ts";
import { createRandom } from "../../../sim/random.ts";
import { TOKEN } from "./process-group.ts";

export const ACCOUNTS: readonly string[] = Array.from({ length: 40 }, (_, n) => `account-${n}`);
const SENDERS: readonly string[] = Array.from({ length: 6 }, (_, n) => `sender-${n}`);
const RECEIVERS: readonly string[] = Array.from({ length: 6 }, (_, n) => `receiver-${n}`);
const TOTAL = ACCOUNTS.length * OPENING_BALANCE;

export type Fetched = { readonly status: number; readonly text: string; readonly headers: Headers };

export async function ask(url: string, path: string, init: RequestInit = {}): Promise<Fetched> {
  const headers = { authorization: `Bearer ${TOKEN}`, ...(init.headers as Record<string, string> | undefined) };
  const response = await fetch(url + path, { ...init, headers });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

export async function takeBackup(url: string): Promise<Buffer> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const response = await fetch(`${url}/admin/backup`, { method: "POST", headers });
  if (response.status !== 200) throw new Error(`a backup was answered ${response.status}: ${await response.text()}`);
  return Buffer.from(await response.arrayBuffer());
}

/** As `takeBackup`, when what a move has left is deleted. */
export async function takeBackupBehindMove(url: string): Promise<Buffer> {
  for (;;) {
    try {
      return await takeBackup(url);
    } catch (error) {
      if (!String(error).includes("/problems/keys-moving")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const MOVE_MS = 30_000;

/** There are to be so many partitions; resolves when there are. */
export async function rescale(url: string, partitions: number): Promise<void> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ partitions });
  const { status, text } = await ask(url, "/admin/partitions", { method: "POST", body, headers });
  if (status !== 202) throw new Error(`${partitions} partitions were answered ${status}: ${text}`);
  const deadline = Date.now() + MOVE_MS;
  for (;;) {
    const now = (await ask(url, "/admin/partitions")).text;
    const { partitions: there, phase } = JSON.parse(now) as { partitions: number; phase: string };
    if (there === partitions && phase === "still") return;
    if (Date.now() > deadline) throw new Error(`${partitions} partitions are not reached: ${now}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function restore(url: string, backup: Uint8Array): Promise<Fetched> {
  // Just behind a start or a change of the number of partitions it may be asked for once more, as anybody would.
  for (let left = 20; ; left--) {
    const answer = await ask(url, "/admin/restore", { method: "POST", body: backup as unknown as BodyInit });
    if (answer.status !== 503 || left === 0) return answer;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** A POST that was answered. */
export interface Acknowledged {
  readonly path: string;
  readonly body: string;
  readonly key: string;
  readonly text: string;
  readonly status: number;
}

/** Clients that move money and send messages, with an Idempotency-Key each. */
export class Clients {
  readonly #url: string;
  readonly #random;
  readonly acknowledged: Acknowledged[] = [];
  readonly latencies: number[] = [];
  readonly faults: string[] = [];
  #keys = 0;
  #stopping = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(url: string, seed: number) {
    this.#url = url;
    this.#random = createRandom(seed);
  }

  start(count: number): void {
    this.#running = Promise.all(Array.from({ length: count }, (_, n) => this.#client(n % 3 === 0)));
  }

  /** Resolves when so many more requests are acknowledged. */
  async more(requests: number): Promise<void> {
    const enough = this.acknowledged.length + requests;
    while (this.acknowledged.length < enough && this.faults.length === 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #client(sends: boolean): Promise<void> {
    while (!this.#stopping) await (sends ? this.#send() : this.#transfer());
  }

  #transfer(): Promise<void> {
    const from = this.#random.pick(ACCOUNTS);
    const to = this.#random.pick(ACCOUNTS.filter((account) => account !== from));
    return this.#post(`/v1/services/bank/${from}/transfer`, { to, amount: 1 + this.#random.int(20) });
  }

  #send(): Promise<void> {
    const to = [this.#random.pick(RECEIVERS)];
    return this.#post(`/v1/services/mail/${this.#random.pick(SENDERS)}/send`, { to, count: 1 + this.#random.int(3) });
  }

  async #post(path: string, input: object): Promise<void> {
    const key = `"k-${this.#keys++}"`;
    const body = JSON.stringify(input);
    const began = performance.now();
    const { status, text } = await post(this.#url, { path, body, key });
    this.latencies.push(performance.now() - began);
    if (status === 200 || status === 409) this.acknowledged.push({ path, body, key, text, status });
    else this.faults.push(`${path} was answered ${status}: ${text}`);
  }
}

function post(url: string, { path, body, key }: Pick<Acknowledged, "path" | "body" | "key">): Promise<Fetched> {
  const headers = { "content-type": "application/json", "idempotency-key": key };
  return ask(url, path, { method: "POST", body, headers });
}

/** What is wrong with a server that a backup was restored into; these were acknowledged before the backup was asked for. */
export async function judge(url: string, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const faults = await sumFaults(url);
  const again = await Promise.all(acknowledged.map((request) => post(url, request)));
  for (const [at, request] of acknowledged.entries()) {
    const { status, text, headers } = again[at] as Fetched;
    const replayed = headers.get("idempotency-replayed") === "true";
    if (replayed && status === request.status && text === request.text) continue;
    faults.push(`${request.path} was answered ${request.text}, and ${status} ${text} when it was restored`);
  }
  return [...faults, ...(await sumFaults(url)), ...(await mailFaults(url))];
}

async function sumFaults(url: string): Promise<string[]> {
  const input = encodeURIComponent(JSON.stringify({ accounts: ACCOUNTS }));
  const { status, text } = await ask(url, `/v1/services/bank/${ACCOUNTS[0]}/balances?input=${input}`);
  if (status !== 200) return [`balances were answered ${status}: ${text}`];
  const sum = (JSON.parse(text) as number[]).reduce((total, balance) => total + balance, 0);
  return sum === TOTAL ? [] : [`the sum of all balances is ${sum}, not ${TOTAL}`];
}

const DELIVERED_MS = 15_000;

/** Every message that was sent arrives once and in order, those too that were on their way when the backup was made. */
async function mailFaults(url: string): Promise<string[]> {
  const deadline = Date.now() + DELIVERED_MS;
  for (;;) {
    const faults: string[] = [];
    for (const to of RECEIVERS) faults.push(...(await faultsOfReceiver(url, to)));
    if (faults.length === 0 || Date.now() > deadline) return faults;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function faultsOfReceiver(url: string, to: string): Promise<string[]> {
  const received = JSON.parse((await ask(url, `/v1/services/mail/${to}/received`)).text) as Array<{
    from: string;
    n: number;
  }>;
  const faults: string[] = [];
  for (const from of SENDERS) {
    const input = encodeURIComponent(JSON.stringify({ to }));
    const sent = JSON.parse((await ask(url, `/v1/services/mail/${from}/sent?input=${input}`)).text) as number;
    const numbers = received.filter((letter) => letter.from === from).map(({ n }) => n);
    if (numbers.length !== sent || numbers.some((n, at) => n !== at + 1))
      faults.push(`${from} sent ${sent} messages to ${to}, and ${numbers.join()} arrived`);
  }
  return faults;
}
