/** Threads that run seeds side by side. */
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import type { Answer, Order, Settings } from "./messages.ts";

// V8 (in Node 24.9) ends the process now and then ("jit_page.has_value()") when it gives back the code between JavaScript and Wasm of instances that
// threads have dropped, and there is one instance for every seed with flows.
setFlagsFromString("--no-wasm-code-gc");
setFlagsFromString("--wasm-wrapper-tiering-budget=1000000000");
// Nearly all that a run makes is garbage soon: with a larger nursery (MiB) it takes a sixth less time.
setFlagsFromString("--max-semi-space-size=64");
setFlagsFromString("--min-semi-space-size=64");
// A thread with a planted bug runs one seed or a few, all of it cold: compiled quickly it takes a fifth less.
setFlagsFromString("--always-sparkplug");

interface Waiting {
  readonly order: Order;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

export class Pool {
  readonly #threads: Worker[] = [];
  readonly #free: Worker[] = [];
  readonly #queue: Waiting[] = [];
  readonly #busy = new Map<Worker, Waiting>();

  constructor(settings: Settings, jobs: number) {
    for (let n = 0; n < jobs; n++) {
      const thread = new Worker(join(import.meta.dirname, "thread.ts"), { workerData: settings });
      thread.on("message", (answer: Answer) => this.#answered(thread, answer));
      thread.on("error", (error: Error) => this.#busy.get(thread)?.reject(error));
      this.#threads.push(thread);
      this.#free.push(thread);
    }
  }

  ask(order: Order): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ order, resolve, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #next(): void {
    while (this.#free.length > 0 && this.#queue.length > 0) {
      const thread = this.#free.pop() as Worker;
      const waiting = this.#queue.shift() as Waiting;
      this.#busy.set(thread, waiting);
      thread.postMessage(waiting.order);
    }
  }

  #answered(thread: Worker, answer: Answer): void {
    const waiting = this.#busy.get(thread);
    this.#busy.delete(thread);
    this.#free.push(thread);
    if (answer.kind === "broken") waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer);
    this.#next();
  }
}
