/** `npm run sim -- --latency`: what the protocol costs when a message takes 1 ms, storage 10 ms, and nothing else any time. */
import type { Kernels } from "../core-wasm/types.ts";
import { type Load, measureLoad } from "./latency/load.ts";
import { type Lone, measureLone } from "./latency/lone.ts";

export interface Latencies {
  readonly lone: readonly Lone[];
  /** Ten accounts that everybody wants. */
  readonly hot: Load;
  /** Many accounts, by the number of partitions. */
  readonly sizes: readonly Load[];
}

const HOT = { partitions: 8, accounts: 10, clients: 64 };
const SIZES = [4, 8, 16, 32];
const PER_PARTITION = 16;

/** @param ms simulated time for which loads are measured */
export async function measureLatencies(kernels: Kernels, ms = 2_000): Promise<Latencies> {
  const sizes: Load[] = [];
  for (const partitions of SIZES) {
    const many = partitions * PER_PARTITION;
    sizes.push(await measureLoad({ kernels, partitions, accounts: many, clients: many, ms }));
  }
  return { lone: await measureLone(kernels), hot: await measureLoad({ kernels, ...HOT, ms }), sizes };
}

export function showLatencies({ lone, hot, sizes }: Latencies): string {
  const show = (value: number): string => value.toFixed(value >= 100 ? 0 : 1).padStart(8);
  return [
    "A message takes 1 ms, a confirmation of storage 10 ms.",
    ...lone.map(
      ({ what, ms, messages, confirmations }) =>
        `${what.padEnd(38)}${show(ms)} ms: ${confirmations} confirmations, ${messages} messages one way (${messages / 2} round trips)`,
    ),
    `${HOT.accounts} hot accounts, ${HOT.partitions} partitions, ${HOT.clients} clients: ${showLoad(hot)}`,
    ...sizes.map(
      (load) => `${load.partitions} partitions, ${PER_PARTITION} clients and accounts each: ${showLoad(load)}`,
    ),
  ].join("\n");
}

function showLoad(load: Load): string {
  const show = (value: number): string => value.toFixed(value >= 100 ? 0 : 1);
  return (
    `${show(load.perSecond)} transactions/s, median ${show(load.medianMs)} ms, slowest ${show(load.slowestMs)} ms, ` +
    `${load.refused} refused, ${show(load.transactionsPerEpoch)} transactions, ${show(load.messagesPerEpoch)} messages ` +
    `and ${show(load.callsPerEpoch)} calls an epoch, ${load.callsPerTransaction.toFixed(2)} calls a transaction`
  );
}
