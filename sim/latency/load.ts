/** What a domain does under load when only messages and storage take time: clients that ask again as soon as they are answered. */
import type { Kernels } from "../../core-wasm/types.ts";
import { createRandom, type Random } from "../random.ts";
import { Model, TIMING } from "./model.ts";

export interface LoadOptions {
  readonly kernels: Kernels;
  readonly partitions: number;
  /** In all; spread over the partitions by their names. */
  readonly accounts: number;
  readonly clients: number;
  /** Simulated ms that are measured. */
  readonly ms: number;
}

export interface Load {
  readonly partitions: number;
  readonly perSecond: number;
  readonly medianMs: number;
  readonly slowestMs: number;
  readonly refused: number;
  readonly epochs: number;
  readonly transactionsPerEpoch: number;
  readonly messagesPerEpoch: number;
  /** Calls between objects; a batch that leaves with the answer to another is none. */
  readonly callsPerEpoch: number;
  readonly callsPerTransaction: number;
}

const WARM_MS = 500;

export async function measureLoad(options: LoadOptions): Promise<Load> {
  const model = new Model(options.kernels, options.partitions, TIMING);
  await model.pass(100);
  const loop = new Loop(model, options);
  for (let client = 0; client < options.clients; client++) loop.begin(client);
  await model.pass(WARM_MS);
  const before = countsOf(model);
  loop.times = [];
  loop.refused = 0;
  await model.pass(options.ms);
  const after = countsOf(model);
  const times = loop.times.sort((a, b) => a - b);
  const epochs = after.epochs - before.epochs;
  const calls = after.calls - before.calls;
  return {
    partitions: options.partitions,
    perSecond: (times.length / options.ms) * 1000,
    medianMs: times[times.length >> 1] ?? 0,
    slowestMs: times.at(-1) ?? 0,
    refused: loop.refused,
    epochs,
    transactionsPerEpoch: times.length / epochs,
    messagesPerEpoch: (after.messages - before.messages) / epochs,
    callsPerEpoch: calls / epochs,
    callsPerTransaction: calls / times.length,
  };
}

function countsOf({ epochs, messages, world }: Model): { epochs: number; messages: number; calls: number } {
  return { epochs, messages, calls: world.network.calls };
}

class Loop {
  /** ms of every answer. */
  times: number[] = [];
  refused = 0;
  readonly #model: Model;
  readonly #accounts: readonly string[];

  constructor(model: Model, { partitions, accounts }: LoadOptions) {
    this.#model = model;
    const each = Math.ceil(accounts / partitions);
    // Round by round, so that few accounts lie in as many partitions as they can.
    const rounds = Array.from({ length: each }, (_, round) =>
      Array.from({ length: partitions }, (__, at) => model.accountsOf(at, round + 1)[round] as string),
    );
    this.#accounts = rounds.flat().slice(0, accounts);
  }

  begin(client: number): void {
    const random = createRandom(client + 1);
    this.#model.world.scheduler.in(random.next() * 20, () => this.#next(random));
  }

  #next(random: Random): void {
    const { scheduler } = this.#model.world;
    const began = scheduler.now;
    const from = random.pick(this.#accounts);
    const to = random.pick(this.#accounts.filter((account) => account !== from));
    this.#model.ask({ kind: "transfer", from, to, amount: 1, pause: 0 }, (status) => {
      // Repeated at once: the partition is overloaded, or what it tried too often was given up.
      if (status !== 200) this.refused += 1;
      else this.times.push(scheduler.now - began);
      this.#next(random);
    });
  }
}
