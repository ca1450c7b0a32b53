/**
 * Folding: moves what records hold into blocks of state and results, and into checkpoints, a bounded amount a turn, then drops the records.
 * Between folds, and before them where there are too many runs, blocks are merged, a step a turn.
 */
import { BLOCK_FLAG, type Kernels } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import type { Results } from "../results/results.ts";
import { encodeRecent, encodeStored, type StoredResult } from "../results/stored-result.ts";
import { SPACE } from "../state/blocks/block.ts";
import type { Blocks } from "../state/blocks/blocks.ts";
import { Merger } from "../state/blocks/merger.ts";
import { sortKeys } from "../state/state-key.ts";
import type { StateStore } from "../state/store.ts";
import type { Epoch } from "../wire/messages.ts";
import type { StorageOp } from "./effects.ts";
import type { Flows } from "./flows.ts";
import { FoldRows } from "./fold-rows.ts";

/** What folding must know of the log and of epochs. */
export interface FoldLimits {
  /** Writes results that are not stored yet into a record, in the turn that drops those that they were in up to this one. */
  carry?(through: number): void;
  /** Place of the first record of an undecided epoch. */
  firstUndecidedSeq(): number | undefined;
  /** Stored with every fold: the records that it drops would have told it to a new coordinator. */
  decided(): Epoch;
  /** No fold may begin. */
  held?(): boolean;
  /** The database is full: merges are to make room. */
  full?(): boolean;
}

export class Folder {
  readonly #kernels: Kernels;
  readonly #blocks: Blocks;
  readonly #merger: Merger;
  readonly #store: StateStore;
  readonly #results: Results;
  readonly #flows: Flows;
  /** Newest record that is folded. */
  #folded: number;
  /** Records that are written and not folded, in order. */
  readonly #log: Array<{ readonly seq: number; readonly bytes: number; readonly goesOn?: boolean | undefined }>;
  #unfoldedBytes: number;
  readonly #limits: FoldLimits;
  #work: Iterator<StorageOp[]> | null = null;
  /** Records up to this one are folded however few they are. */
  #forced = 0;

  constructor(
    kernels: Kernels,
    blocks: Blocks,
    store: StateStore,
    results: Results,
    flows: Flows,
    log: {
      folded: number;
      sizes: ReadonlyArray<{ readonly seq: number; readonly bytes: number; readonly goesOn?: boolean | undefined }>;
    },
    limits: FoldLimits,
  ) {
    this.#kernels = kernels;
    this.#blocks = blocks;
    this.#merger = new Merger(kernels, blocks, () => limits.full?.() === true);
    this.#store = store;
    this.#results = results;
    this.#flows = flows;
    this.#folded = log.folded;
    this.#log = [...log.sizes];
    this.#unfoldedBytes = log.sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#limits = limits;
  }

  /** @param goesOn the next record is of the same epoch */
  written(seq: number, bytes: number, goesOn = false): void {
    this.#log.push({ seq, bytes, goesOn });
    this.#unfoldedBytes += bytes;
  }

  /** Newest record that may be folded: what an undecided epoch holds is not state, and what comes after it waits. */
  get #through(): number {
    const newest = this.#log.at(-1)?.seq ?? this.#folded;
    return Math.min(newest, (this.#limits.firstUndecidedSeq() ?? Infinity) - 1);
  }

  get folded(): number {
    return this.#folded;
  }

  force(through: number): void {
    this.#forced = Math.max(this.#forced, through);
  }

  /** Newest record that the next fold takes up. */
  get #throughNow(): number {
    const through = this.#through;
    let bytes = 0;
    for (const record of this.#log) {
      if (record.seq > through) break;
      bytes += record.bytes;
      // What an epoch changes is folded with the last of its records: those before must not be dropped without.
      if (bytes >= LIMITS.maxFoldBytes && record.goesOn !== true) return record.seq;
    }
    return through;
  }

  get unfoldedBytes(): number {
    return this.#unfoldedBytes;
  }
  get isActive(): boolean {
    return this.#work !== null;
  }
  /** Whether a turn has something to do. */
  isDue(now: number): boolean {
    return this.#work === null && (this.#isFoldDue || this.#merger.isDue(now));
  }

  /** Checkpoints rewrite whole operator states, so they wait until the log outweighs what they write. */
  get #isFoldDue(): boolean {
    const due = Math.min(Math.max(LIMITS.foldBytes, this.#flows.bytes), LIMITS.maxUnfoldedBytes / 2);
    const wanted = this.#unfoldedBytes >= due || this.#folded < this.#forced;
    return wanted && this.#through > this.#folded && this.#limits.held?.() !== true;
  }

  /** Next turn's operations. The caller has just written everything that is committed, and persists these in the same turn. */
  turn(now: number): StorageOp[] {
    this.#blocks.turn();
    const isFold = this.#work !== null || (this.#isFoldDue && !this.#merger.isBehind);
    const ops = isFold ? this.#foldSome(now) : this.#mergeSome(now);
    ops.push(...this.#blocks.takeManifest());
    return ops;
  }

  /** How much more a turn does the further folding is behind: at most what `maxUnfoldedBytes` makes of it. */
  get #pace(): number {
    return Math.max(1, Math.ceil(this.#unfoldedBytes / LIMITS.foldBytes));
  }

  #mergeSome(now: number): StorageOp[] {
    const ops: StorageOp[] = [];
    for (let left = this.#pace; left > 0 && this.#merger.isDue(now); left--) ops.push(...this.#merger.step(now));
    return ops;
  }

  #foldSome(now: number): StorageOp[] {
    this.#work ??= this.#run(this.#throughNow, now);
    const ops: StorageOp[] = [];
    let left = LIMITS.foldBytesPerTurn * this.#pace;
    while (left > 0) {
      const next = this.#work.next();
      if (next.done) {
        this.#work = null;
        this.#merger.folded();
        break;
      }
      ops.push(...next.value);
      for (const op of next.value) if ("bytes" in op) left -= op.bytes.length;
    }
    return ops;
  }

  /** Each group of operations is made when it is asked for, so that it holds the state of the turn that persists it; a group is never split. */
  *#run(through: number, now: number): Generator<StorageOp[]> {
    const run = this.#blocks.newRun();
    yield* this.#foldState(run, through);
    yield* this.#foldResults(run, through, now);
    yield this.#finish(through);
  }

  /** What was cleared is said before what was put since: an entity's key is the first of all that it holds. */
  *#foldState(run: number, through: number): Generator<StorageOp[]> {
    const { clears, keys } = this.#store.unfoldedThrough(through);
    const cleared = new Set(clears);
    const rows = new FoldRows(this.#blocks, { space: SPACE.state, run, expires: 0 });
    for (const key of sortKeys(new Set([...clears, ...keys]))) {
      const change = this.#store.changeOf(key);
      const flag = cleared.has(key) ? BLOCK_FLAG.cleared : 0;
      // A later clear has voided it.
      if (change === undefined && flag === 0) continue;
      this.#store.markCleared(flag === 0 ? [] : [key], through);
      this.#store.markFolded(key, through);
      rows.add(typeof change === "string" ? flag : flag | BLOCK_FLAG.deleted, key, change ?? "");
      if (rows.isFull) yield rows.take();
    }
    yield rows.take();
  }

  *#foldResults(run: number, through: number, now: number): Generator<StorageOp[]> {
    const { named, messages } = this.#results.toFold(through, now);
    yield* this.#foldKept(run, named, this.#results.clientMs);
    // Whatever the app says of its clients' keys: a message comes again for as long as its sender has not heard of it.
    yield* this.#foldKept(this.#blocks.newRun(), messages, LIMITS.messageResultMs);
    this.#results.markFolded([...named, ...messages], through);
    const edge = this.#results.edgeBetween(this.#folded, through);
    let part = 0;
    for (const chunk of chunksBySize(edge)) {
      const bytes = encodeRecent(this.#kernels, chunk);
      yield [{ op: "put-recent", seq: through, part: part++, expires: now + LIMITS.edgeResultMs, bytes }];
    }
    yield [{ op: "drop-recent", expiredAt: now }];
  }

  *#foldKept(run: number, kept: ReturnType<Results["toFold"]>["named"], ms: number): Generator<StorageOp[]> {
    const expires = kept.reduce((latest, { at }) => Math.max(latest, at), 0) + ms;
    const rows = new FoldRows(this.#blocks, { space: SPACE.results, run, expires });
    const sorted = kept.toSorted((a, b) => (a.result.requestId < b.result.requestId ? -1 : 1));
    for (const { result } of sorted) {
      rows.add(0, result.requestId, encodeStored(result));
      if (rows.isFull) yield rows.take();
    }
    yield rows.take();
  }

  /** Checkpoints, mark and drop must be persisted together: one group. */
  #finish(through: number): StorageOp[] {
    this.#limits.carry?.(through);
    const ops = this.#flows.checkpoints();
    ops.push({ op: "put-meta", name: "forgotten", value: this.#results.forgotten });
    ops.push({ op: "put-meta", name: "decided", value: String(this.#limits.decided()) });
    ops.push({ op: "put-meta", name: "folded", value: String(through) }, { op: "drop-records", through });
    this.#folded = through;
    while (this.#log.length > 0 && (this.#log[0] as { seq: number }).seq <= through) {
      this.#unfoldedBytes -= (this.#log.shift() as { bytes: number }).bytes;
    }
    invariant(this.#unfoldedBytes >= 0, "9: more was folded than was written");
    return ops;
  }
}

export function* chunksBySize(results: readonly StoredResult[]): Generator<StoredResult[]> {
  let chunk: StoredResult[] = [];
  let bytes = 0;
  for (const result of results) {
    const size = result.requestId.length + result.body.length * 3 + 32;
    if (bytes + size > LIMITS.maxPartBytes && chunk.length > 0) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(result);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
