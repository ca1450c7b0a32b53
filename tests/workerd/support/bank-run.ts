/** Clients that move money between accounts of all partitions and read their sum, whatever breaks meanwhile. */
import { abortAllDurableObjects } from "cloudflare:test";
import { expect } from "vitest";
import type { Random } from "../../../sim/random.ts";
import { OPENING_BALANCE } from "../../app/src/bank.ts";
import { ask, call, freshKey } from "./app.ts";
import { abortOne, sleep, untilAnswered } from "./patience.ts";
import { keysApart } from "./spread.ts";

/** Clients of a run. */
export const CLIENTS = 6;

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
