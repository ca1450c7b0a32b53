/** One run: lists and a bank under load while the server is killed, then the audit of what the clients saw. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../../../cli/ports.ts";
import { bundle } from "../../../../scripts/lib/bundle.ts";
import { formatFindings } from "../../../../sim/checkers/finding.ts";
import { HistoryRecorder } from "../../../../sim/checkers/history-recorder.ts";
import { checkListAppend } from "../../../../sim/checkers/list-append.ts";
import { createRandom } from "../../../../sim/random.ts";
import { type BankCounts, checkSum, noCounts, sumClient, transferClient } from "../bank.ts";
import { killWhileWorking, type Plan } from "../killing.ts";
import type { Load } from "../load.ts";
import { type ServerPlace, ServerProcess, storeBundle } from "../process-group.ts";
import { listClient, readFinally } from "./client.ts";
import { Workload } from "./workload.ts";

const CLIENTS = { lists: 12, transfers: 4 };
const config = join(dirname(fileURLToPath(import.meta.url)), "../../../app/wrangler.jsonc");

export interface RunOptions extends Plan {
  readonly seed: number;
}

export interface RunReport {
  /** What is wrong, in words. */
  readonly faults: readonly string[];
  readonly summary: string;
  readonly transactions: number;
  readonly repeats: number;
  readonly bank: BankCounts;
}

/** Leaves neither processes nor files. */
export async function runListAppend(options: RunOptions): Promise<RunReport> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-lists-"));
  const place = { bundlePath: join(folder, "bundle.json"), persist: join(folder, "data"), port: await freePort() };
  let server: ServerProcess | undefined;
  try {
    await storeBundle(await bundle(config), place.bundlePath);
    server = await ServerProcess.start(place);
    return await new Run(options, place, (next) => (server = next)).run(server);
  } finally {
    await server?.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

class Run {
  readonly #options: RunOptions;
  readonly #place: ServerPlace;
  readonly #load: Load;
  readonly #workload: Workload;
  readonly #history = new HistoryRecorder(() => Math.round(performance.now()));
  readonly #bank = noCounts();
  /** Told of each new server, so that none outlives the run. */
  readonly #serves: (server: ServerProcess) => void;

  constructor(options: RunOptions, place: ServerPlace, serves: (server: ServerProcess) => void) {
    const random = createRandom(options.seed);
    const url = `http://127.0.0.1:${place.port}`;
    this.#options = options;
    this.#place = place;
    this.#serves = serves;
    this.#load = { url, random, answered: 0, repeats: 0, faults: [], stopping: false, abandoned: false };
    this.#workload = new Workload(random);
  }

  async run(server: ServerProcess): Promise<RunReport> {
    const began = performance.now();
    await Promise.all([this.#kill(server), ...this.#clients()]).catch((error: unknown) => {
      this.#load.stopping = this.#load.abandoned = true;
      throw error;
    });
    const worked = performance.now();
    await readFinally(this.#load, this.#workload, this.#history);
    await checkSum(this.#load, "fresh");
    const read = performance.now();
    const findings = checkListAppend(this.#history.history());
    const seconds = { worked: worked - began, read: read - worked, checked: performance.now() - read };
    const faults = [...this.#load.faults, ...findings.map((finding) => formatFindings([finding]))];
    const { answered, repeats } = this.#load;
    return { faults, summary: this.#summary(seconds), transactions: answered, repeats, bank: this.#bank };
  }

  async #kill(server: ServerProcess): Promise<void> {
    await killWhileWorking(server, this.#place, this.#load, this.#options, this.#serves);
  }

  #clients(): Array<Promise<void>> {
    const load = this.#load;
    const lists = Array.from({ length: CLIENTS.lists }, (_, n) =>
      listClient(load, this.#workload, this.#history, `lists-${n}`),
    );
    const transfers = Array.from({ length: CLIENTS.transfers }, (_, n) => transferClient(load, this.#bank, n));
    return [...lists, ...transfers, sumClient(load, this.#bank, "fresh"), sumClient(load, this.#bank, "snapshot")];
  }

  #summary(milliseconds: Record<string, number>): string {
    const count = new Map<string, number>();
    for (const { outcome } of this.#history.history()) count.set(outcome, (count.get(outcome) ?? 0) + 1);
    const { transfers, overdrawn, fresh, snapshot } = this.#bank;
    const times = Object.entries(milliseconds).map(([what, ms]) => `${what} in ${(ms / 1000).toFixed(1)} s`);
    return [
      `${this.#load.answered} transactions, ${this.#options.kills} kills, ${this.#load.repeats} requests sent again`,
      `lists: ${[...count].map(([outcome, number]) => `${number} ${outcome}`).join(", ")} over ${this.#workload.keys.length} lists`,
      `bank: ${transfers} transfers, ${overdrawn} overdrawn; sums: ${fresh} fresh, ${snapshot} of a snapshot`,
      times.join(", "),
    ].join("\n");
  }
}
