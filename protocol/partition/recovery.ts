/** Recovery: from what storage holds back to the state of the newest durable record. */
import type { Kernels } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import type { FlowCheckpoint } from "../flows/flow-runtime.ts";
import { decodeRecord } from "../record/record.ts";
import type { Results } from "../results/results.ts";
import { decodeRecent } from "../results/stored-result.ts";
import type { StateStore } from "../state/store.ts";
import type { Flows } from "./flows.ts";

/** What the shell found in storage. */
export interface Recovered {
  /** Newest record that is folded; 0 for none. */
  readonly folded: number;
  /** Which edge ids had been forgotten at the last fold, as that wrote it; undefined before the first. */
  readonly forgotten: string | undefined;
  /** Records above `folded`, ascending, their parts joined. */
  readonly records: Iterable<{ readonly seq: number; readonly bytes: Uint8Array }>;
  /** Packed recent results, oldest first, with the time at which they expire. */
  readonly recent: Iterable<{ readonly expires: number; readonly bytes: Uint8Array }>;
  readonly checkpoints: ReadonlyMap<string, FlowCheckpoint>;
}

export interface RecoveredParts {
  readonly store: StateStore;
  readonly results: Results;
  readonly flows: Flows;
}

/** @throws CorruptError for a damaged record, result block or checkpoint: none of it is served. */
export function replay(
  kernels: Kernels,
  recovered: Recovered,
  parts: RecoveredParts,
): { nextSeq: number; bytes: number } {
  if (recovered.forgotten !== undefined) parts.results.restoreForgotten(recovered.forgotten);
  for (const block of recovered.recent) {
    for (const result of decodeRecent(kernels, block.bytes)) parts.results.restore(result, block.expires);
  }
  for (const [flow, checkpoint] of recovered.checkpoints) parts.flows.runtime(flow)?.restore(checkpoint);
  let last = recovered.folded;
  let bytes = 0;
  for (const stored of recovered.records) {
    invariant(stored.seq === last + 1, `1: record ${stored.seq} follows record ${last}: one is missing`);
    const record = decodeRecord(kernels, stored.bytes);
    invariant(record.seq === stored.seq, `1: record ${stored.seq} says that it is ${record.seq}`);
    parts.store.apply(record.writes, record.seq);
    for (const result of record.results) parts.results.add(result, record.seq, record.at);
    for (const delta of record.flows) parts.flows.runtime(delta.flow)?.replay(delta, record.seq);
    bytes += stored.bytes.length;
    last = record.seq;
  }
  return { nextSeq: last + 1, bytes };
}
