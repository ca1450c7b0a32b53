/** What a partition does for epochs: gives them to transactions, takes finishes, writes their records, and acts on their decisions. */
import type { Kernels } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import { countFinish, type EpochSet, type UndecidedRecord } from "../epochs/epoch-set.ts";
import { type EpochMessage, type EpochOwner, Participation } from "../epochs/participation.ts";
import { LIMITS } from "../limits.ts";
import { recordPieces } from "../record/pieces.ts";
import { encodeVoid } from "../record/record.ts";
import type { Formats } from "../link/formats.ts";
import type { Results } from "../results/results.ts";
import type { StoredResult } from "../results/stored-result.ts";
import type { History } from "../state/history.ts";
import type { Layers } from "../state/layers.ts";
import type { Write } from "../state/store.ts";
import { type Attempt, participantsOf } from "../transaction/attempt.ts";
import type { Transactions } from "../transaction/transactions.ts";
import { SOLE_FORMAT } from "../wire/codec.ts";
import type { Epoch, FinishMessage, OrderMessage, Peer, ReportMessage } from "../wire/messages.ts";
import type { Admission } from "./admission.ts";
import type { Effect, StorageOp } from "./effects.ts";
import type { Replayed } from "./recovery.ts";
import { keptBody } from "./root.ts";

/** What a transaction that waits for an epoch will answer and write. */
export interface Finishing {
  readonly attempt: Attempt;
  readonly status: number;
  readonly body: string;
  /** Its result is kept; errors are not. */
  readonly recorded: boolean;
  /** It failed: it has an epoch because of what it read, and writes nothing. */
  readonly drop: boolean;
  readonly writes: readonly Write[];
}

export interface EpochParts {
  readonly kernels: Kernels;
  readonly self: Peer;
  readonly incarnation: number;
  readonly formats: Formats;
  readonly layers: Layers;
  readonly history: History;
  readonly results: Results;
  readonly admission: Admission;
  readonly transactions: Transactions;
  readonly now: () => number;
  emit(effect: Effect): void;
  report(message: ReportMessage): void;
  send(to: Peer, message: FinishMessage | EpochMessage): void;
  incarnationOf(peer: Peer): number;
  /** Asks for the end of the turn: the coordinator is told then that an epoch is wanted. */
  wantDispatch(): void;
  /** Writes what is committed and in no record yet, then these as one more record each. Returns their numbers and that before them. */
  writeEpoch(
    contents: ReadonlyArray<{ writes: readonly Write[]; results: readonly StoredResult[] }>,
    epoch: Pick<UndecidedRecord, "epoch" | "parts">,
  ): { firstSeq: number; lastSeq: number };
  /** These writes are committed: messages among them are to be delivered. */
  posted(writes: readonly Write[]): void;
  /** Requests and messages that were held may go on. */
  resume(): void;
  mapped(era: Extract<OrderMessage, { kind: "era" }>): void;
  drain(): void;
  /** More may be folded now. */
  decidedMoved(): void;
}

export class EpochWork implements EpochOwner {
  readonly #parts: EpochParts;
  readonly participation: Participation;
  #finishing: Finishing[] = [];
  #decidedAt = -Infinity;
  /** The decision before the last: askers may be one behind. */
  #previous: Epoch = 0;
  #resumed = false;

  constructor(parts: EpochParts, found: { generation: number; replayed: Replayed }) {
    this.#parts = parts;
    this.participation = new Participation(this, {
      generation: found.generation,
      decided: found.replayed.decided,
      records: found.replayed.undecided,
    });
    for (const { results } of found.replayed.undecided) for (const result of results) parts.admission.owe(result);
  }

  get self(): Peer {
    return this.#parts.self;
  }
  get incarnation(): number {
    return this.#parts.incarnation;
  }
  get now(): number {
    return this.#parts.now();
  }
  get reads(): number {
    return this.#parts.formats.reads;
  }
  agreed(format: number): void {
    this.#parts.formats.agree(format);
  }
  get isBusy(): boolean {
    return this.#parts.transactions.isRunning;
  }
  /** Nothing that happened here waits for a decision. */
  get isDecided(): boolean {
    return this.#finishing.length === 0 && this.participation.undecided === 0;
  }
  get hasFinishing(): boolean {
    return this.#finishing.length > 0;
  }

  /** The newest boundary that a snapshot may be shown, if it moved lately. */
  get boundary(): Epoch | undefined {
    return this.#parts.now() - this.#decidedAt <= LIMITS.snapshotStaleMs ? this.participation.decided : undefined;
  }

  report(message: ReportMessage): void {
    this.#parts.report(message);
  }

  tell(to: Peer, message: EpochMessage): void {
    this.#parts.send(to, message);
  }
  knowsSole(peer: Peer): boolean {
    return this.#parts.formats.for(peer) >= SOLE_FORMAT;
  }

  /** A transaction is done and waits for an epoch. */
  finishing(work: Finishing): void {
    this.#finishing.push(work);
    this.participation.tryTag();
  }

  /** While no epoch is to be had, those that are given up meanwhile must not stay in memory with all that they would have written. */
  forgetEnded(): void {
    if (this.#finishing.some(({ attempt }) => attempt.ended)) {
      this.#finishing = this.#finishing.filter(({ attempt }) => !attempt.ended);
    }
  }

  tagFinishing(epoch: Epoch): void {
    const finishing = this.#finishing;
    this.#finishing = [];
    // Its finishes alone would not do: a transaction of this partition alone sends none.
    this.#parts.wantDispatch();
    // Those that were given up meanwhile run again as other attempts.
    for (const work of finishing) if (!work.attempt.ended) this.#tag(work, epoch);
  }

  /** In one turn: results, finishes to all that took part, readers too, own writes, and the locks are free. */
  #tag({ attempt, status, body, recorded, drop, writes }: Finishing, epoch: Epoch): void {
    const { root } = attempt;
    invariant(root !== null, "6: an attempt without a root finishes here");
    const parts = participantsOf(attempt);
    for (const [peer, incarnation] of parts) {
      // With its memory it lost the locks.
      if (this.#parts.incarnationOf(peer) !== incarnation) return this.#parts.transactions.giveUp(attempt);
    }
    const set = this.participation.tagged(epoch);
    for (const [peer, incarnation] of parts) {
      this.#parts.send(peer, { kind: "finish", id: attempt.id, epoch, drop });
      countFinish(set, peer, incarnation);
    }
    if (!drop) this.#parts.layers.add(epoch, writes);
    const { requestId, fingerprintLow, fingerprintHigh, group, owner } = root;
    if (recorded) {
      const kept = keptBody(root, status, body);
      set.results.push({ requestId, status, fingerprintLow, fingerprintHigh, body: kept, group, owner });
    }
    set.answers.push({ root, attempt, status, body });
    root.epoch = epoch;
    root.trace?.tagged();
    this.#parts.transactions.tagged(attempt);
    this.#parts.admission.tagged(root);
  }

  /** A transaction that ran here for another partition's root has its epoch. */
  finished(from: Peer, { id, epoch, drop }: FinishMessage): void {
    const attempt = this.#parts.transactions.attempts.find(id);
    invariant(
      attempt !== undefined && !attempt.ended && attempt.root === null,
      "1: a finish of an unknown transaction",
    );
    if (!drop) this.#parts.layers.add(epoch, this.#parts.transactions.finishedOf(attempt));
    this.#parts.transactions.tagged(attempt);
    this.participation.finished(from, epoch);
  }

  writeRecord(set: EpochSet): UndecidedRecord {
    const { epoch, prepare, results, answers } = set;
    invariant(prepare !== null, "1: a record is written that nobody asked for");
    const { parts } = prepare;
    const contents = recordPieces(this.#parts.layers.writesOf(epoch), results);
    const { firstSeq, lastSeq } = this.#parts.writeEpoch(contents, { epoch, parts });
    this.#parts.admission.observer.prepared(answers.length);
    for (const { root } of answers) root.trace?.prepared();
    return { epoch, parts, firstSeq, lastSeq, at: this.#parts.now(), results, answers };
  }

  committed(record: UndecidedRecord): void {
    const writes = this.#parts.layers.decide(record.epoch, record.lastSeq);
    this.#parts.transactions.noteCommit();
    this.#parts.posted(writes);
    for (const result of record.results) {
      this.#parts.results.add(result, record.lastSeq, record.at);
      this.#parts.admission.paid(result);
    }
    for (const { root, attempt, status, body } of record.answers) {
      this.#parts.transactions.attempts.delete(attempt);
      this.#parts.admission.done(root, status, 0, body);
    }
  }

  aborted({ epoch, firstSeq, lastSeq, results }: UndecidedRecord): void {
    this.#parts.layers.drop(epoch);
    const ops: StorageOp[] = [];
    for (let seq = firstSeq; seq <= lastSeq; seq++) {
      ops.push({
        op: "replace-record",
        seq,
        bytes: encodeVoid(this.#parts.kernels, seq, this.#parts.now(), this.participation.decided),
      });
    }
    this.#parts.emit({ kind: "persist", ops });
    for (const result of results) this.#parts.admission.unpaid(result);
  }

  reset(unprepared: Iterable<EpochSet>): void {
    for (const { epoch } of unprepared) this.#parts.layers.drop(epoch);
    this.#finishing = [];
    this.#parts.transactions.reset();
  }

  mapped(era: Extract<OrderMessage, { kind: "era" }>): void {
    this.#parts.mapped(era);
  }

  drain(): void {
    this.#parts.drain();
  }

  resume(): void {
    // What was committed before this start has unknown epochs: none above the clock.
    if (!this.#resumed) this.#parts.history.raiseFloor(this.participation.clock);
    this.#resumed = true;
    this.#parts.admission.restart();
    this.#parts.resume();
  }

  persistGeneration(generation: number): void {
    this.#parts.emit({ kind: "persist", ops: [{ op: "put-meta", name: "generation", value: String(generation) }] });
  }

  decidedMoved(decided: Epoch): void {
    this.#decidedAt = this.#parts.now();
    this.#parts.history.forgetBelow(this.#previous);
    this.#previous = decided;
    this.#parts.decidedMoved();
  }
}
