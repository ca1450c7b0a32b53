/** Threads that run seeds side by side. */
import { resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import type { Answer, Order, Said, SeedResult, Settings } from "./messages.ts";

// V8 (in Node 24.9) ends the process now and then ("jit_page.has_value()") when it gives back the code between JavaScript and Wasm of instances that
// threads have dropped, and there is one instance for every seed with flows.
setFlagsFromString("--no-wasm-code-gc");
setFlagsFromString("--wasm-wrapper-tiering-budget=1000000000");
// Nearly all that a run makes is garbage soon: with a larger nursery (MiB) it takes a sixth less time.
setFlagsFromString("--max-semi-space-size=64");
setFlagsFromString("--min-semi-space-size=64");
// A thread with a planted bug runs one seed or a few, all of it cold: compiled quickly it takes a fifth less.
setFlagsFromString("--always-sparkplug");

/** A seed takes a third of a second, and ten on a machine that is very busy: one that says nothing for so long has a turn without an end. */
const LONGEST_MS = 120_000;
/** Old generation of a thread: a turn without an end mostly remembers ever more. */
const THREAD_MIB = 3_072;

interface Waiting {
  readonly order: Order;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

interface Running extends Waiting {
  /** The seed that it is at. */
  seed: number | null;
  alarm: NodeJS.Timeout | null;
}

export interface PoolOptions {
  readonly thread?: string;
  readonly longestMs?: number;
}

export class Pool {
  readonly #settings: Settings;
  readonly #thread: string;
  readonly #longestMs: number;
  readonly #threads = new Set<Worker>();
  readonly #free: Worker[] = [];
  readonly #queue: Waiting[] = [];
  readonly #busy = new Map<Worker, Running>();

  constructor(settings: Settings, jobs: number, { thread = "thread.ts", longestMs = LONGEST_MS }: PoolOptions = {}) {
    this.#settings = settings;
    this.#thread = resolve(import.meta.dirname, thread);
    this.#longestMs = longestMs;
    for (let n = 0; n < jobs; n++) this.#start();
  }

  ask(order: Order): Promise<Answer> {
    return new Promise((done, reject) => {
      this.#queue.push({ order, resolve: done, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
  }

  #start(): void {
    const thread = new Worker(this.#thread, {
      workerData: this.#settings,
      resourceLimits: { maxOldGenerationSizeMb: THREAD_MIB },
    });
    thread.on("message", (said: Said) => this.#heard(thread, said));
    thread.on("error", (error: Error) => this.#lost(thread, `it ended its thread: ${error.message}`));
    this.#threads.add(thread);
    this.#free.push(thread);
  }

  #next(): void {
    while (this.#free.length > 0 && this.#queue.length > 0) {
      const thread = this.#free.pop() as Worker;
      const waiting = this.#queue.shift() as Waiting;
      this.#busy.set(thread, { ...waiting, seed: null, alarm: null });
      thread.postMessage(waiting.order);
    }
  }

  #heard(thread: Worker, said: Said): void {
    const running = this.#busy.get(thread);
    if (!running) return;
    if (running.alarm !== null) clearTimeout(running.alarm);
    if (said.kind === "began") {
      running.seed = said.seed;
      this.#watch(thread, running);
      return;
    }
    this.#busy.delete(thread);
    this.#free.push(thread);
    if (said.kind === "broken") running.reject(new Error(said.error));
    else running.resolve(said);
    this.#next();
  }

  /** In two halves: where the process was stopped for a while, all of its time seems to have passed at once. */
  #watch(thread: Worker, running: Running): void {
    const half = this.#longestMs / 2;
    running.alarm = setTimeout(() => (running.alarm = setTimeout(() => this.#stuck(thread), half)), half);
  }

  #stuck(thread: Worker): void {
    void thread.terminate();
    this.#lost(thread, `it has a turn without an end: nothing was heard of it for ${this.#longestMs / 1000} s`);
  }

  /** The seed that a thread was at has failed; its others are run by another. */
  #lost(thread: Worker, why: string): void {
    if (!this.#threads.delete(thread)) return;
    const running = this.#busy.get(thread);
    if (!running) {
      // It has ended while it had nothing to do, or when it began: another would end likewise.
      this.#free.splice(this.#free.indexOf(thread), 1);
      return;
    }
    this.#busy.delete(thread);
    if (running.alarm !== null) clearTimeout(running.alarm);
    this.#start();
    const { order, seed } = running;
    if (order.kind === "seeds" && seed !== null) {
      const seeds = order.seeds.filter((other) => other !== seed);
      const failed: SeedResult = { seed, hash: "", failures: [why], notes: [] };
      this.ask({ kind: "seeds", seeds }).then(
        (done) => running.resolve(done.kind === "seeds" ? { ...done, results: [...done.results, failed] } : done),
        running.reject,
      );
    } else running.reject(new Error(why));
    this.#next();
  }
}
