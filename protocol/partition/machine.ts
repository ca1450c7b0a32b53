/** A partition: keeps the state of its key groups, runs transactions on it, takes part in epochs, logs in records, folds records into state. Sans-I/O. */
import { nextTime } from "../clock.ts";
import { showEpoch } from "../epochs/epoch.ts";
import { withInternal } from "../flows/internal.ts";
import { flowServices } from "../flows/services.ts";
import { LIMITS } from "../limits.ts";
import type { Formats } from "../link/formats.ts";
import { Links } from "../link/links.ts";
import type { LinkOwner } from "../link/owner.ts";
import type { Moves } from "../moves/moves.ts";
import { Ownership } from "../moves/ownership.ts";
import { Results } from "../results/results.ts";
import { History } from "../state/history.ts";
import { Layers } from "../state/layers.ts";
import { Blocks } from "../state/blocks/blocks.ts";
import { reportDamage } from "../state/blocks/damage.ts";
import { StateStore, type Write } from "../state/store.ts";
import type { Attempt, Outcome, Target } from "../transaction/attempt.ts";
import type { Failure } from "../transaction/failure.ts";
import { Transactions } from "../transaction/transactions.ts";
import type { TransactionOwner } from "../transaction/owner.ts";
import { ACCEPTED_STATUS } from "../wire/answer.ts";
import {
  COORDINATOR,
  type Epoch,
  type OrderMessage,
  type PartitionMessage,
  type Peer,
  isMove,
  type PeerMessage,
  type ReportMessage,
  type TransactionalMessage,
} from "../wire/messages.ts";
import { Admission, type Posted } from "./admission.ts";
import type { Effect, Input } from "./effects.ts";
import { EpochWork } from "./epoch-work.ts";
import { Flows } from "./flows.ts";
import { takeBatch, takeEmitted } from "./ingest.ts";
import { HeldRequests, refuseInput, type RequestInput } from "./held.ts";
import { Log, type LogParts } from "./log.ts";
import { Mail } from "./mail.ts";
import { Maintenance } from "./maintenance.ts";
import { movesOf } from "./moving.ts";
import { Probe } from "./probe.ts";
import { shownAnswer } from "./problems.ts";
import { receiveMessage } from "./receive.ts";
import { replay } from "./recovery.ts";
import { resultOf } from "./result-body.ts";
import { Room } from "./room.ts";
import { keepsFailure, keepsResult, keptBody, type Root } from "./root.ts";
import type { PartitionCounters, PartitionSetup, PartitionStatus } from "./setup.ts";
import { countersOf, isPending, type MachineParts, statusOf } from "./status.ts";
import { Tickets } from "./tickets.ts";
import { type AskedView, answerViews } from "./views.ts";

export class PartitionMachine implements TransactionOwner, LinkOwner {
  readonly #setup: PartitionSetup;
  readonly #layers: Layers;
  readonly #results: Results;
  readonly #log: Log;
  readonly #flows: Flows;
  readonly #tickets = new Tickets();
  readonly #admission: Admission;
  readonly #links: Links;
  readonly #epochs: EpochWork;
  readonly #ownership: Ownership;
  readonly #moves: Moves;
  readonly #maintenance: Maintenance;
  readonly #parts: MachineParts;
  readonly self: Peer;
  readonly incarnation: number;
  readonly formats: Formats;
  readonly mail: Mail;
  readonly transactions: Transactions;
  readonly room: Room;
  #effects: Effect[] = [];
  #views: AskedView[] = [];
  readonly #held: HeldRequests;
  #flushWanted = false;
  #wakeWanted = false;
  /** What leaves with the next flush or dispatch shows what was only read: the answer to a write shows a record, which no instance could unmake. */
  #shows = false;
  readonly #probe = new Probe();
  #now = 0;

  /** @throws CorruptError when what storage holds is damaged; the partition must then not serve. */
  constructor(setup: PartitionSetup) {
    const { kernels, reader, recovered, partition, incarnation } = setup;
    const app = withInternal(setup.app, flowServices(setup.app, kernels));
    this.#setup = setup;
    this.self = partition;
    this.incarnation = incarnation;
    this.#ownership = new Ownership(kernels, partition, setup.map);
    const history = new History();
    const blocks = new Blocks(kernels, reader, recovered.blocks, (error) => this.emit(reportDamage(error)));
    this.#layers = new Layers(new StateStore(blocks, LIMITS.cacheBytes), history);
    this.#results = new Results(blocks, app.resultRetentionMs);
    this.#flows = new Flows(setup.app, kernels);
    const replayed = replay(kernels, recovered, { layers: this.#layers, results: this.#results, flows: this.#flows });
    this.#held = new HeldRequests(kernels);
    this.#log = new Log(this.#logParts(blocks), recovered.folded, replayed);
    this.#links = new Links(partition, incarnation, kernels, this, setup.reads);
    this.formats = this.#links.formats;
    this.#links.seedIncarnation(COORDINATOR, recovered.generation);
    const mail = {
      nonce: setup.nonce,
      run: (message: Posted) => this.#admission.post(this.self, message, this.#now),
      begin: (target: Target, input: string) => this.#admission.begin(target, this.#now, input),
      keeps: (key: string) => this.#ownership.isHere(key),
      commit: (writes: readonly Write[]) => this.#commitWrites(writes),
      settle: (requestIds: readonly string[]) => this.settle(requestIds),
    };
    this.mail = new Mail(app, this, mail, this.#layers.committed);
    this.transactions = new Transactions(app, this.#layers, history, this);
    this.#admission = new Admission(setup, {
      ownership: this.#ownership,
      results: this.#results,
      tickets: this.#tickets,
      posted: (to, requestId, ending) => this.mail.ran(to, requestId, ending),
      record: (id, status, body) => this.#log.addResult(id, status, body),
      whole: app,
      start: (root) => this.#startRoot(root),
      room: () => this.room,
    });
    this.#epochs = new EpochWork(
      {
        kernels,
        self: partition,
        incarnation,
        formats: this.formats,
        layers: this.#layers,
        history,
        results: this.#results,
        admission: this.#admission,
        transactions: this.transactions,
        now: () => this.#now,
        emit: (effect) => this.emit(effect),
        report: (message) => this.report(message),
        send: (to, message) => this.send(to, message),
        incarnationOf: (peer) => this.#links.incarnationOf(peer),
        wantDispatch: () => this.#links.wantDispatch(),
        writeEpoch: (contents, epoch) => this.#log.writeEpoch(contents, epoch),
        posted: (writes) => this.#noteCommit(writes),
        mapped: (era) => this.#moves.told(era),
        drain: () => this.#links.drain(),
        resume: () => this.#resume(),
        decidedMoved: () => this.#log.wantFold(),
      },
      { generation: recovered.generation, replayed },
    );
    this.#parts = this.#gather(blocks, history);
    this.room = new Room(this.#parts);
    this.#moves = movesOf(setup, this, this.#parts);
    this.#maintenance = new Maintenance(setup, this.#parts, this.#moves, this);
    // What was found may be so much that nothing new is admitted: then no write would ever ask for this.
    this.#log.wantFold();
  }

  #logParts(blocks: Blocks): LogParts {
    return {
      setup: this.#setup,
      blocks,
      committed: this.#layers.committed,
      results: this.#results,
      flows: this.#flows,
      participation: () => this.#epochs.participation,
      now: () => this.#now,
      emit: (effect) => this.emit(effect),
      holdsFold: () => this.#maintenance.holdsFold(),
      undecided: (writes) => this.mail.undecided(writes),
    };
  }

  #gather(blocks: Blocks, history: History): MachineParts {
    return {
      blocks,
      history,
      ownership: this.#ownership,
      layers: this.#layers,
      results: this.#results,
      flows: this.#flows,
      log: this.#log,
      mail: this.mail,
      admission: this.#admission,
      tickets: this.#tickets,
      transactions: this.transactions,
      epochs: this.#epochs,
      links: this.#links,
      held: this.#held,
    };
  }

  /** Handles one input at time `now` (ms since 1970). Effects are to be performed in order. @throws ClockSetBack, which changes nothing */
  step(input: Input, now: number): Effect[] {
    this.#now = nextTime(this.#now, now);
    switch (input.kind) {
      case "start":
        this.#epochs.participation.start();
        break;
      case "invoke":
      case "ingest":
      case "view":
        if (this.#isUp) this.#request(input);
        else if (this.#maintenance.isRestoring || !this.#held.hold(input)) refuseInput(input, this.#admission, this);
        break;
      case "admin":
        this.#maintenance.ask(input.ticket, input.ask);
        break;
      case "returned":
        this.transactions.returned(input.activation, input.outcome);
        break;
      case "outside-ended":
        this.mail.outsideEnded(input.id, input.end);
        break;
      case "flush":
        this.#flush();
        break;
      case "fold":
        if (!this.#maintenance.startsOver) this.#log.fold();
        break;
      case "deliver":
        if (this.#links.deliver(input.ticket, input.bytes) === "answered") break;
        this.emit({ kind: "undelivered", ticket: input.ticket });
        break;
      case "sent":
        this.#links.sent(input.to, input.batch, input.incarnation, now);
        break;
      case "dispatch":
        this.#epochs.participation.turnEnds();
        if (this.#shows) this.#makeDurable();
        if (this.mail.handsOver) this.#setup.reader.touch();
        this.#links.dispatch(now);
        if (this.#epochs.participation.hasOrdered) this.#links.wantDispatch();
        break;
      case "work":
        this.#moves.work();
        break;
      case "wake":
        this.#wake();
        break;
      case "alarm":
        this.mail.alarm(this.#isPending);
        break;
    }
    return this.takeEffects();
  }

  /** Effects of what was called directly: `transactions.call`. */
  takeEffects(): Effect[] {
    // Made durable before, by records of epochs: a flush would only be a step of the event loop later.
    const isDurable = !this.#shows && !this.#log.hasUnlogged && this.#views.length === 0;
    if (isDurable && this.#tickets.hasDone) this.#answer([]);
    if (this.#isUp && !this.#maintenance.isFrozen) {
      this.mail.fire();
      this.#admission.startWaiting();
    }
    if (!this.#log.hasUnlogged) this.mail.arm();
    if (!this.#flushWanted && this.#wantsFlush) {
      this.#flushWanted = true;
      this.#effects.push({ kind: "want-flush" });
    }
    if (!this.#wakeWanted && this.#isPending) {
      this.#wakeWanted = true;
      this.#effects.push({ kind: "wake", inMs: this.mail.tickMs });
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  get #isUp(): boolean {
    return this.#epochs.participation.phase === "up" && !this.#maintenance.isRestoring;
  }

  get #wantsFlush(): boolean {
    return this.#tickets.hasDone || this.#views.length > 0 || this.#log.hasUnlogged || this.mail.wantsFlush(this.#isUp);
  }

  /** What is stored must not change by a move: it is being read, or is about to be. */
  get holdsMoves(): boolean {
    return this.#maintenance.isPending;
  }

  /** It knows its era and its map, if it serves or not. */
  get isPlaced(): boolean {
    return this.#isUp || this.#epochs.participation.phase === "moving";
  }

  /** Something here must go on even if nothing comes from outside. */
  get #isPending(): boolean {
    return isPending(this.#parts) || this.#maintenance.isPending || this.#moves.isActive;
  }

  #wake(): void {
    this.#wakeWanted = false;
    this.#links.tick(this.#now);
    this.#maintenance.tick();
    if (this.#probe.isDue(this.#epochs.participation, this.#now)) this.#epochs.participation.probe();
    this.#moves.tick();
    if (!this.#isUp) return;
    this.transactions.expire(this.#now - (this.#setup.app.transactionDeadlineMs ?? LIMITS.transactionMs));
    this.#epochs.forgetEnded();
    this.transactions.remote.probe(this.#now);
    this.mail.tick();
    this.#epochs.participation.leaveIfIdle();
  }

  #request(input: RequestInput): void {
    if (input.kind === "invoke") this.#admission.invoke(input.ticket, input.frame, this.#now);
    else if (input.kind === "view") this.#views.push({ ticket: input.ticket, query: input.query });
    // A batch is committed at once: while nothing may be, it waits.
    else if (!this.#maintenance.isFrozen) takeBatch(this.#parts, input, this.#now, (made) => this.#commitWrites(made));
    else if (!this.#held.hold(input)) refuseInput(input, this.#admission, this);
  }

  #startRoot(root: Root): void {
    if (root.oneWay) return this.#accept(root);
    const how = { now: this.#now, commit: (writes: readonly Write[]) => this.#commitWrites(writes) };
    if (!takeEmitted(this.#parts, this.#setup, root, how)) this.transactions.start(root);
  }

  /** What waited goes on, unless it must wait further. */
  goOn(): void {
    if (this.#isUp) this.#held.release((input) => this.#request(input), this.#admission, this);
  }

  #resume(): void {
    this.goOn();
    this.mail.restart();
    this.#links.drain();
  }

  get now(): number {
    return this.#now;
  }
  get clock(): Epoch {
    return this.#epochs.participation.clock;
  }
  /** How far it is, without the figures of {@link status}. */
  get participation(): Pick<EpochWork["participation"], "phase" | "undecided"> {
    return this.#epochs.participation;
  }
  get decided(): Epoch {
    return this.#epochs.participation.decided;
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

  show(): void {
    this.#shows = true;
  }

  reaching(): void {
    this.#epochs.participation.join();
  }

  incarnationOf(peer: Peer): number {
    return this.#links.incarnationOf(peer);
  }

  partitionOf(key: string): Peer {
    return this.#ownership.partitionOf(key);
  }

  send(to: Peer, message: PartitionMessage): void {
    this.#links.send(to, message, this.#epochs.participation.era);
  }

  report(message: ReportMessage): void {
    this.#links.send(COORDINATOR, message, this.#epochs.participation.era);
  }

  /** Messages of a later era wait until this partition has entered that; while it is not up it handles none of another partition. */
  ready(from: Peer, message: PeerMessage, era: Epoch): boolean {
    if (from === COORDINATOR) return true;
    return isMove(message) ? this.#moves.ready(message) : this.isPlaced && era <= this.#epochs.participation.era;
  }

  receive(from: Peer, message: PeerMessage, era: Epoch): void {
    if (from === COORDINATOR) this.#epochs.participation.order(message as OrderMessage);
    // What is moved outlives eras; anything else that an earlier era began died with it.
    else if (isMove(message)) this.#moves.receive(from, message);
    else if (this.#isUp && era === this.#epochs.participation.era)
      receiveMessage(this.#parts, this, from, message as TransactionalMessage);
  }

  settle(requestIds: readonly string[]): void {
    // While the domain stands still for a backup, who forgot them may have been pinned with them: this partition must be pinned with their results.
    if (!this.#maintenance.isFrozen) this.#results.settle(requestIds);
  }

  peerRestarted(peer: Peer, incarnation: number): void {
    if (peer === COORDINATOR) return this.#epochs.participation.coordinatorRestarted();
    this.#moves.peerRestarted(peer);
    this.mail.peerLost(peer);
    this.transactions.remote.peerRestarted(peer, incarnation);
    this.#epochs.participation.peerRestarted(peer);
  }

  /** Keeps a message that was sent from outside; its transaction comes later. */
  #accept(root: Root): void {
    const body = JSON.stringify({ id: this.mail.accept(root) });
    this.#log.addResult(root, ACCEPTED_STATUS, body);
    this.#admission.done(root, ACCEPTED_STATUS, 0, body);
  }

  /** Commits changes of this partition's own. */
  #commitWrites(writes: readonly Write[]): void {
    this.#log.makeRoom(writes);
    this.#layers.commit(writes, this.#log.seq, this.clock);
    this.#log.addWrites(writes);
    this.#noteCommit(writes);
  }

  #noteCommit(writes: readonly Write[]): void {
    this.mail.committed(writes);
    this.#maintenance.committed(writes);
    this.#moves.changed(writes);
  }

  committed(root: Root, writes: readonly Write[], value: unknown): void {
    const body = resultOf(root, this.#tickets, value);
    if (typeof body !== "string") return this.failed(root, body);
    if (writes.length === 0) this.show();
    this.#commitWrites(writes);
    if (keepsResult(root)) this.#log.addResult(root, 200, keptBody(root, 200, body));
    this.#admission.done(root, 200, 0, body);
  }

  finishing(attempt: Attempt, outcome: Outcome, writes: readonly Write[]): void {
    const root = attempt.root as Root;
    const body = outcome.ok ? resultOf(root, this.#tickets, outcome.value) : outcome.failure;
    if (typeof body === "string")
      return this.#epochs.finishing({ attempt, status: 200, body, recorded: keepsResult(root), drop: false, writes });
    const { failure, answer } = shownAnswer(root, this, body);
    const recorded = keepsFailure(root, failure, answer.status);
    this.#epochs.finishing({ attempt, ...answer, recorded, drop: true, writes: [] });
  }

  failed(root: Root, cause: Failure): void {
    this.show();
    const { failure, answer } = shownAnswer(root, this, cause);
    const { status, body } = answer;
    // A refusal shows what was read, so it is an answer like any other: recorded, and the same for every retry.
    if (keepsFailure(root, failure, status)) this.#log.addResult(root, status, keptBody(root, status, body));
    this.#admission.done(root, status, 0, body);
  }

  /** All that is committed, before anything leaves that shows it. With nothing to write, a look at storage fails in an instance that has been replaced. */
  #makeDurable(): void {
    if (!this.#log.write() && this.#shows) this.#setup.reader.touch();
    this.#shows = false;
  }

  /** Makes what is ready durable, then answers what is complete: in this order (invariant 3). */
  #flush(): void {
    this.#flushWanted = false;
    if (this.#views.length > 0) this.show();
    // Before windows that have ended go to storage, which has them only when this turn is over.
    const views = answerViews(this.#setup, this.#parts, this.#views.splice(0), this);
    this.#makeDurable();
    // In an era in which nothing runs nothing may be delivered either: that is a change.
    if (this.#isUp) this.mail.release();
    this.#answer(views);
  }

  #answer(views: ReturnType<typeof answerViews>): void {
    const epoch = showEpoch(this.clock);
    const answers = this.#tickets.takeDone(this.#setup.kernels, epoch);
    for (const { ticket, body } of answers) this.emit({ kind: "reply", ticket, body });
    for (const { ticket, body } of views) this.emit({ kind: "reply", ticket, body: { ...body, epoch } });
  }

  /** Figures for tests and metrics. */
  get status(): PartitionStatus {
    return statusOf(this.#parts, this.#moves);
  }
  get counters(): PartitionCounters {
    return countersOf(this.#parts, this.#moves);
  }
}
