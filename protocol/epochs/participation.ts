/** A partition's part in epochs: membership, prepare, decisions, eras (docs/protocol.md, "Membership and close" to "Restart of the coordinator"). */
import { invariant } from "../assert.ts";
import {
  COORDINATOR,
  type DecideMessage,
  type Epoch,
  type OrderMessage,
  type Peer,
  type PingMessage,
  type PreparedMessage,
  type PrepareMessage,
  type RefuseMessage,
  type ReportMessage,
} from "../wire/messages.ts";
import { LIMITS } from "../limits.ts";
import { Decision } from "./decision.ts";
import { epochOf, inRanges, showEpoch } from "./epoch.ts";
import {
  countFinish,
  countReceived,
  type EpochSet,
  isComplete,
  newEpochSet,
  type UndecidedRecord,
} from "./epoch-set.ts";

/** What a sole member and its participants say to each other. */
export type EpochMessage = PrepareMessage | PreparedMessage | RefuseMessage | DecideMessage | PingMessage;

export interface EpochOwner {
  readonly incarnation: number;
  readonly self: Peer;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The highest version of batches that this instance reads. */
  readonly reads: number;
  /** Everybody reads batches of this version. */
  agreed(format: number): void;
  /** Sends to the coordinator, in the present era. */
  report(message: ReportMessage): void;
  /** Sends to another partition, in the present era and behind the finishes. */
  tell(to: Peer, message: EpochMessage): void;
  /** Whether a peer's code knows of sole members. */
  knowsSole(peer: Peer): boolean;
  /** Roots here run, or wait for an epoch. */
  readonly isBusy: boolean;
  /** Transactions wait for an epoch. */
  readonly hasFinishing: boolean;
  /** Gives the epoch to all that wait for one. */
  tagFinishing(epoch: Epoch): void;
  /** Writes the epoch's record, in this turn. */
  writeRecord(set: EpochSet): UndecidedRecord;
  /** The record's epoch is committed: its writes and results become known, its answers leave. */
  committed(record: UndecidedRecord): void;
  /** The record's epoch is aborted: it is replaced by an empty one. */
  aborted(record: UndecidedRecord): void;
  /** Drops everything that runs, and what is in these unprepared epochs; nobody needs to be told. */
  reset(unprepared: Iterable<EpochSet>): void;
  /** What an era says of the key-group map. */
  mapped(era: Extract<OrderMessage, { kind: "era" }>): void;
  /** Messages that could not be handled may be now. */
  drain(): void;
  /** It may serve: roots begin again, held requests and messages go on. */
  resume(): void;
  persistGeneration(generation: number): void;
  /** Newest epoch that may be shown to a snapshot has changed. */
  decidedMoved(decided: Epoch): void;
}

export class Participation {
  readonly #owner: EpochOwner;
  /** `starting`: waits for its first era. `fenced`: a new coordinator recovers. `moving`: nothing runs while key groups move. Only `up` serves. */
  phase: "starting" | "fenced" | "moving" | "up" = "starting";
  #generation: number;
  /** First epoch of the present era. */
  era: Epoch = 0;
  /** Highest epoch seen. */
  clock: Epoch = 0;
  /** Highest epoch known to be committed. */
  decided: Epoch;
  /** The epoch that transactions here may be given; 0 for none. */
  #member: Epoch = 0;
  /** No other is a member of that epoch: this is the last committed one. */
  #sole: Epoch | null = null;
  /** Of the epoch that it has ordered the others to prepare, and decides. */
  #decision: Decision | null = null;
  #joining = false;
  readonly #sets = new Map<Epoch, EpochSet>();
  /** Ascending by epoch. */
  #records: UndecidedRecord[];

  constructor(owner: EpochOwner, found: { generation: number; decided: Epoch; records: readonly UndecidedRecord[] }) {
    this.#owner = owner;
    this.#generation = found.generation;
    this.decided = found.decided;
    this.#records = [...found.records].sort((a, b) => a.epoch - b.epoch);
    invariant(
      this.#records.every((record) => record.epoch > this.decided),
      "1: a record that is known to be committed is taken for undecided",
    );
  }

  start(): void {
    const recorded = this.#records.at(-1)?.epoch ?? this.decided;
    this.#owner.report({ kind: "hello", reads: this.#owner.reads, recorded });
  }

  get generation(): number {
    return this.#generation;
  }

  get member(): Epoch {
    return this.#member;
  }

  /** Records that are not decided, and unprepared epochs with something in them. */
  get undecided(): number {
    return this.#records.length + [...this.#sets.values()].filter((set) => !isEmpty(set)).length;
  }

  /** Place in the log of the first record that must not be folded; undefined when there is none. */
  get firstUndecidedSeq(): number | undefined {
    return this.#records[0]?.firstSeq;
  }

  get records(): readonly UndecidedRecord[] {
    return this.#records;
  }

  order(message: OrderMessage): void {
    switch (message.kind) {
      case "recover":
        return this.#onRecover(message.generation);
      case "era":
        return this.#onEra(message);
      case "joined":
        return this.#onJoined(message);
      case "close":
        return this.#onClose(message.epoch);
      case "prepare":
        return this.prepare(COORDINATOR, message);
      case "decide":
        return this.learn(message.epoch);
      case "ping":
    }
  }

  /** The coordinator's order, or within an era that of the epoch's sole member. */
  prepare(from: Peer, order: PrepareMessage): void {
    this.learn(order.previous);
    const { epoch, parts } = order;
    const decider = order.decides ? from : COORDINATOR;
    if (parts.get(this.#owner.self) !== this.#owner.incarnation) return this.#say(decider, { kind: "refuse", epoch });
    const set = this.#set(epoch);
    set.prepare = order;
    set.decider = decider;
    this.#checkPrepare(epoch);
  }

  #say(to: Peer, message: PreparedMessage | RefuseMessage): void {
    if (to === COORDINATOR) this.#owner.report(message);
    else this.#owner.tell(to, message);
  }

  /** Another partition has seen this epoch. */
  see(epoch: Epoch): void {
    if (epoch > this.clock) this.clock = epoch;
  }

  #set(epoch: Epoch): EpochSet {
    let set = this.#sets.get(epoch);
    if (!set) this.#sets.set(epoch, (set = newEpochSet(epoch)));
    return set;
  }

  /** Becomes a member soon: sent beside a transaction's first message to another partition, this costs no time. */
  join(): void {
    if (this.#member !== 0 || this.#joining || this.phase !== "up") return;
    this.#joining = true;
    this.#owner.report({ kind: "join" });
  }

  #onJoined({ epoch, sole, previous }: Extract<OrderMessage, { kind: "joined" }>): void {
    this.#joining = false;
    this.#member = epoch;
    this.#sole = sole ? previous : null;
    // Its record follows that of this one, which somebody else may have decided.
    this.learn(previous);
    this.see(epoch);
    this.tryTag();
  }

  /** From here this epoch is given to no transaction. */
  #onClose(epoch: Epoch): void {
    if (this.#member === epoch) this.#close(this.#owner.isBusy);
    this.see(epoch + 1);
    this.tryTag();
  }

  /** Counts are cumulative: a later close of the same epoch replaces an earlier. */
  #close(rejoin: boolean): void {
    // With that it became a member of the present one.
    if (this.#decision !== null) this.#tellClosed(this.#decision);
    const epoch = this.#member;
    const { tagged, sent } = this.#set(epoch);
    this.#owner.report({ kind: "closed", epoch, tagged, counts: [...sent.values()], rejoin, ordered: false });
    this.#leave(rejoin);
  }

  #leave(rejoin: boolean): void {
    const epoch = this.#member;
    this.#sole = null;
    this.#member = rejoin ? epoch + 1 : 0;
    if (rejoin) this.see(epoch + 1);
  }

  /**
   * As the sole member it knows all that is in the epoch, and orders it prepared without the coordinator. Its own record comes a step later, so that
   * the order does not wait for that. False where the coordinator is to order and decide it.
   */
  #orderPrepared(set: EpochSet, previous: Epoch): boolean {
    const { self, incarnation, isBusy } = this.#owner;
    const { epoch, tagged } = set;
    const counts = [...set.sent.values()];
    const parts = new Map([[self, incarnation], ...counts.map((count) => [count.peer, count.incarnation] as const)]);
    // What nobody else holds a record of the coordinator is to know: storage may prove damaged.
    if (counts.length === 0) return false;
    if (parts.size <= counts.length || !counts.every(({ peer }) => this.#owner.knowsSole(peer))) return false;
    const order = { kind: "prepare", epoch, decides: true, parts, previous } as const;
    for (const { peer, finishes } of counts) this.#owner.tell(peer, { ...order, expect: new Map([[self, finishes]]) });
    set.prepare = { ...order, expect: new Map() };
    set.decider = self;
    const closed = { kind: "closed", epoch, tagged, counts, rejoin: isBusy, ordered: true } as const;
    this.#decision = new Decision(closed, this.#owner.now);
    this.#leave(isBusy);
    return true;
  }

  /** Gives an epoch to what has finished, unless something later was seen than the epoch this partition is a member of. */
  tryTag(): void {
    if (!this.#owner.hasFinishing || this.phase !== "up") return;
    // The coordinator has opened the later one, and its `close` is on the way.
    if (this.#member !== 0 && this.#member < this.clock) this.#close(true);
    if (this.#member === 0) return this.join();
    invariant(this.#member >= this.clock, "2: the clock is beyond the open epoch");
    this.#owner.tagFinishing(this.#member);
  }

  /** A root's transaction was given its epoch. */
  tagged(epoch: Epoch): EpochSet {
    const set = this.#set(epoch);
    set.tagged += 1;
    return set;
  }

  countSent(set: EpochSet, peer: Peer, incarnation: number): void {
    countFinish(set, peer, incarnation);
  }

  /** A finish has come; its writes are in the epoch's layer. Readers raise the clock too: a later overwriter must not get an earlier epoch. */
  finished(from: Peer, epoch: Epoch): void {
    invariant(epoch > this.decided, "1: a finish for an epoch that is decided");
    countReceived(this.#set(epoch), from);
    this.see(epoch);
    this.#checkPrepare(epoch);
  }

  /** At the end of a turn: says that something waits for the epoch, or closes it at once when nothing else runs here, which saves a round trip. */
  turnEnds(): void {
    if (this.hasOrdered) this.#checkPrepare((this.#decision as Decision).epoch);
    if (this.#member === 0 || this.phase !== "up") return;
    const set = this.#sets.get(this.#member);
    if (!set || set.tagged === 0) return;
    if (this.#sole !== null && this.#orderPrepared(set, this.#sole)) return;
    if (!this.#owner.isBusy) {
      this.#close(false);
      return;
    }
    if (set.wanted) return;
    set.wanted = true;
    this.#owner.report({ kind: "want", epoch: this.#member });
  }

  /** What it ordered is to be recorded here too, at the end of another turn. */
  get hasOrdered(): boolean {
    return this.#decision?.isRecorded === false;
  }

  #tellClosed(decision: Decision): void {
    if (decision.isTold) return;
    decision.isTold = true;
    this.#owner.report(decision.closed);
  }

  /** A participant of the epoch that this partition decides. */
  prepared(from: Peer, epoch: Epoch): void {
    if (this.#decision?.epoch !== epoch) return;
    this.#decision.awaited.delete(from);
    this.#decideIfReady(this.#decision);
  }

  /** All hold the record: so a recovery would find it committed, whatever is lost from here on. */
  #decideIfReady(decision: Decision): void {
    if (!decision.isReady) return;
    const { epoch, participants } = decision;
    this.#tellClosed(decision);
    this.#decision = null;
    this.#owner.report({ kind: "decided", epoch });
    // Who has come back with older code hears of it from the coordinator.
    for (const peer of participants) if (this.#owner.knowsSole(peer)) this.#owner.tell(peer, { kind: "decide", epoch });
    this.learn(epoch);
  }

  refused(epoch: Epoch): void {
    if (this.#decision?.epoch === epoch) this.#leaveUndecided(this.#decision);
  }

  /** With its memory it may have lost what was to be recorded. */
  peerRestarted(peer: Peer): void {
    if (this.#decision?.awaited.has(peer) === true) this.#leaveUndecided(this.#decision);
  }

  /** What this partition would decide is nothing to the new one, which asks for records. */
  coordinatorRestarted(): void {
    this.#sole = null;
    this.#decision = null;
    if (this.phase === "starting") this.start();
  }

  /** From here on it never decides this epoch, so that the coordinator may abort it. */
  #leaveUndecided({ epoch }: Decision): void {
    this.#decision = null;
    this.#owner.report({ kind: "refuse", epoch });
  }

  /** Nobody has spoken for a while: one that is gone would not, and a decision may have been lost with who made it. */
  probe(): void {
    const decision = this.#decision;
    // One that does not answer is to hold up nobody else: whether it is prepared would have to be asked of itself.
    if (decision !== null && this.#owner.now - decision.since > LIMITS.decideMs) this.#leaveUndecided(decision);
    const waiting = this.phase === "up" ? this.#firstUndecided : undefined;
    this.#owner.report(waiting === undefined ? { kind: "ping" } : { kind: "want", epoch: waiting });
    for (const peer of this.#decision?.awaited ?? []) this.#owner.tell(peer, { kind: "ping" });
  }

  get #firstUndecided(): Epoch | undefined {
    const [record] = this.#records;
    if (record !== undefined) return record.epoch;
    const epochs = [...this.#sets.values()].filter((set) => !isEmpty(set)).map(({ epoch }) => epoch);
    return epochs.length === 0 ? undefined : Math.min(...epochs);
  }

  /** A member without work leaves: if it were evicted, the epoch would be aborted. */
  leaveIfIdle(): void {
    if (this.#member !== 0 && this.phase === "up" && !this.#owner.isBusy) this.#close(false);
  }

  /** The coordinator's word is awaited. If it is gone with its memory, nobody else will start it again. */
  get awaitsCoordinator(): boolean {
    return this.phase !== "up" || this.isMember || this.undecided > 0;
  }

  get isMember(): boolean {
    return this.#member !== 0 || this.#joining;
  }

  /** The record waits for every finish of the epoch: they come from other partitions than the order to prepare. */
  #checkPrepare(epoch: Epoch): void {
    const set = this.#sets.get(epoch);
    if (!set || this.phase !== "up" || !isComplete(set)) return;
    const last = this.#records.at(-1)?.epoch ?? this.decided;
    invariant(epoch > last, `1: epoch ${showEpoch(epoch)} is recorded after ${showEpoch(last)}`);
    this.#records.push(this.#owner.writeRecord(set));
    this.#sets.delete(epoch);
    if (set.decider !== this.#owner.self) return this.#say(set.decider, { kind: "prepared", epoch });
    const decision = this.#decision;
    // One that it has given up leaves a record that is never decided here.
    if (decision?.epoch !== epoch) return;
    decision.isRecorded = true;
    this.#decideIfReady(decision);
  }

  /** Every epoch up to this one that has a record here is committed. */
  learn(epoch: Epoch): void {
    if (epoch <= this.decided) return;
    this.decided = epoch;
    while (this.#records.length > 0 && (this.#records[0] as UndecidedRecord).epoch <= epoch) {
      this.#owner.committed(this.#records.shift() as UndecidedRecord);
    }
    for (const set of this.#sets.values()) {
      if (set.epoch > epoch || set.epoch === this.#member) continue;
      invariant(isEmpty(set), `1: epoch ${showEpoch(set.epoch)} is committed without what is here of it`);
      this.#sets.delete(set.epoch);
    }
    this.#owner.decidedMoved(epoch);
  }

  /** A new coordinator: after this write no prepare of an older one can make a record here. */
  #onRecover(generation: number): void {
    invariant(generation >= this.#generation, "7: a replaced coordinator is obeyed");
    this.#generation = generation;
    this.#owner.persistGeneration(generation);
    this.phase = "fenced";
    this.era = epochOf(generation, 0);
    this.#reset();
    const records = this.#records.map(({ epoch, parts }) => ({ epoch, parts }));
    this.#owner.report({
      kind: "report",
      generation,
      decided: this.decided,
      records,
      reads: this.#owner.reads,
      damaged: false,
    });
  }

  #reset(): void {
    this.#owner.reset(this.#sets.values());
    this.#sets.clear();
    this.#member = 0;
    this.#joining = false;
    this.#sole = null;
    this.#decision = null;
  }

  /** Everything below the base is decided for good; what ran begins again. The same era heard twice drops nothing. */
  #onEra(message: Extract<OrderMessage, { kind: "era" }>): void {
    const { generation, base, open, committed, format, aborted, frozen } = message;
    this.#owner.agreed(format);
    if ((this.phase === "up" || this.phase === "moving") && base <= this.era) {
      this.learn(committed);
      this.#owner.mapped(message);
      return this.#owner.drain();
    }
    if (generation > this.#generation) {
      this.#generation = generation;
      this.#owner.persistGeneration(generation);
    }
    this.#reset();
    const gone = this.#records.filter(
      ({ epoch }) => epoch > this.decided && epoch < base && (epoch > committed || inRanges(aborted, epoch)),
    );
    this.#records = this.#records.filter((record) => !gone.includes(record));
    for (const record of gone) this.#owner.aborted(record);
    this.learn(committed);
    this.era = base;
    this.see(open);
    this.phase = frozen ? "moving" : "up";
    this.#owner.mapped(message);
    if (frozen) this.#owner.drain();
    else this.#owner.resume();
  }
}

function isEmpty({ tagged, received }: EpochSet): boolean {
  return tagged === 0 && received.size === 0;
}
