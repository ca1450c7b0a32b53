/** Kills the server again and again while clients work. */
import { ServerProcess, type ServerPlace } from "./process-group.ts";
import type { Load } from "./load.ts";

export interface Plan {
  /** Transactions to be answered, at least. */
  readonly transactions: number;
  /** Kills, spread evenly over them. */
  readonly kills: number;
  /** The run ends with a fault when it takes longer. */
  readonly patienceMs: number;
  /** Told after each kill, and in between now and then. */
  readonly progress: (text: string) => void;
}

const LOOK_MS = 10;
const PROGRESS_MS = 10_000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** @param serves is told of each new server. Clients are told to stop at the end, and when something goes wrong. */
export async function killWhileWorking(
  server: ServerProcess,
  place: ServerPlace,
  load: Load,
  plan: Plan,
  serves: (server: ServerProcess) => void,
): Promise<void> {
  let running = server;
  const watch = new Watch(load, plan);
  try {
    for (let kill = 1; kill <= plan.kills; kill++) {
      // Not at the same point each time, and never without work under way.
      const due = (plan.transactions * (kill - load.random.next() * 0.6)) / (plan.kills + 1);
      await watch.until(Math.max(due, load.answered + 1));
      await sleep(load.random.int(40));
      const killed = performance.now();
      await running.kill();
      running = await ServerProcess.start(place);
      serves(running);
      plan.progress(
        `kill ${kill} of ${plan.kills} after ${load.answered} transactions; serves again after ${(performance.now() - killed).toFixed(0)} ms`,
      );
    }
    await watch.until(plan.transactions);
  } finally {
    load.stopping = true;
  }
}

class Watch {
  readonly #load: Load;
  readonly #plan: Plan;
  readonly #began = performance.now();
  #told = 0;

  constructor(load: Load, plan: Plan) {
    this.#load = load;
    this.#plan = plan;
  }

  /** Waits for so many answers in all. @throws when the run takes too long */
  async until(answers: number): Promise<void> {
    while (this.#load.answered < answers) {
      await sleep(LOOK_MS);
      const elapsed = performance.now() - this.#began;
      if (elapsed > this.#plan.patienceMs)
        throw new Error(`only ${this.#load.answered} transactions in ${elapsed.toFixed(0)} ms`);
      if (elapsed < this.#told + PROGRESS_MS) continue;
      this.#told = elapsed;
      this.#plan.progress(
        `${this.#load.answered} of ${this.#plan.transactions} transactions in ${(elapsed / 1000).toFixed(0)} s`,
      );
    }
  }
}
