/** The coordinator's machine: inputs in, effects out. It writes who ever spoke to it and what it aborted; commits are written nowhere. */
import { PARTITIONS_MAX } from "../../sdk/limits.ts";
import type { Kernels } from "../../core-wasm/types.ts";
import { type PeerFormat, SOLE_FORMAT } from "../wire/codec.ts";
import { invariant } from "../assert.ts";
import { nextTime } from "../clock.ts";
import { LIMITS } from "../limits.ts";
import { type Delivery, Links } from "../link/links.ts";
import type { LinkOwner } from "../link/owner.ts";
import type { EpochFigures } from "../observe/epoch-figures.ts";
import { type KeyGroupMap, partitionOfHash } from "../keygroups/map.ts";
import {
  COORDINATOR,
  type Epoch,
  type OrderMessage,
  type Peer,
  type PeerMessage,
  type ReportMessage,
} from "../wire/messages.ts";
import type { CoordinatorEffect, CoordinatorInput } from "./effects.ts";
import { AgreedFormat } from "./agreed-format.ts";
import { Epochs } from "./epochs.ts";
import { addRange, type EpochRanges, formatRanges, parseRanges } from "./ranges.ts";
import { Recovery, type Report } from "./recovery.ts";
import { type NamedText, type RescaleStatus, Rescaling, type StoredMap } from "./rescaling.ts";
import { Registry } from "./registry.ts";
import { type CoordinatorStatus, type RecoveryStatus, statusOf } from "./status.ts";

export interface CoordinatorOptions {
  readonly kernels: Kernels;
  /** Raised and durable before the machine is made: that fences the instance before it. */
  readonly generation: number;
  readonly stored: {
    readonly registered?: string | undefined;
    readonly aborted?: string | undefined;
    /** What the generation that started over knew to be committed. */
    readonly committed?: string | undefined;
  } & StoredMap;
  /** How many partitions the configuration names. Without it there is no map, and nothing moves: for tests of epochs alone. */
  readonly partitions?: number | undefined;
  /** Keys that the code has something recur for: whoever keeps one is started, or it would begin only when somebody asks for that partition. */
  readonly scheduled?: Iterable<string>;
  /** The highest version of batches that it reads, where that is not the newest: for tests of versions side by side. */
  readonly reads?: PeerFormat | undefined;
}

/** What eras say of the map where there is none. */
const NO_MAP = { map: "", next: "", frozen: false };

/** Orders belong to no era: partitions tell old ones by the generation, and by the channel's order. */
const NO_ERA: Epoch = 0;

export class CoordinatorMachine {
  readonly #generation: number;
  readonly #links: Links;
  readonly #registry: Registry;
  readonly #format: AgreedFormat;
  readonly #recovery: Recovery;
  readonly #rescaling: Rescaling | null;
  #aborted: EpochRanges;
  /** Null while this generation recovers. */
  #epochs: Epochs | null = null;
  /** Partitions that are known to have entered the present era: none of their records is in an aborted range. */
  readonly #entered = new Set<Peer>();
  #effects: CoordinatorEffect[] = [];
  #now = 0;
  /** Hashes of keys. */
  readonly #scheduled: readonly number[];
  /** When the next wake comes, at the latest; ms. */
  #wakeAt = Infinity;
  /** When partitions were last asked for a sign of life; ms. */
  #probedAt = 0;
  #replaced = false;
  /** Whether it has asked to start over: nothing follows. */
  #isOver = false;

  constructor({ kernels, generation, stored, partitions, reads, scheduled = [] }: CoordinatorOptions) {
    this.#scheduled = [...scheduled].map((key) => kernels.hashKey(key));
    this.#generation = generation;
    this.#registry = new Registry(stored.registered);
    this.#recovery = new Recovery(Number(stored.committed ?? 0));
    this.#aborted = parseRanges(stored.aborted ?? "");
    this.#rescaling = partitions === undefined ? null : new Rescaling(stored, partitions);
    this.#links = new Links(COORDINATOR, generation, kernels, this.#owner(), reads);
    this.#format = new AgreedFormat(this.#links.formats);
  }

  /** The first effects: every partition that ever spoke is asked for its records. */
  start(now: number): CoordinatorEffect[] {
    invariant(this.#epochs === null, "7: a coordinator is started twice");
    return this.#turn(now, () => {
      this.#store(this.#rescaling?.initial ?? []);
      for (const partition of this.#registry.all) this.#askToRecover(partition);
      for (const partition of this.#keepersOfSchedules()) this.#send(partition, { kind: "ping" });
      this.#tryRecover();
    });
  }

  /** Those that no recovery starts. */
  #keepersOfSchedules(): ReadonlySet<Peer> {
    const { map } = this;
    const keepers = new Set(map === null ? [] : this.#scheduled.map((hash) => partitionOfHash(map, hash)));
    for (const partition of this.#registry.all) keepers.delete(partition);
    return keepers;
  }

  /** @throws CorruptError for a batch that cannot be read, and ClockSetBack: with nothing changed. */
  step(input: CoordinatorInput, now: number): CoordinatorEffect[] {
    return this.#turn(now, () => this.#handle(input));
  }

  get status(): CoordinatorStatus {
    const state = { generation: this.#generation, abortedRanges: this.#aborted };
    return statusOf(state, this.#epochs, this.#registry, this.#links, this.#recoveryStatus);
  }

  /** Null while it recovers. */
  get epochFigures(): EpochFigures | null {
    return this.#epochs?.figures ?? null;
  }

  /** The key-group map. What is persisted before is durable before it is told. */
  get map(): KeyGroupMap | null {
    return this.#rescaling?.map ?? null;
  }

  get rescaleStatus(): RescaleStatus | null {
    return this.#rescaling && { ...this.#rescaling.status, known: Math.max(-1, ...this.#registry.all) + 1 };
  }

  /** There are to be so many partitions: key groups move until it is so, and over restarts. */
  rescale(partitions: number, now: number): CoordinatorEffect[] {
    const rescaling = this.#rescaling;
    invariant(rescaling !== null && partitions >= 1 && partitions <= PARTITIONS_MAX, "9: so many partitions cannot be");
    return this.#turn(now, () => {
      this.#store(rescaling.want(partitions));
      this.#advance();
    });
  }

  get #recoveryStatus(): RecoveryStatus | null {
    if (this.#epochs !== null) return null;
    const missing = this.#recovery.missing(this.#registry.all);
    const undecidable = missing.length > 0 ? null : this.#recovery.conclude(this.#aborted).undecidable;
    return { missing, damaged: this.#recovery.damaged, undecidable };
  }

  /** Nothing is under way; a coordinator that is idle asks for no wake. */
  get isIdle(): boolean {
    const isStill = this.#rescaling?.isMoving !== true;
    return isStill && this.#epochs !== null && this.#epochs.isIdle && this.#links.isIdle;
  }

  /** At most one partition takes part in epochs at present, so that what leaves has nothing to share a call with. */
  get isAlone(): boolean {
    return this.#epochs !== null && this.#epochs.memberCount <= 1;
  }

  /** A message for a later generation came: this instance is replaced, and its shell may as well end. */
  get isReplaced(): boolean {
    return this.#replaced;
  }

  #turn(now: number, act: () => void): CoordinatorEffect[] {
    if (this.#isOver) return [];
    this.#now = nextTime(this.#now, now);
    act();
    if (this.#isOver) return this.#startOver();
    this.#askToWake();
    return this.#effects.splice(0);
  }

  /** What it was told in this turn the next generation acknowledges. What it knows to be committed that finds in no record if those who hold one are damaged. */
  #startOver(): CoordinatorEffect[] {
    const value = String(this.#epochs?.committed ?? 0);
    return [{ kind: "persist", ops: [{ name: "committed", value }] }, { kind: "start-over" }];
  }

  #askToWake(): void {
    const isPending = this.#links.outstanding || this.#awaited.length > 0;
    const at = Math.min(isPending ? this.#now + LIMITS.resendMs : Infinity, this.#epochs?.dueAt ?? Infinity);
    if (at >= this.#wakeAt) return;
    this.#wakeAt = at;
    this.#effects.push({ kind: "wake", inMs: Math.max(at - this.#now, 1) });
  }

  #handle(input: CoordinatorInput): void {
    switch (input.kind) {
      case "deliver":
        return this.#deliver(input.ticket, input.bytes);
      case "sent":
        return this.#links.sent(input.to, input.batch, input.incarnation, this.#now);
      case "dispatch":
        return this.#links.dispatch(this.#now);
      case "wake":
        this.#wakeAt = Infinity;
        this.#links.tick(this.#now);
        this.#epochs?.closeIfDue(this.#now);
        this.#epochs?.expire(this.#now);
        this.#advance();
        this.#probe();
    }
  }

  /** Partitions whose word is awaited. */
  get #awaited(): Peer[] {
    if (this.#epochs === null) return this.#recovery.missing(this.#registry.all);
    return [...new Set([...this.#epochs.awaited, ...(this.#rescaling?.awaited ?? [])])];
  }

  /** One that is gone with what it has acknowledged would never speak: the question starts it again. */
  #probe(): void {
    if (this.#now - this.#probedAt < LIMITS.probeMs) return;
    this.#probedAt = this.#now;
    for (const partition of this.#awaited) this.#send(partition, { kind: "ping" });
  }

  #deliver(ticket: number, bytes: Uint8Array): void {
    const delivery: Delivery = this.#links.deliver(ticket, bytes);
    if (delivery === "replaced") this.#replaced = true;
    if (delivery !== "answered") this.#effects.push({ kind: "undelivered", ticket });
  }

  #owner(): LinkOwner {
    return {
      emit: (effect) => void this.#effects.push(effect),
      ready: () => true,
      receive: (from, message, era) => this.#receive(from, message, era),
      peerRestarted: (peer) => this.#peerRestarted(peer),
    };
  }

  #receive(from: Peer, message: PeerMessage, era: Epoch): void {
    if (this.#registry.add(from)) this.#register(from);
    if (message.kind === "ping") return;
    if (message.kind === "hello") this.#hello(from, message);
    else if (message.kind === "report") this.#report(from, message);
    else if (message.kind === "moved") this.#moved(from, message);
    else if (this.#epochs !== null && era === this.#epochs.base) this.#takePart(this.#epochs, from, message);
  }

  /** It names what it is about itself: a partition may have all before it hears of the era in which it is all. */
  #moved(from: Peer, message: Extract<ReportMessage, { kind: "moved" }>): void {
    if (this.#epochs === null) return;
    this.#rescaling?.moved(from, message, this.#links.incarnationOf(message.source), this.#epochs.base);
    this.#advance();
  }

  /** Takes the next step of a move, if it may be taken. */
  #advance(): void {
    const epochs = this.#epochs;
    const rescaling = this.#rescaling;
    if (epochs === null || rescaling === null) return;
    const begun = rescaling.begin();
    if (begun !== null) this.#beginMove(epochs, rescaling, begun);
    const isDue = rescaling.isCopied || rescaling.isDone || rescaling.hasFrozenTooLong(this.#now);
    if (!isDue || !epochs.mayRestart(this.#now)) return;
    if (rescaling.isCopied) {
      rescaling.freeze(this.#now);
      epochs.restart();
    }
    if (rescaling.isDone) {
      this.#store(rescaling.flip(this.#now));
      epochs.restart();
      this.#advance();
    } else if (rescaling.hasFrozenTooLong(this.#now)) {
      this.#store(rescaling.thaw());
      epochs.restart();
    }
  }

  /** Those that are new are registered before they hear of anything, as all others are. */
  #beginMove(epochs: Epochs, rescaling: Rescaling, begun: readonly NamedText[]): void {
    const added = rescaling.partitions.filter((partition) => this.#registry.add(partition));
    for (const partition of added) this.#entered.add(partition);
    this.#store(added.length === 0 ? begun : [...begun, { name: "registered", value: this.#registry.text }]);
    for (const partition of this.#registry.all) this.#sendEra(epochs, partition);
  }

  #store(ops: readonly NamedText[]): void {
    if (ops.length > 0) this.#effects.push({ kind: "persist", ops });
  }

  /** Messages of the present era. */
  #takePart(epochs: Epochs, from: Peer, message: PeerMessage): void {
    // A damaged partition refuses without having acted on the era.
    if (message.kind !== "refuse") this.#entered.add(from);
    switch (message.kind) {
      case "join":
        return epochs.join(from, this.#now);
      case "want":
        return epochs.want(from, message.epoch, this.#now);
      case "closed":
        epochs.closed(from, message, this.#now);
        return this.#advance();
      case "prepared":
        return epochs.prepared(from, message.epoch, this.#now);
      case "decided":
        epochs.decided(from, message.epoch, this.#now);
        return this.#advance();
      case "refuse":
        return epochs.refuse(from, message.epoch);
      default:
        invariant(false, `8: ${message.kind} is no message for the coordinator`);
    }
  }

  /** In the turn of its first message, so that it is durable before an era can leave to it, and with that its first record be made. */
  #register(partition: Peer): void {
    this.#persist("registered", this.#registry.text);
    // It was never told of an era, so that it has no record of an aborted epoch.
    this.#entered.add(partition);
  }

  #hello(from: Peer, { reads, recorded }: Extract<ReportMessage, { kind: "hello" }>): void {
    this.#format.heard(from, reads);
    if (this.#epochs !== null) {
      this.#epochs.returned(from, reads >= SOLE_FORMAT ? recorded : Infinity);
      this.#welcome(this.#epochs, from);
    } else if (!this.#recovery.has(from)) this.#askToRecover(from);
  }

  /** All are told when another version of batches may be written. */
  #welcome(epochs: Epochs, from: Peer): void {
    const told = this.#format.settle(this.#registry.all) ? this.#registry.all : [from];
    for (const partition of told) this.#sendEra(epochs, partition);
  }

  #report(from: Peer, report: Report): void {
    this.#format.heard(from, report.reads);
    if (this.#epochs !== null || report.generation !== this.#generation) return;
    this.#recovery.report(from, report);
    this.#tryRecover();
  }

  #peerRestarted(peer: Peer): void {
    if (!this.#registry.has(peer)) return;
    this.#rescaling?.lost(peer);
    if (this.#epochs !== null) return this.#epochs.lost(peer, this.#now);
    this.#recovery.forget(peer);
    this.#askToRecover(peer);
  }

  #askToRecover(partition: Peer): void {
    this.#send(partition, { kind: "recover", generation: this.#generation });
  }

  /** With all reports in, what is not found committed is aborted, and this generation's epochs begin. */
  #tryRecover(): void {
    if (!this.#recovery.isComplete(this.#registry.all)) return;
    const { committed, undecidable } = this.#recovery.conclude(this.#aborted);
    // The report of a mended partition will tell.
    if (undecidable !== null) return;
    const port = {
      send: (to: Peer, message: OrderMessage) => this.#send(to, message),
      incarnationOf: (peer: Peer) => this.#links.incarnationOf(peer),
      knowsSole: (peer: Peer) => this.#links.formats.for(peer) >= SOLE_FORMAT,
      aborted: (first: Epoch, last: Epoch) => this.#abort(first, last),
      undecidable: () => void (this.#isOver = true),
    };
    this.#aborted = this.#recovery.needed(this.#aborted);
    this.#entered.clear();
    this.#epochs = new Epochs(port, this.#generation, committed);
    this.#abort(committed + 1, this.#epochs.base - 1);
    this.#advance();
  }

  #abort(first: Epoch, last: Epoch): void {
    const epochs = this.#epochs;
    invariant(epochs !== null && epochs.base > last, "1: an abort does not begin an era");
    // Once all have entered an era, none has a record of an epoch that was aborted before.
    if (this.#entered.size === this.#registry.all.size) this.#aborted = [];
    this.#entered.clear();
    this.#aborted = addRange(this.#aborted, [first, last]);
    invariant(
      this.#aborted.length <= LIMITS.maxAbortedRanges,
      "9: too many aborted ranges; recovery drops those not needed",
    );
    this.#persist("aborted", formatRanges(this.#aborted));
    this.#format.settle(this.#registry.all);
    for (const partition of this.#registry.all) this.#sendEra(epochs, partition);
  }

  #sendEra({ base, open, committed }: Epochs, to: Peer): void {
    const generation = this.#generation;
    const format = this.#format.lowest(this.#registry.all);
    const era = { generation, base, open: open.epoch, committed, format, aborted: this.#aborted };
    this.#send(to, { kind: "era", ...era, ...(this.#rescaling?.texts ?? NO_MAP) });
  }

  #persist(name: "registered" | "aborted", value: string): void {
    this.#effects.push({ kind: "persist", ops: [{ name, value }] });
  }

  #send(to: Peer, message: OrderMessage): void {
    this.#links.send(to, message, NO_ERA);
  }
}
