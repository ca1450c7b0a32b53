/** What a partition's storage holds, as text to search in. */
import { decodeRecord } from "../../../protocol/record/record.ts";
import { BLOCK } from "../../../protocol/state/blocks/block.ts";
import type { MapStore } from "../../../sim/map-store.ts";
import { kernels } from "./lone-partition.ts";

const ALL = { from: "", to: "\u{10ffff}", limit: Infinity, reverse: false };

export function encodedState(store: MapStore | undefined): string {
  if (!store) throw new Error("there is no such partition");
  const records = [...store.recovered().records].map(({ bytes }) => decodeRecord(kernels, bytes));
  const blocks = [...store.stateBlocks.values()].map(({ bytes }) => kernels.rowsOfBlock(BLOCK, bytes, ALL));
  return JSON.stringify([
    records.map(({ writes }) => writes.map(({ text }) => text)),
    blocks.flat().map(({ text }) => text),
  ]);
}
