/** The life of epochs in one generation: opened, closed when something waits for them, prepared, and committed or aborted. */
import { invariant } from "../assert.ts";
import { epochOf } from "../epochs/epoch.ts";
import { LIMITS } from "../limits.ts";
import { EpochCounters, type EpochFigures } from "../observe/epoch-figures.ts";
import type { ClosedMessage, Epoch, OrderMessage, Peer } from "../wire/messages.ts";
import { allClosed, type ClosingEpoch, memberOf, needs, openEpoch, type OpenEpoch } from "./epoch-state.ts";
import { Pace } from "./pace.ts";
import { gather } from "./participants.ts";

/** What epochs need of the machine. */
export interface EpochsPort {
  send(to: Peer, message: OrderMessage): void;
  incarnationOf(peer: Peer): number;
  /** Whether a partition's code knows of sole members. */
  knowsSole(peer: Peer): boolean;
  /** Makes an abort durable, then tells every partition of the new era. */
  aborted(first: Epoch, last: Epoch): void;
  /** Whether the epoch is committed is known only to who is lost, and from the records: a recovery is to look at these. */
  undecidable(): void;
}

export class Epochs {
  readonly #port: EpochsPort;
  #base: Epoch;
  #committed: Epoch;
  #open: OpenEpoch;
  #closing: ClosingEpoch | null = null;
  #aborts = 0;
  readonly #pace = new Pace();
  readonly #counters = new EpochCounters();
  /** Transactions of the epoch that was committed last. */
  #lastSize = 0;
  /** When the closing epoch was closed; ms. Null for one that its sole member decided. */
  #closedAt: number | null = null;

  constructor(port: EpochsPort, generation: number, committed: Epoch) {
    this.#port = port;
    this.#base = epochOf(generation, 1);
    this.#committed = committed;
    this.#open = openEpoch(this.#base);
  }

  get base(): Epoch {
    return this.#base;
  }
  get committed(): Epoch {
    return this.#committed;
  }
  get open(): Readonly<OpenEpoch> {
    return this.#open;
  }
  get closing(): Readonly<ClosingEpoch> | null {
    return this.#closing;
  }
  /** Of the open and the closing epoch together. */
  get memberCount(): number {
    return this.#open.members.size + (this.#closing?.members.size ?? 0);
  }
  /** Partitions that the closing epoch waits for. */
  get awaited(): Peer[] {
    const closing = this.#closing;
    if (closing === null || closing.since === Infinity) return [];
    if (closing.decider !== null) return [closing.decider];
    if (closing.parts === null) return [...closing.members].filter(([, { closed }]) => !closed).map(([peer]) => peer);
    return [...closing.parts.keys()].filter((peer) => !closing.prepared.has(peer));
  }

  get aborts(): number {
    return this.#aborts;
  }
  get figures(): EpochFigures {
    return this.#counters.figures;
  }
  get isIdle(): boolean {
    return (this.#closing === null || this.#closing.since === Infinity) && !this.#open.wanted;
  }

  join(partition: Peer, now: number): void {
    if (this.#maybeSole(partition, now)) return this.#joinAlone(partition);
    const { epoch, members } = this.#open;
    const member = members.get(partition) ?? memberOf(this.#port.incarnationOf(partition));
    member.closed = false;
    members.set(partition, member);
    this.#port.send(partition, { kind: "joined", epoch, sole: false, previous: 0 });
    this.#askSole(now);
  }

  /** Nothing is under way, and little or nothing was lately: then hardly anything will come beside it. */
  #maybeSole(partition: Peer, now: number): boolean {
    const { members, wanted } = this.#open;
    return (
      this.#closing === null &&
      !wanted &&
      members.size === 0 &&
      (this.#lastSize <= 1 || this.#pace.isDue(now)) &&
      this.#port.knowsSole(partition)
    );
  }

  /** Closes the epoch to all others. Its member may so order and decide it without asking: nothing else can be in it. */
  #joinAlone(partition: Peer): void {
    const { epoch } = this.#open;
    const members = new Map([[partition, memberOf(this.#port.incarnationOf(partition))]]);
    this.#closing = { epoch, members, since: Infinity, parts: null, prepared: new Set(), decider: partition };
    this.#open = openEpoch(epoch + 1);
    this.#port.send(partition, { kind: "joined", epoch, sole: true, previous: this.#committed });
  }

  /** Somebody else needs an epoch, or the sole member itself waits for its own: it is to close it. */
  #askSole(now: number): void {
    const closing = this.#closing;
    if (closing?.since !== Infinity) return;
    closing.since = now;
    for (const partition of closing.members.keys()) {
      this.#port.send(partition, { kind: "close", epoch: closing.epoch });
    }
  }

  want(partition: Peer, epoch: Epoch, now: number): void {
    // Its sole member, which told the coordinator, may be gone with what it had to tell the others.
    if (epoch <= this.#committed) return this.#port.send(partition, { kind: "decide", epoch: this.#committed });
    // A sole member that cannot order it, since somebody who takes part runs older code or is replaced; or one that hears nothing more of it.
    if (epoch === this.#closing?.epoch) return this.#askSole(now);
    if (epoch !== this.#open.epoch) return;
    this.#open.wanted = true;
    this.closeIfDue(now);
  }

  /** When the open epoch is to be closed though members still have work that could go with it; Infinity while nothing waits for that. */
  get dueAt(): number {
    return this.#closing === null && this.#open.wanted ? this.#pace.dueAt : Infinity;
  }

  /** Closes the open epoch when something waits for it, and either no member has anything more to give it or it has gathered for long enough. */
  closeIfDue(now: number): void {
    if (this.#closing !== null || !this.#open.wanted) return;
    if (this.#pace.isDue(now) || allClosed(this.#open)) this.#close(now);
  }

  closed(partition: Peer, closed: ClosedMessage, now: number): void {
    const closing = this.#closing?.epoch === closed.epoch ? this.#closing : null;
    const { members } = closing ?? this.#open;
    const member = members.get(partition);
    invariant(
      closing !== null || closed.epoch === this.#open.epoch,
      "6: an epoch is closed that is decided or not open",
    );
    invariant(member !== undefined, "6: an epoch is closed by a partition that is no member");
    invariant(
      closing === null || closing.parts === null,
      "1: an epoch is closed again after its participants were named",
    );
    member.closed = true;
    member.tagged = closed.tagged;
    member.counts = closed.counts;
    if (closed.rejoin) this.#rejoin(partition, closing);
    if (closing === null) {
      if (closed.tagged > 0) this.want(partition, closed.epoch, now);
      else this.closeIfDue(now);
    } else if (closed.ordered) {
      invariant(closing.decider === partition, "1: an epoch is ordered prepared by another than its sole member");
    } else {
      if (closing.decider !== null) this.#paceClosed(now);
      closing.decider = null;
      this.#prepare(now);
    }
  }

  /** The sole member of an epoch knows that all its participants are prepared. */
  decided(partition: Peer, epoch: Epoch, now: number): void {
    const closing = this.#closing;
    invariant(
      closing?.epoch === epoch && closing.decider === partition,
      "1: an epoch is decided by another than its sole member",
    );
    const member = closing.members.get(partition);
    invariant(member?.closed === true, "6: an epoch is decided before it is closed");
    for (const { peer } of member.counts) {
      if (!this.#port.knowsSole(peer)) this.#port.send(peer, { kind: "decide", epoch });
    }
    // How long it took is not known here: the next one has nothing to gather for.
    this.#pace.closed(now);
    this.#closedAt = null;
    closing.decider = null;
    this.#commit(closing, member.counts.length + 1, now);
  }

  prepared(partition: Peer, epoch: Epoch, now: number): void {
    const closing = this.#closing;
    if (closing?.epoch !== epoch) return;
    invariant(closing.parts !== null, "1: an epoch is prepared that its members have not closed");
    invariant(closing.parts.has(partition), "1: an epoch is prepared by a partition that takes no part");
    closing.prepared.add(partition);
    this.#commitIfPrepared(closing, now);
  }

  /** Of the sole member: it has not decided its epoch, and never will. Of any other while there is that one: it is to hear of it. */
  refuse(partition: Peer, epoch: Epoch): void {
    const closing = this.#closing;
    if (closing?.epoch !== epoch || (closing.decider !== null && closing.decider !== partition)) return;
    closing.decider = null;
    this.#abort(epoch);
  }

  /** Whether {@link restart} may be called. If not, what it waits for is asked to end. */
  mayRestart(now: number): boolean {
    this.#askSole(now);
    return this.#closing === null || this.#closing.decider === null;
  }

  /** Aborts what is not decided, for a new era. */
  restart(): void {
    this.#abort(this.#closing?.epoch ?? this.#open.epoch);
  }

  /** A partition has lost its memory: undecided epochs that live there are lost, and all later ones with them. */
  lost(partition: Peer, now: number): void {
    const closing = this.#closing;
    // What it holds a record of its next incarnation says in a moment.
    if (closing?.decider === partition) return void (closing.since = Math.min(closing.since, now));
    if (closing !== null && closing.decider === null && needs(closing, partition)) return this.#abort(closing.epoch);
    const { members } = this.#open;
    const member = members.get(partition);
    // One that has left without giving the epoch to anything. Where it ran functions of others' transactions, their counts name it.
    if (member === undefined || (member.closed && member.tagged === 0)) members.delete(partition);
    else if (this.#closing === null) this.#abort(this.#open.epoch);
    else this.#open.doomed = true;
  }

  /**
   * A new incarnation of a partition. The one before decided nothing of which this holds no record: it would have written that first, and cannot any more.
   * @param recorded the last epoch of which it may hold a record
   */
  returned(partition: Peer, recorded: Epoch): void {
    const closing = this.#closing;
    if (closing === null || closing.decider !== partition) return;
    if (recorded >= closing.epoch) return this.#port.undecidable();
    closing.decider = null;
    this.#abort(closing.epoch);
  }

  /** Gives up an epoch that a partition hangs in, since everybody waits for it. */
  expire(now: number): void {
    const closing = this.#closing;
    if (closing === null) return;
    if (now - closing.since <= (closing.parts === null ? LIMITS.closeMs : LIMITS.prepareMs)) return;
    if (closing.decider === null) this.#abort(closing.epoch);
    else this.#port.undecidable();
  }

  /** A member goes on to the epoch behind the closing one, which cannot close before this one is decided. */
  #rejoin(partition: Peer, closing: ClosingEpoch | null): void {
    invariant(closing !== null, "6: a member goes on to an epoch that is not open");
    const { members } = this.#open;
    if (!members.has(partition)) members.set(partition, memberOf(this.#port.incarnationOf(partition)));
  }

  #close(now: number): void {
    const { epoch, members } = this.#open;
    this.#paceClosed(now);
    this.#closing = { epoch, members, since: now, parts: null, prepared: new Set(), decider: null };
    this.#open = openEpoch(epoch + 1);
    for (const [partition, { closed }] of members) if (!closed) this.#port.send(partition, { kind: "close", epoch });
    this.#prepare(now);
  }

  #paceClosed(now: number): void {
    this.#pace.closed(now);
    this.#closedAt = now;
  }

  #prepare(now: number): void {
    const closing = this.#closing;
    if (closing === null || closing.parts !== null || !allClosed(closing)) return;
    const gathered = gather(closing.members, (peer) => this.#port.incarnationOf(peer));
    if (gathered === null) return this.#abort(closing.epoch);
    const { parts, expect } = gathered;
    closing.parts = parts;
    // Where its member left it to the coordinator it was closed long before.
    closing.since = now;
    if (parts.size === 0) return this.#commitIfPrepared(closing, now);
    for (const partition of parts.keys()) {
      const finishes = expect.get(partition) ?? new Map<Peer, number>();
      const { epoch } = closing;
      const order = { kind: "prepare", epoch, decides: false, parts, previous: this.#committed } as const;
      this.#port.send(partition, { ...order, expect: finishes });
    }
  }

  #commitIfPrepared(closing: ClosingEpoch, now: number): void {
    const { epoch, parts, prepared, members } = closing;
    if (prepared.size !== parts?.size) return;
    for (const partition of new Set([...parts.keys(), ...members.keys()])) {
      this.#port.send(partition, { kind: "decide", epoch });
    }
    this.#commit(closing, parts.size, now);
  }

  /** @param participants how many partitions took part */
  #commit({ epoch, members, parts, prepared }: ClosingEpoch, participants: number, now: number): void {
    invariant(parts === null || prepared.size === parts.size, "1: an epoch is committed unprepared");
    invariant(epoch > this.#committed && epoch >= this.#base, "1: epochs are committed out of order");
    this.#committed = epoch;
    this.#closing = null;
    this.#pace.decided(now);
    let size = 0;
    for (const { tagged } of members.values()) size += tagged;
    this.#lastSize = size;
    this.#counters.committed(this.#closedAt === null ? null : now - this.#closedAt, size, participants);
    if (this.#open.doomed) this.#abort(this.#open.epoch);
    this.closeIfDue(now);
  }

  /** Aborts this epoch and all later ones: what was read in a later one may come from this. */
  #abort(first: Epoch): void {
    const last = this.#open.epoch;
    invariant(first > this.#committed && first <= last, "1: an epoch is aborted that is committed or was never open");
    invariant((this.#closing?.decider ?? null) === null, "1: an epoch is aborted that its sole member may decide");
    this.#aborts++;
    this.#counters.aborted();
    this.#base = last + 1;
    this.#open = openEpoch(this.#base);
    this.#closing = null;
    this.#port.aborted(first, last);
  }
}
