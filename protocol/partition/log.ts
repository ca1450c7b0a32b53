/** The log of a partition: what is committed or prepared goes into records, and records are folded into state. */
import type { Kernels } from "../../core-wasm/types.ts";
import type { UndecidedRecord } from "../epochs/epoch-set.ts";
import type { Participation } from "../epochs/participation.ts";
import { preparedMark } from "../epochs/prepared-mark.ts";
import { LIMITS } from "../limits.ts";
import { type RecordPiece, writeBytes } from "../record/pieces.ts";
import { cut } from "../record/record.ts";
import type { Results } from "../results/results.ts";
import type { StoredResult } from "../results/stored-result.ts";
import type { Blocks } from "../state/blocks/blocks.ts";
import type { StateReader } from "../state/reader.ts";
import type { StateStore, Write } from "../state/store.ts";
import type { RequestIdentity } from "./request-identity.ts";
import type { Effect, StorageOp } from "./effects.ts";
import type { Flows } from "./flows.ts";
import { Folder } from "./folder.ts";
import { Journal } from "./journal.ts";
import type { Replayed } from "./recovery.ts";

export interface LogParts {
  readonly setup: { readonly kernels: Kernels; readonly reader: Pick<StateReader, "databaseBytes"> };
  readonly blocks: Blocks;
  readonly committed: StateStore;
  readonly results: Results;
  readonly flows: Flows;
  readonly participation: () => Participation;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  emit(effect: Effect): void;
  /** No fold may begin. */
  holdsFold(): boolean;
  /** These writes are in the record of an undecided epoch. */
  undecided(writes: readonly Write[]): void;
}

export class Log {
  readonly #parts: LogParts;
  readonly #journal: Journal;
  readonly #folder: Folder;
  #foldWanted = false;
  #isFull = false;
  /** When the size of the database was asked for; ms. */
  #measuredAt = 0;

  constructor(parts: LogParts, folded: number, replayed: Replayed) {
    const { blocks, committed, results, flows, participation } = parts;
    const { kernels } = parts.setup;
    this.#parts = parts;
    this.#journal = new Journal(replayed.nextSeq, replayed.decided);
    this.#folder = new Folder(
      kernels,
      blocks,
      committed,
      results,
      flows,
      { folded, sizes: replayed.sizes },
      {
        firstUndecidedSeq: () => participation().firstUndecidedSeq,
        decided: () => participation().decided,
        held: () => parts.holdsFold(),
        full: () => this.#isFull,
        carry: (through) => this.#carry(through),
      },
    );
    this.#measure();
  }

  /** Number of the record in the making. */
  get seq(): number {
    return this.#journal.seq;
  }
  get unfoldedBytes(): number {
    return this.#folder.unfoldedBytes;
  }
  /** Whether something is committed that no record holds. */
  get hasUnlogged(): boolean {
    return !this.#journal.isEmpty || this.#parts.flows.dirty;
  }

  addWrites(writes: readonly Write[]): void {
    this.#journal.addWrites(writes);
  }

  /** Keeps the answer to a request in the record in the making. */
  addResult(id: RequestIdentity, status: number, body: string): void {
    const { requestId, fingerprintLow, fingerprintHigh, group, owner } = id;
    const result = { requestId, status, fingerprintLow, fingerprintHigh, body, group, owner };
    this.#journal.addResult(result);
    this.#parts.results.add(result, this.#journal.seq, this.#parts.now());
    if (this.#journal.bytes > LIMITS.maxRecordBytes) this.#write();
  }

  /** Persists what is committed and in no record yet; false when there is nothing. */
  write(): boolean {
    if (!this.hasUnlogged) return false;
    this.#write();
    return true;
  }

  #carry(through: number): void {
    const carried = this.#parts.results.carry(through, this.#journal.seq);
    for (const result of carried) this.#journal.addResult(result);
    if (carried.length > 0) this.#write();
  }

  /** Persists what is pending first where these writes would be too much for one record with it: each commit is in whole records of its own then. */
  makeRoom(writes: readonly Write[]): void {
    if (this.#journal.isEmpty) return;
    let { bytes } = this.#journal;
    for (const write of writes) bytes += writeBytes(write);
    if (bytes > LIMITS.maxTableBytes - LIMITS.recordMarginBytes) this.#write();
  }

  /** Persists the journal, at once: as one record, or in several pieces, together with the window blocks that it closes. */
  #write(): void {
    const { flows, results, now, participation } = this.#parts;
    const { kernels } = this.#parts.setup;
    for (const mark of results.takeSettled()) this.#journal.addResult(mark);
    const seq = this.#journal.seq;
    const [first, ...more] = this.#journal.cut() as [RecordPiece, ...RecordPiece[]];
    const changes = flows.takeChanges(seq, LIMITS.maxTableBytes - LIMITS.recordMarginBytes - first.bytes);
    const ops: StorageOp[] = [];
    const contents = [{ ...first, flows: changes.deltas }, ...more.map((piece) => ({ ...piece, flows: [] }))];
    for (const [at, content] of contents.entries()) {
      const record = this.#journal.take(kernels, now(), content, participation().decided);
      ops.push(...recordOps(record, ""));
      this.#folder.written(record.seq, record.bytes.length, at < contents.length - 1);
    }
    ops.push(...changes.ops);
    this.#parts.emit({ kind: "persist", ops });
    this.wantFold();
  }

  /** Persists an epoch's record, in as many pieces as `contents`, after what was committed before. */
  writeEpoch(
    contents: ReadonlyArray<{ writes: readonly Write[]; results: readonly StoredResult[] }>,
    epoch: Pick<UndecidedRecord, "epoch" | "parts">,
  ): { firstSeq: number; lastSeq: number } {
    const { now, participation } = this.#parts;
    const { kernels } = this.#parts.setup;
    this.write();
    const firstSeq = this.#journal.seq;
    const ops: StorageOp[] = [];
    for (const [at, content] of contents.entries()) {
      this.#parts.undecided(content.writes);
      const record = this.#journal.takeEpoch(kernels, now(), { ...content, epoch }, participation().decided);
      const isLast = at === contents.length - 1;
      ops.push(...recordOps(record, isLast ? preparedMark(epoch) : ""));
      this.#folder.written(record.seq, record.bytes.length, !isLast);
    }
    this.#parts.emit({ kind: "persist", ops });
    this.wantFold();
    return { firstSeq, lastSeq: this.#journal.seq - 1 };
  }

  /**
   * So much is stored that nothing new may be written. Whoever would is what it is looked again for: the last turn of folding has made room that
   * no other tells of, and what deletes, which may be little, is to be folded.
   */
  get isFull(): boolean {
    if (this.#isFull && this.#parts.now() - this.#measuredAt >= LIMITS.fullLookMs) {
      this.#measure();
      if (this.#isFull) this.foldThrough(this.seq - 1);
    }
    return this.#isFull;
  }

  /** It costs a look at storage: each turn of folding has one, and less than `maxUnfoldedBytes` is written between two. */
  #measure(): void {
    const wasFull = this.#isFull;
    this.#measuredAt = this.#parts.now();
    this.#isFull = this.#parts.setup.reader.databaseBytes > LIMITS.maxDatabaseBytes;
    if (wasFull || !this.#isFull) return;
    const message =
      "the database of this partition is full: nothing new is written before there is room, or there are more partitions";
    this.#parts.emit({ kind: "report", level: "error", message });
  }

  /** Newest record that is folded. */
  get folded(): number {
    return this.#folder.folded;
  }

  /** Folds up to a record however little there is to fold; true when that is done. */
  foldThrough(seq: number): boolean {
    if (this.#folder.folded >= seq) return true;
    this.#folder.force(seq);
    this.wantFold();
    return false;
  }

  wantFold(): void {
    if (this.#foldWanted || !this.#folder.isDue(this.#parts.now())) return;
    this.#foldWanted = true;
    this.#parts.emit({ kind: "want-fold" });
  }

  /** One bounded turn of folding or merging. It writes first, so that no row can hold what no record holds. */
  fold(): void {
    this.#measure();
    this.write();
    const ops = this.#folder.turn(this.#parts.now());
    if (ops.length > 0) this.#parts.emit({ kind: "persist", ops });
    this.#foldWanted = this.#folder.isActive || this.#folder.isDue(this.#parts.now());
    if (this.#foldWanted) this.#parts.emit({ kind: "want-fold" });
  }
}

function recordOps({ seq, bytes }: { seq: number; bytes: Uint8Array }, mark: string): StorageOp[] {
  return cut(bytes, LIMITS.maxPartBytes).map((part, index) => ({
    op: "record",
    seq,
    part: index,
    mark: index === 0 ? mark : "",
    bytes: part,
  }));
}
