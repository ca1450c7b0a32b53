/** What a partition's storage holds, as text to search in. */
import { decodeRecord } from "../../../protocol/record/record.ts";
import type { MapStore } from "../../../sim/map-store.ts";
import { kernels } from "./lone-partition.ts";

export function encodedState(store: MapStore | undefined): string {
  if (!store) throw new Error("there is no such partition");
  const records = [...store.recovered().records].map(({ bytes }) => decodeRecord(kernels, bytes));
  return JSON.stringify([records.map(({ writes }) => writes.map(({ text }) => text)), [...store.state.values()]]);
}
