/** A partition: keeps the state of its key groups, runs transactions on it, logs them in records, folds records into state. Sans-I/O. */
import type { Kernels } from "../../core-wasm/types.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { toJson } from "../../sdk/json.ts";
import type { KeyGroupMap } from "../keygroups/map.ts";
import { partitionOfHash } from "../keygroups/map.ts";
import { LIMITS } from "../limits.ts";
import { cut } from "../record/record.ts";
import { Results } from "../results/results.ts";
import type { StateReader } from "../state/reader.ts";
import { StateStore, type Write } from "../state/store.ts";
import type { Failure } from "../transaction/failure.ts";
import { type RootOwner, Transactions } from "../transaction/transactions.ts";
import { fitsUtf8 } from "../utf8.ts";
import { Admission, type Batch, type RequestIdentity } from "./admission.ts";
import type { Effect, Input, StorageOp, ViewRequest } from "./effects.ts";
import { type BatchOutcome, Flows } from "./flows.ts";
import { Folder } from "./folder.ts";
import { Journal } from "./journal.ts";
import { shownFailure } from "./problems.ts";
import { type Recovered, replay } from "./recovery.ts";
import type { Root } from "./root.ts";
import { Tickets } from "./tickets.ts";
import { answerView } from "./views.ts";

/** What a partition is made of and from. */
export interface PartitionSetup {
  readonly app: AppDefinition;
  readonly kernels: Kernels;
  readonly reader: StateReader;
  /** This partition's number in the map. */
  readonly partition: number;
  readonly map: KeyGroupMap;
  /** Durable, one more at every start. */
  readonly incarnation: number;
  readonly recovered: Recovered;
}

/** Figures of one partition; `waiting`, `attempts` and `locks` are 0 when nothing runs (invariant 6). */
export interface PartitionStatus {
  /** Rows of requests without an answer. */
  readonly waiting: number;
  readonly attempts: number;
  /** Keys that are held or waited for. */
  readonly locks: number;
  readonly unfoldedBytes: number;
  readonly unfoldedKeys: number;
  readonly cachedBytes: number;
  /** Number of the newest record. */
  readonly seq: number;
}

export class PartitionMachine implements RootOwner {
  readonly #setup: PartitionSetup;
  readonly #store: StateStore;
  readonly #results: Results;
  readonly #journal: Journal;
  readonly #flows: Flows;
  readonly #tickets = new Tickets();
  readonly #admission: Admission;
  readonly #folder: Folder;
  readonly transactions: Transactions;
  #effects: Effect[] = [];
  #views: Array<{ ticket: number; query: ViewRequest }> = [];
  #flushWanted = false;
  #foldWanted = false;
  #expiryWanted = false;
  #now = 0;

  /** @throws CorruptError when what storage holds is damaged; the partition must then not serve. */
  constructor(setup: PartitionSetup) {
    const { app, kernels, reader, recovered } = setup;
    this.#setup = setup;
    this.#store = new StateStore(reader, LIMITS.cacheBytes);
    this.#results = new Results(reader);
    this.#flows = new Flows(app, kernels);
    const replayed = replay(kernels, recovered, { store: this.#store, results: this.#results, flows: this.#flows });
    this.#journal = new Journal(replayed.nextSeq);
    this.#folder = new Folder(kernels, this.#store, this.#results, this.#flows, {
      folded: recovered.folded,
      written: replayed.nextSeq - 1,
      bytes: replayed.bytes,
    });
    this.transactions = new Transactions(app, this.#store, this);
    this.#admission = new Admission(setup, {
      results: this.#results,
      tickets: this.#tickets,
      start: (root) => this.transactions.start(root),
      congested: () => this.#folder.unfoldedBytes > LIMITS.maxUnfoldedBytes,
    });
    // What was found may be so much that nothing new is admitted: then no write would ever ask for this.
    this.#wantFold();
  }

  /** Handles one input at time `now` (ms since 1970). Effects are to be performed in order. */
  step(input: Input, now: number): Effect[] {
    this.#now = now;
    switch (input.kind) {
      case "invoke":
        this.#admission.invoke(input.ticket, input.frame, now);
        break;
      case "ingest":
        this.#ingest(input.ticket, input.frame);
        break;
      case "view":
        this.#views.push({ ticket: input.ticket, query: input.query });
        break;
      case "returned":
        this.transactions.returned(input.activation, input.outcome);
        break;
      case "flush":
        this.#flush();
        break;
      case "fold":
        this.#fold();
        break;
      case "expire":
        this.#expiryWanted = false;
        this.transactions.expire(now - LIMITS.attemptMs);
        break;
    }
    return this.takeEffects();
  }

  /** Effects of what was called directly: `transactions.call`. */
  takeEffects(): Effect[] {
    this.#admission.startWaiting();
    if (!this.#flushWanted && (this.#tickets.hasDone || this.#views.length > 0 || this.#hasUnlogged())) {
      this.#flushWanted = true;
      this.#effects.push({ kind: "want-flush" });
    }
    if (!this.#expiryWanted && this.transactions.isRunning) {
      this.#expiryWanted = true;
      this.#effects.push({ kind: "want-expiry" });
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  get now(): number {
    return this.#now;
  }

  emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  owns(key: string): boolean {
    return partitionOfHash(this.#setup.map, this.#setup.kernels.hashKey(key)) === this.#setup.partition;
  }

  committed(root: Root, writes: readonly Write[], value: unknown): void {
    const body = this.#resultOf(root, value);
    if (typeof body !== "string") return this.failed(root, body);
    this.#store.apply(writes, this.#journal.seq);
    this.#journal.addWrites(writes);
    if (root.target.contract.kind === "fn" || root.clientId) this.#record(root, 200, body);
    this.#admission.done(root, 200, 0, body);
  }

  /** The body of the answer, or why there can be none: then nothing is committed. */
  #resultOf(root: Root, value: unknown): string | Failure {
    let body: string;
    try {
      body = value === undefined ? "null" : toJson(value);
    } catch (error) {
      return { kind: "thrown", error };
    }
    if (!fitsUtf8(body, LIMITS.maxResultBytes)) {
      const detail = `a result has at most ${LIMITS.maxResultBytes} bytes; return less, or in pages`;
      return { kind: "engine", error: new TidegateError("transaction-too-large", detail) };
    }
    if (!this.#tickets.haveRoom(root.waiters, body)) {
      const detail = "the answers to this message are too large together; nothing was done, send fewer lines at once";
      return { kind: "engine", error: new TidegateError("overloaded", detail), members: { retryable: true } };
    }
    return body;
  }

  failed(root: Root, cause: Failure): void {
    const { failure, answer } = shownFailure(cause);
    const { status, body } = answer;
    // A refusal shows what was read, so it is an answer like any other: recorded, and the same for every retry.
    if (failure.kind === "refusal") this.#record(root, status, body);
    if (failure.kind === "thrown") {
      const { service, name, key } = root.target;
      const message = `${service.contract.name}.${name} on ${JSON.stringify(key)} failed`;
      this.emit({ kind: "report", level: "error", message, error: failure.error });
    }
    this.#admission.done(root, status, 0, body);
  }

  /** Keeps the answer to a request in the record in the making. */
  #record({ requestId, fingerprintLow, fingerprintHigh }: RequestIdentity, status: number, body: string): void {
    const result = { requestId, status, fingerprintLow, fingerprintHigh, body };
    this.#journal.addResult(result);
    this.#results.add(result, this.#journal.seq, this.#now);
    if (this.#journal.bytes > LIMITS.maxRecordBytes) this.#write();
  }

  #ingest(ticket: number, frame: Uint8Array): void {
    const batch = this.#admission.ingest(ticket, frame, this.#now);
    if (!batch) return;
    const outcome = this.#apply(ticket, batch);
    if (outcome.applied) this.#record(batch.id, outcome.status, outcome.body);
    this.#tickets.answer({ ticket, line: 1, joined: false }, outcome.status, 0, outcome.body);
  }

  #apply(ticket: number, batch: Batch): BatchOutcome {
    try {
      return this.#flows.apply(batch, () => this.#log());
    } catch (error) {
      // Columns that are not the stream's: the frame is refused, and nobody waits for an answer.
      this.#tickets.drop(ticket);
      throw error;
    }
  }

  #hasUnlogged(): boolean {
    return !this.#journal.isEmpty || this.#flows.dirty;
  }

  /** Makes what is ready durable, then answers what is complete: in this order (invariant 3). */
  #flush(): void {
    this.#flushWanted = false;
    if (!this.#log()) this.#setup.reader.touch();
    const epoch = `${this.#setup.incarnation}.${this.#journal.seq - 1}`;
    for (const { ticket, body } of this.#tickets.takeDone(this.#setup.kernels, epoch)) {
      this.emit({ kind: "reply", ticket, body });
    }
    const views = this.#views;
    this.#views = [];
    for (const { ticket, query } of views) {
      this.emit({ kind: "reply", ticket, body: { ...answerView(this.#setup, this.#flows, query), epoch } });
    }
  }

  /** Persists what is committed and in no record yet; false when there is nothing. */
  #log(): boolean {
    if (!this.#hasUnlogged()) return false;
    this.#write();
    return true;
  }

  /** Persists the journal as one record, together with the window blocks that it closes. */
  #write(): void {
    const room = LIMITS.maxTableBytes - LIMITS.recordMarginBytes - this.#journal.bytes;
    const flows = this.#flows.takeChanges(this.#journal.seq, room);
    const { seq, bytes } = this.#journal.take(this.#setup.kernels, this.#now, flows.deltas);
    const ops: StorageOp[] = cut(bytes, LIMITS.maxPartBytes).map((part, index) => ({
      op: "record",
      seq,
      part: index,
      bytes: part,
    }));
    ops.push(...flows.ops);
    this.emit({ kind: "persist", ops });
    this.#folder.written(seq, bytes.length);
    this.#wantFold();
  }

  #wantFold(): void {
    if (this.#foldWanted || !this.#folder.isDue) return;
    this.#foldWanted = true;
    this.emit({ kind: "want-fold" });
  }

  /** One bounded turn of folding. It writes first, so that no row can hold what no record holds. */
  #fold(): void {
    this.#log();
    const ops = this.#folder.turn(this.#now);
    if (ops.length > 0) this.emit({ kind: "persist", ops });
    this.#foldWanted = this.#folder.isActive || this.#folder.isDue;
    if (this.#foldWanted) this.emit({ kind: "want-fold" });
  }

  /** Figures for tests and metrics. */
  get status(): PartitionStatus {
    return {
      waiting: this.#tickets.waiting,
      ...this.transactions.load,
      unfoldedBytes: this.#folder.unfoldedBytes,
      unfoldedKeys: this.#store.unfoldedKeys,
      cachedBytes: this.#store.cachedBytes,
      seq: this.#journal.seq - 1,
    };
  }
}
