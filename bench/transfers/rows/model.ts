/** What the simulator says of a network and a storage that take their time: round trip 2 ms, confirmation 10 ms. */
import { createKernels } from "../../../core-wasm/facade/kernels.ts";
import { loadCore } from "../../../core-wasm/load-node.ts";
import { measureLatencies } from "../../../sim/latency.ts";
import type { Load } from "../../../sim/latency/load.ts";
import type { Lone } from "../../../sim/latency/lone.ts";
import type { Row } from "../../lib/report.ts";

/** A lone transaction across partitions: one confirmation of 10 ms and four hops, each a round trip of 2 ms. */
const LONE_MS = 18;
const HOT_PER_SECOND = 1_000;

export async function modelRows(): Promise<Row[]> {
  const { lone, hot, sizes } = await measureLatencies(createKernels(loadCore()));
  return [
    ...lone.map(loneRow),
    {
      what: "model: 10 hot accounts, 64 clients",
      unit: "/s",
      value: hot.perSecond,
      target: { figure: HOT_PER_SECOND },
      note: noteOf(hot),
    },
    ...sizes.map((load) => ({
      what: `model: ${load.partitions} partitions under load`,
      unit: "/s",
      value: load.perSecond,
      note: noteOf(load),
    })),
  ];
}

function loneRow({ what, ms, messages, confirmations, isTransfer }: Lone): Row {
  const note = `${confirmations} confirmations, ${messages} messages one way`;
  return { what: `model: ${what}, alone`, unit: "ms", value: ms, note, ...(isTransfer ? { target: LONE_TARGET } : {}) };
}
const LONE_TARGET = { figure: LONE_MS, atMost: true };

function noteOf({
  medianMs,
  transactionsPerEpoch,
  messagesPerEpoch,
  callsPerEpoch,
  callsPerTransaction,
}: Load): string {
  return (
    `median ${medianMs.toFixed(0)} ms; an epoch: ${transactionsPerEpoch.toFixed(1)} transactions, ` +
    `${messagesPerEpoch.toFixed(0)} messages in ${callsPerEpoch.toFixed(0)} calls; ` +
    `${callsPerTransaction.toFixed(1)} calls a transaction`
  );
}
