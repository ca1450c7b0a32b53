/** Recovery: from what storage holds back to the state of the newest durable record. */
import type { Kernels } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import type { FlowCheckpoint } from "../flows/flow-runtime.ts";
import type { UndecidedRecord } from "../epochs/epoch-set.ts";
import { decodeRecord, type RecordContent } from "../record/record.ts";
import type { Results } from "../results/results.ts";
import { decodeRecent } from "../results/stored-result.ts";
import type { StoredBlocks } from "../state/blocks/blocks.ts";
import type { Layers } from "../state/layers.ts";
import type { Write } from "../state/store.ts";
import type { Epoch } from "../wire/messages.ts";
import type { Flows } from "./flows.ts";

/** What the shell found in storage. */
export interface Recovered {
  /** Newest record that is folded; 0 for none. */
  readonly folded: number;
  /** Which edge ids had been forgotten at the last fold, as that wrote it; undefined before the first. */
  readonly forgotten: string | undefined;
  /** How far a restore has come, as that wrote it; undefined or empty for none. */
  readonly restore?: string | undefined;
  /** Newest coordinator that was obeyed; 0 for none. */
  readonly generation: number;
  /** Highest epoch that was known to be committed when something was folded last; 0 for none. */
  readonly decided: Epoch;
  /** What is stored of key groups that are kept elsewhere has not all been deleted. */
  readonly garbage?: boolean;
  /** Which sources it had everything of in which move, as protocol/moves/target.ts writes it. */
  readonly taken?: string | undefined;
  /** Records above `folded`, ascending, their parts joined. */
  readonly records: Iterable<{ readonly seq: number; readonly bytes: Uint8Array }>;
  /** Packed recent results, oldest first, with the time at which they expire. */
  readonly recent: Iterable<{ readonly expires: number; readonly bytes: Uint8Array }>;
  readonly checkpoints: ReadonlyMap<string, FlowCheckpoint>;
  readonly blocks: StoredBlocks;
}

export interface RecoveredParts {
  readonly layers: Layers;
  readonly results: Results;
  readonly flows: Flows;
}

export interface Replayed {
  readonly nextSeq: number;
  /** Bytes of every unfolded record, in order. */
  readonly sizes: ReadonlyArray<{ readonly seq: number; readonly bytes: number; readonly goesOn?: boolean }>;
  readonly decided: Epoch;
  /** Records of epochs that are not known to be decided; their writes are in the layers. */
  readonly undecided: readonly UndecidedRecord[];
}

/** @throws CorruptError for a damaged record, result block or checkpoint: none of it is served. */
export function replay(kernels: Kernels, recovered: Recovered, parts: RecoveredParts): Replayed {
  if (recovered.forgotten !== undefined) parts.results.restoreForgotten(recovered.forgotten);
  for (const block of recovered.recent) {
    for (const result of decodeRecent(kernels, block.bytes)) parts.results.restore(result, block.expires);
  }
  for (const [flow, checkpoint] of recovered.checkpoints)
    parts.flows.stored(flow, checkpoint.meta)?.restore(checkpoint);
  const log = new LogReplay(parts, recovered.decided);
  const sizes: Array<{ seq: number; bytes: number; goesOn?: boolean }> = [];
  let last = recovered.folded;
  let epoch = 0;
  for (const stored of recovered.records) {
    invariant(stored.seq === last + 1, `1: record ${stored.seq} follows record ${last}: one is missing`);
    const record = decodeRecord(kernels, stored.bytes);
    invariant(record.seq === stored.seq, `1: record ${stored.seq} says that it is ${record.seq}`);
    log.add(record);
    const before = sizes.at(-1);
    if (before && epoch !== 0 && record.epoch?.epoch === epoch) before.goesOn = true;
    epoch = record.epoch?.epoch ?? 0;
    sizes.push({ seq: stored.seq, bytes: stored.bytes.length });
    last = record.seq;
  }
  return { nextSeq: last + 1, sizes, decided: log.decided, undecided: log.end() };
}

/** What was prepared for an epoch, while no later record says that it is committed. */
interface Held {
  readonly record: UndecidedRecord;
  readonly writes: ReadonlyArray<readonly Write[]>;
}

/**
 * Applies records in order. One says which epochs before it are committed, so that a later local commit is never covered by an earlier epoch.
 * What an epoch wrote goes into its layer only when the log does not say: nothing is read meanwhile, and most are committed a record later.
 */
class LogReplay {
  readonly #parts: RecoveredParts;
  decided: Epoch;
  #held: Held[] = [];

  constructor(parts: RecoveredParts, decided: Epoch) {
    this.#parts = parts;
    this.decided = decided;
  }

  add(record: RecordContent): void {
    if (record.decided > this.decided) this.#learn(record.decided);
    if (record.epoch && record.epoch.epoch > this.decided) this.#hold(record, record.epoch);
    else this.#apply(record);
  }

  /** The log has no more: what is held is undecided. */
  end(): UndecidedRecord[] {
    for (const { record, writes } of this.#held) for (const part of writes) this.#parts.layers.add(record.epoch, part);
    return this.#held.map(({ record }) => record);
  }

  #apply(record: RecordContent): void {
    const { layers, results, flows } = this.#parts;
    layers.committed.apply(record.writes, record.seq);
    for (const result of record.results) results.add(result, record.seq, record.at);
    for (const delta of record.flows) flows.stored(delta.flow, delta.meta)?.replay(delta, record.seq);
  }

  #hold(record: RecordContent, { epoch, parts }: NonNullable<RecordContent["epoch"]>): void {
    const known = this.#held.at(-1);
    invariant(known === undefined || known.record.epoch <= epoch, "2: an epoch was prepared before an earlier one");
    const first = known?.record.epoch === epoch ? known : undefined;
    if (first) this.#held.pop();
    this.#held.push({
      record: {
        epoch,
        parts,
        firstSeq: first?.record.firstSeq ?? record.seq,
        lastSeq: record.seq,
        at: record.at,
        results: first ? [...first.record.results, ...record.results] : record.results,
        answers: [],
      },
      writes: first ? [...first.writes, record.writes] : [record.writes],
    });
  }

  #learn(decided: Epoch): void {
    this.decided = decided;
    const committed = this.#held.filter(({ record }) => record.epoch <= decided);
    this.#held = this.#held.filter(({ record }) => record.epoch > decided);
    const { layers, results } = this.#parts;
    for (const { record, writes } of committed) {
      // Read as of an earlier epoch it cannot be: how that was is not known after a restart.
      for (const part of writes) layers.committed.apply(part, record.lastSeq);
      for (const result of record.results) results.add(result, record.lastSeq, record.at);
    }
  }
}
