/** Watches what an isolate and its process hold while something runs. */
import { readFile } from "node:fs/promises";
import type { InspectorSession } from "./inspector.ts";

const SAMPLE_MS = 1_500;

interface HeapUsage {
  readonly usedSize: number;
  readonly totalSize: number;
  readonly embedderHeapUsedSize?: number;
  readonly backingStorageSize?: number;
}

/** Samples what is live in the isolate's heap, what lies outside of it on its account (Wasm memory among it), and the process. */
export class Watch {
  readonly #session: InspectorSession;
  readonly #pid: number;
  #peak = { heap: 0, total: 0, outside: 0, rss: 0 };
  #stopping = false;
  readonly #done: Promise<void>;

  constructor(session: InspectorSession, pid: number) {
    this.#session = session;
    this.#pid = pid;
    this.#done = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      // A local workerd has no bound that would make it collect: what counts is what could not be given back.
      await this.#session.send("HeapProfiler.collectGarbage");
      const heap = await this.#session.send<HeapUsage>("Runtime.getHeapUsage");
      const outside = (heap.backingStorageSize ?? 0) + (heap.embedderHeapUsedSize ?? 0);
      const peak = this.#peak;
      this.#peak = {
        heap: Math.max(peak.heap, heap.usedSize),
        total: Math.max(peak.total, heap.usedSize + outside),
        outside: Math.max(peak.outside, outside),
        rss: Math.max(peak.rss, await rssOf(this.#pid)),
      };
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    }
  }

  async stop(): Promise<{ heap: number; total: number; outside: number; rss: number }> {
    this.#stopping = true;
    await this.#done;
    return this.#peak;
  }
}

/** Bytes of the process that are in memory. */
export async function rssOf(pid: number): Promise<number> {
  const match = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, "utf8"));
  return Number(match?.[1] ?? 0) * 1024;
}
