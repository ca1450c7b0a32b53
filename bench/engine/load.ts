/** Transfers between accounts, so many of them under way at a time, on an {@link EngineWorld}. */
import { createKernels } from "../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../core-wasm/load-node.ts";
import { initialMap, partitionOfHash } from "../../protocol/keygroups/map.ts";
import { ANSWER, ANSWER_COLUMN } from "../../protocol/wire/answer.ts";
import { INVOKE } from "../../protocol/wire/invoke.ts";
import { defineApp } from "../../sdk/index.ts";
import { seeded } from "../kernels/bids.ts";
import { account } from "../transfers/account.ts";
import { accountName } from "../transfers/accounts.ts";
import { EngineWorld } from "./world.ts";

export interface LoadOptions {
  readonly partitions: number;
  readonly accounts: number;
  /** Transfers under way. */
  readonly atOnce: number;
}

const SEED = 1;
/** Turns in which all partitions have met the coordinator. */
const START_TURNS = 20;
/** New transfers come in frames, as those of a batch do: this part of all that are under way at a time. */
const REFILL = 1 / 8;

interface Rows {
  count: number;
  readonly columns: number[];
  readonly fields: string[];
}

export class EngineLoad {
  done = 0;
  refused = 0;
  readonly world: EngineWorld;
  readonly #options: LoadOptions;
  readonly #kernels = createKernels(loadCore());
  readonly #random = seeded(SEED);
  readonly #stamp = `e${Date.now().toString(16).padStart(11, "0")}${"0".repeat(12)}`;
  #ids = 0;
  #waiting = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    const app = defineApp({ services: [account], partitions: options.partitions });
    this.world = new EngineWorld(this.#kernels, app, (bytes) => this.#answered(bytes));
  }

  async start(): Promise<void> {
    for (let turn = 0; turn < START_TURNS; turn++) await this.world.turn();
  }

  /** Keeps the transfers coming until so many more are answered. */
  async drive(transfers: number): Promise<void> {
    const until = this.done + transfers;
    while (this.done < until) {
      const missing = this.#options.atOnce - this.#waiting;
      if (missing >= this.#options.atOnce * REFILL) this.#ask(missing);
      await this.world.turn();
    }
  }

  #answered(bytes: Uint8Array): void {
    const table = this.#kernels.unpack(ANSWER, bytes);
    for (let row = 0; row < table.rows; row++) if (table.column(row, ANSWER_COLUMN.status) !== 200) this.refused += 1;
    this.#waiting -= table.rows;
    this.done += table.rows;
  }

  #ask(transfers: number): void {
    const { partitions } = this.#options;
    const map = initialMap(partitions);
    const frames = Array.from({ length: partitions }, (): Rows => ({ count: 0, columns: [], fields: [] }));
    for (let n = 0; n < transfers; n++) {
      const from = this.#account();
      const to = this.#account();
      if (from === to) continue;
      const frame = frames[partitionOfHash(map, this.#kernels.hashKey(from))] as Rows;
      frame.columns.push(++this.#ids, 0, 0, 0);
      frame.fields.push(`${this.#stamp}${this.#ids.toString(16).padStart(8, "0")}`);
      frame.fields.push("account", from, "transfer", JSON.stringify({ to, amount: 1 }));
      frame.count += 1;
    }
    for (const [partition, { count: rows, columns, fields }] of frames.entries()) {
      if (rows > 0) this.world.invoke(partition, this.#kernels.pack(INVOKE, { rows, columns, fields }));
      this.#waiting += rows;
    }
  }

  #account(): string {
    return accountName(Math.floor(this.#random() * this.#options.accounts));
  }
}
