/** Moving of key groups at one partition (docs/protocol.md, "Moving key groups"): what goes, what comes, and what is left to be deleted. */
import { CorruptError } from "../../core-wasm/types.ts";
import { invariant } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import { takenWrite } from "../outbox/message.ts";
import type { StorageOp } from "../partition/effects.ts";
import type { Log } from "../partition/log.ts";
import { isDamage } from "../state/blocks/damage.ts";
import type { Write } from "../state/store.ts";
import { withLifetimes } from "../state/expiry.ts";
import { indexed } from "../timers/timer.ts";
import type { Epoch, MoveMessage, OrderMessage, Peer, ReportMessage } from "../wire/messages.ts";
import { decodeContent, type MoveItem } from "./content.ts";
import { garbageWrites } from "./garbage.ts";
import { Source, type SourceParts } from "./source.ts";
import { type Incoming, Taken } from "./target.ts";

type Era = Extract<OrderMessage, { kind: "era" }>;
type Begin = Extract<MoveMessage, { kind: "move-begin" }>;
type Chunk = Extract<MoveMessage, { kind: "move-chunk" }>;

export interface MovesOwner extends SourceParts {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly log: Log;
  /** Storage and memory are behind: what comes is to wait. */
  readonly isBehind: boolean;
  /** So much is stored that no more key groups are to come. */
  readonly isFull: boolean;
  /** The era of the map is known. */
  readonly isPlaced: boolean;
  /** What is stored is being read as it is: nothing may come, and nothing be deleted, until it is not. */
  readonly holdsMoves: boolean;
  send(to: Peer, message: MoveMessage | { readonly kind: "ping" }): void;
  report(message: ReportMessage): void;
  readonly incarnation: number;
  incarnationOf(peer: Peer): number;
  persist(ops: readonly StorageOp[]): void;
  /** Something that is stored cannot be read. */
  damaged(error: CorruptError): void;
  /** What is committed is written before anything of this turn leaves. */
  show(): void;
  /** Calls `work` in a turn of its own, soon. */
  wantWork(): void;
  /** Other key groups are here than before. */
  remapped(): void;
}

/** Parts of a flow's state that have come. */
interface ComingFlow {
  readonly parts: Uint8Array[];
  meta: string;
}

export class Moves {
  readonly #owner: MovesOwner;
  readonly #sources = new Map<Peer, Source>();
  readonly #incoming = new Map<Peer, Incoming>();
  readonly #flows = new Map<string, ComingFlow>();
  /** What sources would begin with, while nothing may come. */
  readonly #waiting = new Map<Peer, Begin>();
  readonly #taken: Taken;
  /** Taken and not answered, since this partition was behind. */
  #owed: Array<{ readonly to: Peer; readonly stream: number; readonly number: number }> = [];
  #streams = 0;
  /** When sources were last asked for a sign of life; ms. */
  #probedAt = 0;
  #workWanted = false;
  #placed = false;
  #frozen: Epoch = 0;
  /** Something of groups that are kept elsewhere may be stored. */
  #garbage: boolean;
  #deleting: Iterator<Write[]> | null = null;
  /** It cannot be looked for what is to be deleted, since something is damaged. */
  #unreadable = false;

  constructor(owner: MovesOwner, found: { readonly garbage?: boolean; readonly taken?: string | undefined }) {
    this.#owner = owner;
    this.#garbage = found.garbage ?? false;
    this.#taken = new Taken(found.taken);
  }

  /** Something of a move is under way. */
  get isActive(): boolean {
    const isOnTheWay = this.#sources.size > 0 || this.#incoming.size > 0 || this.#waiting.size > 0 || this.#awaitsMore;
    return isOnTheWay || (this.#garbage && !this.#unreadable);
  }

  /** What is stored here is what the map says, and no other map is moved to. */
  get isSettled(): boolean {
    return !this.isActive && !this.#garbage && this.#owner.ownership.nextVersion === 0;
  }

  get #awaitsMore(): boolean {
    return this.#owner.ownership.nextVersion > 0 && this.#owner.ownership.sources.some((from) => this.#awaits(from));
  }

  /** Whether a source has yet to send something before the move can take its next step. */
  #awaits(source: Peer): boolean {
    if (this.#taken.has(this.#frozen, source)) return false;
    const incoming = this.#incoming.get(source);
    return incoming === undefined || !(incoming.complete || (incoming.copied && this.#frozen === 0));
  }

  /** What an era says of the map. Everything of the eras before is decided. */
  told({ base, map, next, frozen }: Era): void {
    const { ownership } = this.#owner;
    const { version, nextVersion } = ownership;
    ownership.told(map, next);
    // The first time, too: what is stored may be more than what is kept here.
    if (ownership.version !== version || !this.#placed) this.#owner.remapped();
    this.#placed = true;
    const thawed = this.#frozen !== 0 && !(frozen && this.#frozen === base);
    this.#frozen = frozen ? base : 0;
    if (frozen) this.#freeze();
    if (ownership.nextVersion !== nextVersion) this.#forget();
    else if (thawed) this.#beginAgain();
    if (ownership.nextVersion > 0) this.#begin();
    for (const source of this.#sources.values()) if (frozen) source.freeze(base);
    this.#deleting = null;
    if (this.isActive) this.#wantWork();
  }

  /** From here on nothing of what goes changes. A write: an instance that was replaced cannot tell anybody that it is so. */
  #freeze(): void {
    if (this.#owner.ownership.targets.size === 0) return;
    this.#owner.log.write();
    this.#garbage = true;
    this.#owner.persist([{ op: "put-meta", name: "garbage", value: "1" }]);
  }

  #forget(): void {
    this.#sources.clear();
    this.#incoming.clear();
    this.#waiting.clear();
    this.#flows.clear();
    this.#owed = [];
    this.#watch();
  }

  /** What was complete is so no more. A source that had not heard of the frozen era goes on where it is. */
  #beginAgain(): void {
    this.#sources.clear();
    for (const [source, { complete }] of this.#incoming) if (complete) this.#incoming.delete(source);
    this.#watch();
  }

  #begin(): void {
    const { ownership } = this.#owner;
    for (const target of ownership.targets.keys()) if (!this.#sources.has(target)) this.#stream(target);
    for (const source of ownership.sources) {
      const incoming = this.#incoming.get(source);
      if (incoming && !incoming.complete) {
        // It may be another coordinator that asks.
        if (incoming.copied) this.#tell(source, incoming.incarnation, 0);
        continue;
      }
      // It shows this incarnation to a source that is done with the one before.
      if (!incoming) this.#owner.send(source, { kind: "ping" });
      if (this.#taken.has(this.#frozen, source)) this.#tell(source, 0, this.#frozen);
    }
  }

  #stream(target: Peer): void {
    const { ownership } = this.#owner;
    const groups = ownership.targets.get(target);
    if (!groups) return;
    const send = (message: MoveMessage): void => {
      // What it tells was committed here, and must not be taken for done where this instance has lost it.
      this.#owner.show();
      this.#owner.send(target, message);
    };
    const stream = ++this.#streams;
    this.#sources.set(target, new Source(this.#owner, groups, ownership.nextVersion, stream, this.#frozen, send));
    this.#watch();
  }

  /** Results are many and moves are rare. */
  #watch(): void {
    const sources = this.#sources;
    this.#owner.results.watch =
      sources.size === 0
        ? null
        : (news) => {
            for (const source of sources.values()) {
              source.heard(news);
              if (source.isBehind) this.#wantWork();
            }
          };
  }

  /** Something was committed here. */
  changed(writes: readonly Write[]): void {
    for (const source of this.#sources.values()) {
      source.changed(writes);
      if (source.isBehind) this.#wantWork();
    }
  }

  peerRestarted(peer: Peer): void {
    if (this.#sources.has(peer)) this.#stream(peer);
    this.#waiting.delete(peer);
    if (this.#incoming.get(peer)?.complete === false) this.#incoming.delete(peer);
  }

  /** Whether a message can be handled: a move begins when both have heard of it. */
  ready(message: MoveMessage): boolean {
    const { isPlaced, ownership } = this.#owner;
    if (!isPlaced) return false;
    return message.kind !== "move-begin" || Math.max(ownership.version, ownership.nextVersion) >= message.version;
  }

  receive(from: Peer, message: MoveMessage): void {
    switch (message.kind) {
      case "move-begin":
        if (this.#owner.holdsMoves) return void this.#waiting.set(from, message);
        return this.#begun(from, message);
      case "move-chunk":
        return this.#chunk(from, message);
      case "move-taken": {
        const source = this.#sources.get(from);
        if (source?.stream !== message.stream) return;
        if (source.taken(message.number, message.enough)) this.#wantWork();
      }
    }
  }

  #begun(from: Peer, { version, stream, frozen }: Begin): void {
    const { ownership } = this.#owner;
    const incarnation = this.#owner.incarnationOf(from);
    const groups = ownership.from(from);
    if (ownership.nextVersion !== version || groups.size === 0) {
      return this.#owner.send(from, { kind: "move-taken", stream, number: 0, enough: true });
    }
    if (this.#taken.has(frozen, from)) {
      this.#incoming.set(from, { stream, incarnation, open: true, copied: true, complete: true, flows: new Set() });
      this.#tell(from, incarnation, frozen);
      return this.#owner.send(from, { kind: "move-taken", stream, number: 0, enough: true });
    }
    const incoming: Incoming = { stream, incarnation, open: false, copied: false, complete: false, flows: new Set() };
    this.#incoming.set(from, incoming);
    const flows = this.#owner.flows.ofStreams((name) => groups.has(ownership.groupOf(name)));
    for (const { plan } of flows) this.#flows.delete(plan.name);
    const ops: StorageOp[] = flows.map(({ plan }) => ({ op: "drop-flow", flow: plan.name }));
    if (!this.#garbage) {
      // From here on there may be: what comes is not kept here until the map says so.
      this.#garbage = true;
      ops.push({ op: "put-meta", name: "garbage", value: "1" });
      this.#open(from, incoming);
    } else {
      this.#deleting = null;
      this.#wantWork();
    }
    if (ops.length > 0) this.#owner.persist(ops);
  }

  #open(from: Peer, incoming: Incoming): void {
    incoming.open = true;
    this.#owner.send(from, { kind: "move-taken", stream: incoming.stream, number: 0, enough: false });
  }

  #chunk(from: Peer, { stream, number, stage, frozen, content }: Chunk): void {
    const incoming = this.#incoming.get(from);
    if (incoming?.stream !== stream || incoming.complete) return;
    invariant(incoming.open, "8: a piece comes before it is asked for");
    const ops: StorageOp[] = [];
    const writes: Write[] = [];
    const groups = this.#owner.ownership.from(from);
    this.#owner.results.came(groups, this.#owner.now);
    for (const item of decodeContent(content)) {
      if (item.kind === "forgotten") ops.push(this.#forgotten(groups, item.text));
      else this.#take(incoming, item, writes, ops);
    }
    this.#commit(writes);
    if (stage === "last") {
      incoming.complete = true;
      ops.push({ op: "put-meta", name: "taken", value: this.#taken.add(frozen, from) });
    }
    if (ops.length > 0) {
      // What is told of as taken is in records before.
      this.#owner.log.write();
      this.#owner.persist(ops);
    }
    this.#owner.show();
    this.#owed.push({ to: from, stream, number });
    if (this.#mayTake) this.#payOwed();
    if (stage === "copied") incoming.copied = true;
    if (stage === "copied") this.#tell(from, incoming.incarnation, 0);
    // Before it has entered that era it would send requests away that it keeps when the map is changed.
    else if (stage === "last" && this.#frozen === frozen) this.#tell(from, incoming.incarnation, frozen);
  }

  #forgotten(groups: ReadonlySet<number>, text: string): StorageOp {
    const { results, now } = this.#owner;
    results.came(groups, now, text);
    return { op: "put-meta", name: "forgotten", value: results.forgotten };
  }

  #take(
    incoming: Incoming,
    item: Exclude<MoveItem, { readonly kind: "forgotten" }>,
    writes: Write[],
    ops: StorageOp[],
  ): void {
    const { log, flows } = this.#owner;
    switch (item.kind) {
      case "write":
        writes.push(takenWrite(item.write, this.#owner.incarnation));
        return;
      case "result":
        return log.addResult(item.result, item.result.status, item.result.body);
      case "block": {
        const { flow, block, part, through, bytes } = item;
        beginFlow(incoming, flow, ops);
        ops.push({ op: "put-view-block", flow, block, part, through, bytes });
        return;
      }
      case "flow": {
        const { flow, part, parts, meta, bytes } = item;
        beginFlow(incoming, flow, ops);
        const coming = this.#flows.get(flow) ?? { parts: [], meta };
        coming.parts[part] = bytes;
        this.#flows.set(flow, coming);
        if (part + 1 < parts) return;
        this.#flows.delete(flow);
        log.write();
        ops.push(...flows.adopt(flow, { meta, bytes: joined(coming.parts) }, log.seq - 1));
      }
    }
  }

  /** Changes of what nobody sees: neither transactions nor snapshots need to know. */
  #commit(writes: readonly Write[]): void {
    if (writes.length === 0) return;
    const all = indexed(withLifetimes(writes));
    this.#owner.committed.apply(all, this.#owner.log.seq);
    this.#owner.log.addWrites(all);
  }

  /** Where there is no room a copy waits, for as long as it takes: requests go on where they are. What is left of it when nothing runs is little. */
  get #mayTake(): boolean {
    const { isBehind, isFull } = this.#owner;
    return !isBehind && (!isFull || this.#frozen !== 0);
  }

  #payOwed(): void {
    for (const { to, ...taken } of this.#owed.splice(0)) {
      this.#owner.send(to, { kind: "move-taken", ...taken, enough: false });
    }
  }

  #tell(source: Peer, sourceIncarnation: number, frozen: Epoch): void {
    const version = this.#owner.ownership.nextVersion;
    this.#owner.report({ kind: "moved", version, source, sourceIncarnation, frozen });
  }

  #wantWork(): void {
    if (this.#workWanted) return;
    this.#workWanted = true;
    this.#owner.wantWork();
  }

  tick(): void {
    this.#probe();
    if (this.#owed.length > 0 && this.#mayTake) this.#payOwed();
    if (this.#owner.holdsMoves) return;
    for (const [from, begin] of this.#waiting) this.#begun(from, begin);
    this.#waiting.clear();
    if (this.#garbage) this.#wantWork();
  }

  /**
   * A source may have begun with an instance before this one, or what one of the two has acknowledged went to an instance that was replaced.
   * What is copied is no reason to be quiet: the source may have started over since, and begun again with an instance that was replaced.
   */
  #probe(): void {
    const { now, isPlaced, ownership } = this.#owner;
    if (!isPlaced || ownership.nextVersion === 0 || now - this.#probedAt < LIMITS.probeMs) return;
    this.#probedAt = now;
    for (const source of ownership.sources) {
      const isComplete = this.#incoming.get(source)?.complete === true || this.#taken.has(this.#frozen, source);
      if (!isComplete) this.#owner.send(source, { kind: "ping" });
    }
  }

  /** What is done in turns of its own. */
  work(): void {
    this.#workWanted = false;
    if (!this.#owner.isPlaced) return;
    let more = false;
    for (const source of this.#sources.values())
      more =
        this.#orStop(
          () => source.pump(),
          () => source.stop(),
        ) || more;
    const mayDelete = this.#garbage && !this.#unreadable && !this.#owner.isBehind && !this.#owner.holdsMoves;
    if (mayDelete)
      more =
        this.#orStop(
          () => this.#delete(),
          () => (this.#unreadable = true),
        ) || more;
    if (more) this.#wantWork();
  }

  /** What is damaged is not moved, and nothing is deleted behind it; transactions on all else go on. */
  #orStop(work: () => boolean, stop: () => void): boolean {
    try {
      return work();
    } catch (error) {
      // Of blocks of state it has been told where they were read.
      if (error instanceof CorruptError) this.#owner.damaged(error);
      else if (!isDamage(error)) throw error;
      stop();
      return false;
    }
  }

  /** While groups move it is for those only that wait for it: more comes to be all the time. */
  #delete(): boolean {
    const { stored, committed, ownership } = this.#owner;
    if (ownership.nextVersion > 0 && [...this.#incoming.values()].every(({ open }) => open)) return false;
    const coming = new Set<number>();
    for (const [source, { open }] of this.#incoming) {
      if (open) for (const group of ownership.from(source)) coming.add(group);
    }
    for (const source of this.#taken.sources) {
      if (this.#taken.has(this.#frozen, source)) for (const group of ownership.from(source)) coming.add(group);
    }
    this.#deleting ??= garbageWrites(stored, committed, ownership, (group) => coming.has(group));
    const next = this.#deleting.next();
    if (!next.done) {
      this.#commit(next.value);
      return true;
    }
    this.#deleting = null;
    const waiting = [...this.#incoming].filter(([, { open }]) => !open);
    for (const [source, incoming] of waiting) this.#open(source, incoming);
    // While a move is under way there is, or will be, more of it.
    if (ownership.nextVersion > 0) return false;
    // What says that nothing is left must not outlive what deletes the last of it.
    this.#owner.log.write();
    this.#garbage = false;
    const forgotten = this.#forgetFlows();
    this.#owner.persist([...forgotten, { op: "put-meta", name: "garbage", value: "" }]);
    return false;
  }

  /** What the window kernel keeps is in no rows of state. */
  #forgetFlows(): StorageOp[] {
    const { flows, reader, ownership, log } = this.#owner;
    const isStored = (flow: string) => reader.viewBlocks(flow).length > 0;
    return flows.forgetMoved((stream) => ownership.isHere(stream), isStored, log.seq - 1);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** This partition may not know the flow, and so not have dropped it when the stream began: other code keeps it. */
function beginFlow({ flows }: Incoming, flow: string, ops: StorageOp[]): void {
  if (flows.has(flow)) return;
  flows.add(flow);
  ops.push({ op: "drop-flow", flow });
}
