/** Clients that move money between accounts of all partitions and read their sum, whatever breaks meanwhile. */
import { abortAllDurableObjects } from "cloudflare:test";
import { expect } from "vitest";
import type { Random } from "../../../sim/random.ts";
import { OPENING_BALANCE } from "../../app/src/bank.ts";
import { type Answer, ask, call, freshKey, inside } from "./app.ts";
import { keysApart } from "./spread.ts";

/** Clients of a run. */
export const CLIENTS = 6;
/** Attempts of one request; far more than the aborts of a run can break. */
const MOST_ATTEMPTS = 2_000;

/** Also lets timers fire: within one isolate calls alone never leave the event loop. */
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Repeats a request until it is answered, as a client does whose server starts over. */
export async function untilAnswered(request: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const answer = await request().catch(() => null);
    if (answer && answer.status < 500) return answer;
    if (answer?.status === 501) throw new Error(JSON.stringify(answer.body));
    await sleep(1);
  }
  throw new Error("a request is never answered");
}

/** Hard: what the object has not stored is lost, and its calls break. */
export async function abortOne(key: string): Promise<void> {
  await inside(key, (state) => {
    // Of aborts for this reason the test pool does not print one complaint for each request that they break.
    setTimeout(() => state.abort("Instance dispose"), 0);
  });
  await sleep(1);
}

export class BankRun {
  readonly accounts: readonly string[] = keysApart(8);
  /** What each account must hold by what was answered. */
  readonly expected = new Map(this.accounts.map((account) => [account, OPENING_BALANCE]));
  readonly sums = new Set<number>();
  transfers = 0;
  answered = 0;
  stopping = false;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  async transferClient(name: string): Promise<void> {
    for (let n = 0; !this.stopping; n++) {
      await sleep(0);
      const from = this.#random.pick(this.accounts);
      const to = this.#random.pick(this.accounts.filter((account) => account !== from));
      const amount = 1 + this.#random.int(30);
      const { status } = await untilAnswered(() => call(["bank", from], "transfer", { to, amount }, `${name}.${n}`));
      this.answered += 1;
      if (status === 409) continue;
      this.transfers += 1;
      this.#move(from, -amount);
      this.#move(to, amount);
    }
  }

  #move(account: string, amount: number): void {
    this.expected.set(account, (this.expected.get(account) ?? 0) + amount);
  }

  async sumClient(parameters: string): Promise<void> {
    while (!this.stopping) {
      await sleep(0);
      this.sums.add((await this.balances(parameters)).reduce((sum, balance) => sum + balance, 0));
    }
  }

  async balances(parameters = ""): Promise<number[]> {
    const query = () => ask(["bank", freshKey()], "balances", { accounts: this.accounts }, parameters);
    return (await untilAnswered(query)).body as number[];
  }

  /** Something is answered and some time passes: without that nothing would be tried. */
  async someAnswers(): Promise<void> {
    const before = this.answered;
    await sleep(this.#random.int(60));
    while (this.answered < before + CLIENTS) await sleep(2);
  }

  /** One partition, or now and then all objects. */
  async abortSome(): Promise<void> {
    if (this.#random.oneIn(4)) await abortAllDurableObjects();
    else await abortOne(this.#random.pick(this.accounts));
  }

  /** Runs all clients beside `what`, and judges what they were told and what is left. */
  async beside(what: () => Promise<void>): Promise<void> {
    const clients = Array.from({ length: CLIENTS }, (_, n) => this.transferClient(`client-${n}`));
    const rest = what().finally(() => (this.stopping = true));
    await Promise.all([rest, ...clients, this.sumClient(""), this.sumClient("consistency=snapshot")]);
    await abortAllDurableObjects();
    expect(await this.balances()).toEqual(this.accounts.map((account) => this.expected.get(account)));
    expect([...this.sums]).toEqual([this.accounts.length * OPENING_BALANCE]);
  }
}
