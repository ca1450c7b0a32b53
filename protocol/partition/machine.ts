/** A partition: keeps the state of its key groups, runs transactions on it, takes part in epochs, logs in records, folds records into state. Sans-I/O. */
import { CorruptError, type Kernels } from "../../core-wasm/types.ts";
import type { AppDefinition } from "../../sdk/app.ts";
import { TidegateError } from "../../sdk/errors.ts";
import { toJson } from "../../sdk/json.ts";
import { showEpoch } from "../epochs/epoch.ts";
import type { UndecidedRecord } from "../epochs/epoch-set.ts";
import { markPrepared } from "../epochs/prepared-mark.ts";
import type { KeyGroupMap } from "../keygroups/map.ts";
import { partitionOfHash } from "../keygroups/map.ts";
import { LIMITS } from "../limits.ts";
import { Links } from "../link/links.ts";
import type { LinkOwner } from "../link/owner.ts";
import type { Message } from "../outbox/message.ts";
import { cut } from "../record/record.ts";
import { Results } from "../results/results.ts";
import type { StoredResult } from "../results/stored-result.ts";
import { History } from "../state/history.ts";
import { Layers } from "../state/layers.ts";
import type { StateReader } from "../state/reader.ts";
import { StateStore, type Write } from "../state/store.ts";
import type { Attempt, Outcome } from "../transaction/attempt.ts";
import type { Failure } from "../transaction/failure.ts";
import { type TransactionOwner, Transactions } from "../transaction/transactions.ts";
import { fitsUtf8 } from "../utf8.ts";
import { ACCEPTED_STATUS } from "../wire/answer.ts";
import { INGEST } from "../wire/ingest.ts";
import { INVOKE } from "../wire/invoke.ts";
import {
  COORDINATOR,
  type Epoch,
  type OrderMessage,
  type PartitionMessage,
  type Peer,
  type PeerMessage,
  type ReportMessage,
} from "../wire/messages.ts";
import { Admission, type Batch, type RequestIdentity } from "./admission.ts";
import type { Effect, Input, StorageOp, ViewRequest } from "./effects.ts";
import { EpochWork } from "./epoch-work.ts";
import { type BatchOutcome, Flows } from "./flows.ts";
import { Folder } from "./folder.ts";
import { Journal } from "./journal.ts";
import { Mail } from "./mail.ts";
import { problemAnswer, shownFailure } from "./problems.ts";
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

/** Figures of one partition. `waiting` to `outbox` are 0 when nothing runs (invariant 6). */
export interface PartitionStatus {
  readonly phase: "starting" | "fenced" | "up";
  /** Rows of requests without an answer. */
  readonly waiting: number;
  readonly attempts: number;
  /** Keys that are held or waited for. */
  readonly locks: number;
  /** Records and unprepared epochs that are not decided. */
  readonly undecided: number;
  /** Messages that peers may not have. */
  readonly unacknowledged: number;
  /** Messages and requests that wait for this partition to be up. */
  readonly held: number;
  /** One-way messages that are not delivered. */
  readonly outbox: number;
  /** The partition belongs to an epoch that is not closed. */
  readonly member: boolean;
  readonly clock: Epoch;
  readonly decided: Epoch;
  readonly era: Epoch;
  readonly unfoldedBytes: number;
  readonly unfoldedKeys: number;
  readonly cachedBytes: number;
  /** Number of the newest record. */
  readonly seq: number;
}

/** What an input that waits takes beside its frame. */
const HELD_OVERHEAD = 1_024;

type HeldInput = Extract<Input, { kind: "invoke" | "ingest" | "view" }>;

export class PartitionMachine implements TransactionOwner, LinkOwner {
  readonly #setup: PartitionSetup;
  readonly #layers: Layers;
  readonly #results: Results;
  readonly #journal: Journal;
  readonly #flows: Flows;
  readonly #tickets = new Tickets();
  readonly #admission: Admission;
  readonly #folder: Folder;
  readonly #links: Links;
  readonly #epochs: EpochWork;
  readonly #mail: Mail;
  readonly transactions: Transactions;
  #effects: Effect[] = [];
  #views: Array<{ ticket: number; query: ViewRequest }> = [];
  /** Requests that came before this partition was up. */
  #held: HeldInput[] = [];
  #heldBytes = 0;
  #flushWanted = false;
  #foldWanted = false;
  #wakeWanted = false;
  #now = 0;

  /** @throws CorruptError when what storage holds is damaged; the partition must then not serve. */
  constructor(setup: PartitionSetup) {
    const { app, kernels, reader, recovered, partition, incarnation } = setup;
    this.#setup = setup;
    const history = new History();
    this.#layers = new Layers(new StateStore(reader, LIMITS.cacheBytes), history);
    this.#results = new Results(reader);
    this.#flows = new Flows(app, kernels);
    const replayed = replay(kernels, recovered, { layers: this.#layers, results: this.#results, flows: this.#flows });
    this.#journal = new Journal(replayed.nextSeq, replayed.decided);
    this.#links = new Links(partition, incarnation, kernels, this);
    this.#links.seedIncarnation(COORDINATOR, recovered.generation);
    const mail = {
      run: (message: Message) => this.#admission.post(this.self, message, this.#now),
      commit: (writes: readonly Write[]) => this.#commitWrites(writes),
    };
    this.#mail = new Mail(this, mail, this.#layers.committed);
    this.transactions = new Transactions(app, this.#layers, history, this);
    this.#admission = new Admission(setup, {
      results: this.#results,
      tickets: this.#tickets,
      start: (root) => this.#start(root),
      posted: (to, requestId, done) => this.#mail.ran(to, requestId, done),
      roomForMessages: () => this.hasRoomForMessages,
      congested: () => this.isCongested,
    });
    this.#epochs = new EpochWork(
      {
        kernels,
        self: partition,
        incarnation,
        layers: this.#layers,
        history,
        results: this.#results,
        admission: this.#admission,
        transactions: this.transactions,
        now: () => this.#now,
        emit: (effect) => this.emit(effect),
        report: (message) => this.#report(message),
        finish: (to, message) => this.send(to, message),
        incarnationOf: (peer) => this.#links.incarnationOf(peer),
        wantDispatch: () => this.#links.wantDispatch(),
        writeEpoch: (contents, epoch) => this.#writeEpoch(contents, epoch),
        posted: (writes) => this.#mail.committed(writes),
        resume: () => this.#resume(),
        decidedMoved: () => this.#wantFold(),
      },
      { generation: recovered.generation, replayed },
    );
    this.#folder = new Folder(
      kernels,
      this.#layers.committed,
      this.#results,
      this.#flows,
      { folded: recovered.folded, sizes: replayed.sizes },
      {
        firstUndecidedSeq: () => this.#epochs.participation.firstUndecidedSeq,
        decided: () => this.#epochs.participation.decided,
      },
    );
    // What was found may be so much that nothing new is admitted: then no write would ever ask for this.
    this.#wantFold();
  }

  /** Handles one input at time `now` (ms since 1970). Effects are to be performed in order. */
  step(input: Input, now: number): Effect[] {
    this.#now = now;
    switch (input.kind) {
      case "start":
        this.#epochs.participation.start();
        break;
      case "invoke":
      case "ingest":
      case "view":
        if (this.#isUp) this.#request(input);
        else this.#hold(input);
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
      case "deliver":
        if (this.#links.deliver(input.ticket, input.bytes) !== "answered") {
          this.emit({ kind: "undelivered", ticket: input.ticket });
        }
        break;
      case "sent":
        this.#links.sent(input.to, input.batch, input.incarnation, now);
        break;
      case "dispatch":
        this.#epochs.participation.turnEnds();
        this.#links.dispatch(now);
        break;
      case "wake":
        this.#wake();
        break;
      case "alarm":
        this.#mail.alarm(this.#isPending);
        break;
    }
    return this.takeEffects();
  }

  /** Effects of what was called directly: `transactions.call`. */
  takeEffects(): Effect[] {
    if (this.#isUp) this.#admission.startWaiting();
    if (!this.#flushWanted && this.#wantsFlush) {
      this.#flushWanted = true;
      this.#effects.push({ kind: "want-flush" });
    }
    if (!this.#wakeWanted && this.#isPending) {
      this.#wakeWanted = true;
      this.#effects.push({ kind: "wake", inMs: LIMITS.tickMs });
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  get #isUp(): boolean {
    return this.#epochs.participation.phase === "up";
  }

  get #wantsFlush(): boolean {
    return this.#tickets.hasDone || this.#views.length > 0 || this.#hasUnlogged() || this.#mail.wantsFlush(this.#isUp);
  }

  /** Something here must go on even if nothing comes from outside. */
  get #isPending(): boolean {
    const { participation } = this.#epochs;
    return (
      !this.#isUp ||
      this.transactions.load.attempts > 0 ||
      participation.isMember ||
      participation.undecided > 0 ||
      this.#links.outstanding ||
      this.#mail.size > 0
    );
  }

  #wake(): void {
    this.#wakeWanted = false;
    this.#links.tick(this.#now);
    if (!this.#isUp) return;
    this.transactions.expire(this.#now - (this.#setup.app.transactionDeadlineMs ?? LIMITS.transactionMs));
    this.#epochs.forgetEnded();
    this.transactions.remote.probe(this.#now);
    this.#mail.tick();
    this.#epochs.participation.leaveIfIdle();
  }

  #request(input: HeldInput): void {
    if (input.kind === "invoke") this.#admission.invoke(input.ticket, input.frame, this.#now);
    else if (input.kind === "ingest") this.#ingest(input.ticket, input.frame);
    else this.#views.push({ ticket: input.ticket, query: input.query });
  }

  /** @throws CorruptError for a damaged frame, which is not held */
  #hold(input: HeldInput): void {
    if (input.kind !== "view") this.#setup.kernels.unpack(input.kind === "invoke" ? INVOKE : INGEST, input.frame);
    const bytes = HELD_OVERHEAD + (input.kind === "view" ? 0 : input.frame.length);
    if (this.#heldBytes + bytes > LIMITS.maxHeldBytes) return this.#refuseHeld(input);
    this.#heldBytes += bytes;
    this.#held.push(input);
  }

  #refuseHeld(input: HeldInput): void {
    if (input.kind === "invoke") this.#admission.refuse(input.ticket, input.frame);
    else if (input.kind === "ingest") this.#admission.refuseIngest(input.ticket);
    else {
      const body = { ...problemAnswer("overloaded", "this partition is starting"), epoch: showEpoch(this.clock) };
      this.emit({ kind: "reply", ticket: input.ticket, body });
    }
  }

  /** Whoever sent it hears of no error any more; and others wait behind it. */
  #requestHeld(input: HeldInput): void {
    try {
      this.#request(input);
    } catch (error) {
      if (!(error instanceof CorruptError) || input.kind !== "ingest") throw error;
      this.emit({ kind: "report", level: "error", message: "refused a frame that had waited", error });
      this.#admission.refuseIngest(input.ticket);
    }
  }

  #resume(): void {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const input of held) this.#requestHeld(input);
    this.#mail.restart();
    this.#links.drain();
  }

  get now(): number {
    return this.#now;
  }
  get self(): Peer {
    return this.#setup.partition;
  }
  get incarnation(): number {
    return this.#setup.incarnation;
  }
  get clock(): Epoch {
    return this.#epochs.participation.clock;
  }
  get decided(): Epoch {
    return this.#epochs.participation.decided;
  }
  get hasRoomForMessages(): boolean {
    return !this.#mail.isFull;
  }
  get isCongested(): boolean {
    return (
      this.#folder.unfoldedBytes > LIMITS.maxUnfoldedBytes ||
      this.#layers.units > LIMITS.maxUndecidedUnits ||
      this.#links.congested
    );
  }
  get boundary(): Epoch | undefined {
    return this.#epochs.boundary;
  }

  emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  see(epoch: Epoch): void {
    this.#epochs.participation.see(epoch);
  }

  learn(epoch: Epoch): void {
    this.#epochs.participation.learn(epoch);
  }

  readAsOf(epoch: Epoch): void {
    this.learn(epoch);
    this.see(epoch + 1);
  }

  touch(): void {
    this.#setup.reader.touch();
  }

  reaching(): void {
    this.#epochs.participation.join();
  }

  incarnationOf(peer: Peer): number {
    return this.#links.incarnationOf(peer);
  }

  partitionOf(key: string): Peer {
    return partitionOfHash(this.#setup.map, this.#setup.kernels.hashKey(key));
  }

  nextMessageId(): string {
    return this.#mail.nextId();
  }

  send(to: Peer, message: PartitionMessage): void {
    this.#links.send(to, message, this.#epochs.participation.era);
  }

  #report(message: ReportMessage): void {
    this.#links.send(COORDINATOR, message, this.#epochs.participation.era);
  }

  /** Messages of a later era wait until this partition has entered that; while it is not up it handles none of another partition. */
  ready(from: Peer, _message: PeerMessage, era: Epoch): boolean {
    return from === COORDINATOR || (this.#isUp && era <= this.#epochs.participation.era);
  }

  receive(from: Peer, message: PeerMessage, era: Epoch): void {
    if (from === COORDINATOR) this.#epochs.participation.order(message as OrderMessage);
    // What an earlier era began died with it.
    else if (era === this.#epochs.participation.era) this.#receive(from, message as PartitionMessage);
  }

  #receive(from: Peer, message: PartitionMessage): void {
    switch (message.kind) {
      case "finish":
        return this.#epochs.finished(from, message);
      case "post":
        return this.#admission.post(from, message, this.#now);
      case "posted":
        return this.#mail.posted(message);
      case "ping":
        return;
      default:
        this.transactions.remote.receive(from, message);
    }
  }

  peerRestarted(peer: Peer, incarnation: number): void {
    if (peer !== COORDINATOR) {
      this.#mail.restart();
      this.transactions.remote.peerRestarted(peer, incarnation);
    } else if (this.#epochs.participation.phase === "starting") this.#epochs.participation.start();
  }

  #start(root: Root): void {
    if (root.oneWay) this.#accept(root);
    else this.transactions.start(root);
  }

  /** Keeps a message that was sent from outside; its transaction comes later. */
  #accept(root: Root): void {
    const body = JSON.stringify({ id: this.#mail.accept(root) });
    this.#record(root, ACCEPTED_STATUS, body);
    this.#admission.done(root, ACCEPTED_STATUS, 0, body);
  }

  /** Commits changes of this partition's own. */
  #commitWrites(writes: readonly Write[]): void {
    this.#layers.commit(writes, this.#journal.seq, this.clock);
    this.#journal.addWrites(writes);
    this.#mail.committed(writes);
  }

  committed(root: Root, writes: readonly Write[], value: unknown): void {
    const body = this.#resultOf(root, value);
    if (typeof body !== "string") return this.failed(root, body);
    this.#commitWrites(writes);
    if (root.target.contract.kind === "fn" || root.clientId) this.#record(root, 200, body);
    this.#admission.done(root, 200, 0, body);
  }

  finishing(attempt: Attempt, outcome: Outcome, writes: readonly Write[]): void {
    const root = attempt.root as Root;
    const body = outcome.ok ? this.#resultOf(root, outcome.value) : outcome.failure;
    if (typeof body === "string") {
      const recorded = root.target.contract.kind === "fn" || root.clientId;
      this.#epochs.finishing({ attempt, status: 200, body, recorded, drop: false, writes });
      return;
    }
    const { failure, answer } = this.#shown(root, body);
    const recorded = failure.kind === "refusal";
    this.#epochs.finishing({ attempt, ...answer, recorded, drop: true, writes: [] });
  }

  /** The body of the answer, or why there can be none: then nothing is committed. */
  #resultOf(root: Root, value: unknown): string | Failure {
    // Nobody is told what a message's function returned.
    if (root.poster !== null) return "null";
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
    const { failure, answer } = this.#shown(root, cause);
    const { status, body } = answer;
    // A refusal shows what was read, so it is an answer like any other: recorded, and the same for every retry.
    if (failure.kind === "refusal") this.#record(root, status, body);
    this.#admission.done(root, status, 0, body);
  }

  #shown(root: Root, cause: Failure): ReturnType<typeof shownFailure> {
    const shown = shownFailure(cause);
    const { kind } = shown.failure;
    // Of what a message comes to nobody is told, so the log is.
    if (kind === "thrown" || (kind === "engine" && root.poster !== null)) {
      const { service, name, key } = root.target;
      const message = `${service.contract.name}.${name} on ${JSON.stringify(key)} failed`;
      this.emit({ kind: "report", level: "error", message, error: shown.failure.error });
    }
    return shown;
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
    this.#mail.release();
    const epoch = showEpoch(this.clock);
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
    const record = this.#journal.take(this.#setup.kernels, this.#now, flows.deltas, this.decided);
    const ops = recordOps(record);
    ops.push(...flows.ops);
    this.emit({ kind: "persist", ops });
    this.#folder.written(record.seq, record.bytes.length);
    this.#wantFold();
  }

  #writeEpoch(
    contents: ReadonlyArray<{ writes: readonly Write[]; results: readonly StoredResult[] }>,
    epoch: Pick<UndecidedRecord, "epoch" | "parts">,
  ): { firstSeq: number; lastSeq: number } {
    this.#log();
    const firstSeq = this.#journal.seq;
    const ops: StorageOp[] = [];
    for (const content of contents) {
      this.#mail.undecided(content.writes);
      const record = this.#journal.takeEpoch(this.#setup.kernels, this.#now, { ...content, epoch }, this.decided);
      ops.push(...recordOps(record));
      this.#folder.written(record.seq, record.bytes.length);
    }
    ops.push(markPrepared(epoch));
    this.emit({ kind: "persist", ops });
    this.#wantFold();
    return { firstSeq, lastSeq: this.#journal.seq - 1 };
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
    const { participation } = this.#epochs;
    const { committed } = this.#layers;
    return {
      phase: participation.phase,
      waiting: this.#tickets.waiting,
      ...this.transactions.load,
      undecided: participation.undecided,
      unacknowledged: this.#links.unacknowledged,
      held: this.#links.held + this.#held.length,
      outbox: this.#mail.size,
      member: participation.isMember,
      clock: participation.clock,
      decided: participation.decided,
      era: participation.era,
      unfoldedBytes: this.#folder.unfoldedBytes,
      unfoldedKeys: committed.unfoldedKeys,
      cachedBytes: committed.cachedBytes,
      seq: this.#journal.seq - 1,
    };
  }
}

function recordOps({ seq, bytes }: { seq: number; bytes: Uint8Array }): StorageOp[] {
  return cut(bytes, LIMITS.maxPartBytes).map((part, index) => ({ op: "record", seq, part: index, bytes: part }));
}
