/** Partitions lose their memory, one at a time or all at once, while money crosses them: every transfer happens once, whole or not at all. */
import { abortAllDurableObjects } from "cloudflare:test";
import { afterAll, expect, test } from "vitest";
import { createRandom, type Random } from "../../sim/random.ts";
import { OPENING_BALANCE } from "../app/src/bank.ts";
import { type Answer, ask, call, freshKey, inside, leftovers } from "./support/app.ts";
import { keysApart } from "./support/spread.ts";

const ABORTS = 20;
const CLIENTS = 6;
/** Attempts of one request; far more than the aborts of a run can break. */
const MOST_ATTEMPTS = 2_000;

/** Also lets timers fire: within one isolate calls alone never leave the event loop. */
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

afterAll(async () => expect(await leftovers()).toBe(0));

/** Repeats a request until it is answered, as a client does whose server starts over. */
async function untilAnswered(request: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const answer = await request().catch(() => null);
    if (answer && answer.status < 500) return answer;
    if (answer?.status === 501) throw new Error(JSON.stringify(answer.body));
    await sleep(1);
  }
  throw new Error("a request is never answered");
}

/** Hard: what the object has not stored is lost, and its calls break. */
async function abortOne(key: string): Promise<void> {
  await inside(key, (state) => {
    // Of aborts for this reason the test pool does not print one complaint for each request that they break.
    setTimeout(() => state.abort("Instance dispose"), 0);
  });
  await sleep(1);
}

class BankRun {
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

  /** Between aborts something is always answered, or nothing would be tried. */
  async abortNowAndThen(): Promise<void> {
    for (let abort = 0; abort < ABORTS; abort++) {
      const before = this.answered;
      await sleep(this.#random.int(60));
      while (this.answered < before + CLIENTS) await sleep(2);
      if (this.#random.oneIn(4)) await abortAllDurableObjects();
      else await abortOne(this.#random.pick(this.accounts));
    }
    this.stopping = true;
  }
}

test(`${ABORTS} aborts during transfers neither lose nor double one, and no sum differs`, async () => {
  const seed = Date.now() % 1_000_000;
  const run = new BankRun(createRandom(seed));
  const clients = Array.from({ length: CLIENTS }, (_, n) => run.transferClient(`client-${n}`));
  await Promise.all([run.abortNowAndThen(), ...clients, run.sumClient(""), run.sumClient("consistency=snapshot")]);
  console.log(`seed ${seed}: ${run.transfers} transfers around ${ABORTS} aborts`);
  await abortAllDurableObjects();
  expect(await run.balances()).toEqual(run.accounts.map((account) => run.expected.get(account)));
  expect([...run.sums]).toEqual([run.accounts.length * OPENING_BALANCE]);
  expect(run.transfers).toBeGreaterThan(ABORTS);
});
