/** Folding: moves what records hold into state rows, results and checkpoints, a bounded number of rows a turn, then drops the records. */
import type { Kernels } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import type { Results } from "../results/results.ts";
import { encodeRecent, encodeStored, type StoredResult } from "../results/stored-result.ts";
import { afterPrefix } from "../state/state-key.ts";
import type { StateStore } from "../state/store.ts";
import type { Epoch } from "../wire/messages.ts";
import type { StorageOp } from "./effects.ts";
import type { Flows } from "./flows.ts";

/** What folding must know of epochs. */
export interface FoldLimits {
  /** Place of the first record of an undecided epoch. */
  firstUndecidedSeq(): number | undefined;
  /** Stored with every fold: the records that it drops would have told it to a new coordinator. */
  decided(): Epoch;
  /** No fold may begin. */
  held(): boolean;
}

export class Folder {
  readonly #kernels: Kernels;
  readonly #store: StateStore;
  readonly #results: Results;
  readonly #flows: Flows;
  /** Newest record that is folded. */
  #folded: number;
  /** Records that are written and not folded, in order. */
  readonly #log: Array<{ readonly seq: number; readonly bytes: number }>;
  #unfoldedBytes: number;
  readonly #limits: FoldLimits;
  #work: Iterator<StorageOp[]> | null = null;
  /** Records up to this one are folded however few they are. */
  #forced = 0;

  constructor(
    kernels: Kernels,
    store: StateStore,
    results: Results,
    flows: Flows,
    log: { folded: number; sizes: ReadonlyArray<{ readonly seq: number; readonly bytes: number }> },
    limits: FoldLimits,
  ) {
    this.#kernels = kernels;
    this.#store = store;
    this.#results = results;
    this.#flows = flows;
    this.#folded = log.folded;
    this.#log = [...log.sizes];
    this.#unfoldedBytes = log.sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#limits = limits;
  }

  written(seq: number, bytes: number): void {
    this.#log.push({ seq, bytes });
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

  get unfoldedBytes(): number {
    return this.#unfoldedBytes;
  }
  get isActive(): boolean {
    return this.#work !== null;
  }
  /** Checkpoints rewrite whole operator states, so they wait until the log outweighs what they write. */
  get isDue(): boolean {
    const due = Math.min(Math.max(LIMITS.foldBytes, this.#flows.bytes), LIMITS.maxUnfoldedBytes / 2);
    const wanted = this.#unfoldedBytes >= due || this.#folded < this.#forced;
    return this.#work === null && wanted && this.#through > this.#folded && !this.#limits.held();
  }

  /** Next turn's operations. The caller has just written everything that is committed, and persists these in the same turn. */
  turn(now: number): StorageOp[] {
    if (!this.#work && !this.isDue) return [];
    this.#work ??= this.#begin(now);
    const ops: StorageOp[] = [];
    const rows = LIMITS.foldRowsPerTurn * Math.max(1, Math.ceil(this.#unfoldedBytes / LIMITS.foldBytes));
    while (ops.length < rows) {
      const next = this.#work.next();
      if (next.done) {
        this.#work = null;
        break;
      }
      ops.push(...next.value);
    }
    return ops;
  }

  #begin(now: number): Iterator<StorageOp[]> {
    return this.#run(this.#through, now);
  }

  /** Each group of operations is made when it is asked for, so that it holds the state of the turn that persists it; a group is never split. */
  *#run(through: number, now: number): Generator<StorageOp[]> {
    const { clears, keys } = this.#store.unfoldedThrough(through);
    // In the order of the tables, so that the rows of one turn share pages: a page is written whole however little of it changed.
    keys.sort();
    for (const entity of clears) {
      yield [{ op: "delete-state-range", from: entity, to: afterPrefix(entity) }];
      this.#store.markCleared([entity], through);
    }
    for (const key of keys) {
      const change = this.#store.changeOf(key);
      if (change === undefined) continue;
      this.#store.markFolded(key, through);
      yield [change === null ? { op: "delete-state", key } : { op: "put-state", key, text: change }];
    }
    yield* this.#foldResults(through, now);
    yield this.#finish(through);
  }

  *#foldResults(through: number, now: number): Generator<StorageOp[]> {
    const clients = this.#results
      .clientThrough(through)
      .sort((a, b) => (a.result.requestId < b.result.requestId ? -1 : 1));
    for (const { result, at } of clients) {
      const expires = at + LIMITS.clientResultMs;
      yield [{ op: "put-result", requestId: result.requestId, text: encodeStored(result), expires }];
    }
    this.#results.markFolded(through);
    if (clients.length > 0) yield [{ op: "sweep-results", now, limit: clients.length }];
    const edge = this.#results.edgeBetween(this.#folded, through).map((kept) => kept.result);
    let part = 0;
    for (const chunk of chunksBySize(edge)) {
      const expires = now + LIMITS.edgeResultMs;
      yield [{ op: "put-recent", seq: through, part: part++, expires, bytes: encodeRecent(this.#kernels, chunk) }];
    }
    yield [{ op: "drop-recent", expiredAt: now }];
  }

  /** Checkpoints, mark and drop must be persisted together: one group. */
  #finish(through: number): StorageOp[] {
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
