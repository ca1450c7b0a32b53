/** What the administration of a domain does at a partition: standstill, backup, restore and erasing (docs/protocol.md, "Backup"). */
import { CorruptError } from "../../core-wasm/types.ts";
import {
  type AdminAsk,
  type AdminReply,
  type EraseAnswer,
  type FreezeAnswer,
  type KeysAnswer,
  NO_TABLE,
  type RowsAnswer,
  type StoppedAnswer,
  type ThawAnswer,
} from "../backup/asks.ts";
import { keysOf, rowsOf } from "../backup/browse.ts";
import { Pin, PinBroken } from "../backup/pin.ts";
import { Restore, RestoreRefused } from "../backup/restore.ts";
import { tablesOf } from "../backup/tables.ts";
import { LIMITS } from "../limits.ts";
import { OUTBOX } from "../outbox/message.ts";
import { Results } from "../results/results.ts";
import { isDamage } from "../state/blocks/damage.ts";
import { BlockEraser } from "../state/blocks/erase.ts";
import { encodeRecent, type StoredResult } from "../results/stored-result.ts";
import { expiryRow } from "../state/expiry.ts";
import { afterPrefix, entityKey } from "../state/state-key.ts";
import type { Epoch } from "../wire/messages.ts";
import type { Moves } from "../moves/moves.ts";
import { groupOfHash } from "../keygroups/map.ts";
import type { Write } from "../state/store.ts";
import { declaredOnly } from "../timers/declared-rows.ts";
import type { ProblemType } from "../../sdk/problems.ts";
import type { Effect, StorageOp } from "./effects.ts";
import type { Erased } from "../outbox/erased.ts";
import { KEPT_PREFIXES, KeptEraser } from "./erase-kept.ts";
import { chunksBySize } from "./folder.ts";
import { problemAnswer } from "./problems.ts";
import type { PartitionSetup } from "./setup.ts";
import type { MachineParts } from "./status.ts";

export interface MaintenanceOwner {
  readonly clock: Epoch;
  readonly decided: Epoch;
  /** Milliseconds since 1970. */
  readonly now: number;
  emit(effect: Effect): void;
  /** Requests that waited go on. */
  goOn(): void;
}

type Setup = Pick<PartitionSetup, "app" | "kernels" | "partition" | "incarnation" | "reader" | "recovered">;

interface Pinned {
  readonly id: string;
  readonly round: number;
  readonly pin: Pin;
  readonly tables: Iterator<Uint8Array>;
  /** The newest table, for whoever asks for it again. */
  number: number;
  table: Uint8Array;
  askedAt: number;
  /** Results are still to be read, so that no fold may begin. */
  holdsFold: boolean;
}

interface Standstill {
  readonly id: string;
  readonly standstill: string;
  /** The maps that it began under: with others it is another one, or none. */
  readonly maps: string;
  readonly until: number;
}

/** Behind every state key. */
const END = "\u{10ffff}";

export class Maintenance {
  readonly #setup: Setup;
  readonly #parts: MachineParts;
  readonly #owner: MaintenanceOwner;
  readonly #restore: Restore;
  readonly #moves: Moves;
  #frozen: Standstill | null = null;
  #standstills = 0;
  #startsOver = false;
  #pinned: Pinned | null = null;
  /** Keys that are being erased, with the newest record that may hold something of each; null while something is still found. */
  readonly #erasing = new Map<string, number | null>();
  readonly #kept: KeptEraser;

  constructor(setup: Setup, parts: MachineParts, moves: Moves, owner: MaintenanceOwner) {
    this.#setup = setup;
    this.#parts = parts;
    this.#moves = moves;
    this.#owner = owner;
    this.#kept = new KeptEraser(setup.app, {
      committed: parts.layers.committed,
      begin: (target, input) => void parts.admission.begin(target, owner.now, input),
    });
    this.#restore = new Restore(setup.recovered.restore, {
      kernels: setup.kernels,
      self: setup.partition,
      incarnation: setup.incarnation,
      unused: () => this.#unused(),
      take: (writes, results, ops) => this.#take(writes, results, ops),
      persist: (ops) => owner.emit({ kind: "persist", ops }),
      newestSeq: () => parts.log.seq - 1,
    });
  }

  /** Commits what was restored; messages in it wait for the next instance. */
  #take(writes: readonly Write[], results: readonly StoredResult[], ops: readonly StorageOp[]): void {
    const { layers, log } = this.#parts;
    layers.commit(writes, log.seq, this.#owner.clock);
    log.addWrites(writes);
    for (const { status, body, ...id } of results) log.addResult(id, status, body);
    log.write();
    this.#owner.emit({ kind: "persist", ops });
  }

  /** These are committed. */
  committed(writes: readonly Write[]): void {
    this.#kept.committed(writes);
  }

  /** It serves, or would if it were not restoring. */
  get #isUp(): boolean {
    return this.#parts.epochs.participation.phase === "up";
  }

  /** No transaction is under way here, and nothing is undecided. */
  get #isQuiet(): boolean {
    const { admission, transactions, epochs } = this.#parts;
    return admission.running === 0 && transactions.attempts.size === 0 && epochs.isDecided;
  }

  /** No transaction is started. */
  get isFrozen(): boolean {
    return this.#frozen !== null;
  }
  /** Nothing here is to be served. */
  get isRestoring(): boolean {
    return this.#restore.isStaging;
  }
  /** A backup that is not read in time ends, rather than that this partition takes nothing more. */
  holdsFold(): boolean {
    const pinned = this.#pinned;
    if (pinned?.holdsFold !== true) return false;
    if (this.#parts.log.unfoldedBytes > LIMITS.maxUnfoldedBytes / 2) pinned.pin.breakForMuch();
    return !pinned.pin.isBroken;
  }
  /** Storage is not what is in memory, and the next instance is to read it as it is: this one changes nothing there any more. */
  get startsOver(): boolean {
    return this.#startsOver;
  }
  /** It must be looked at again though nobody asks. */
  get isPending(): boolean {
    return this.#frozen !== null || this.#pinned !== null;
  }

  /** Ends what whoever asked for it has forgotten. */
  tick(): void {
    const now = this.#owner.now;
    if (this.#frozen !== null && now >= this.#frozen.until) this.#thaw();
    if (this.#pinned !== null && now >= this.#pinned.askedAt + LIMITS.pinIdleMs) this.#release();
  }

  ask(ticket: number, ask: AdminAsk): void {
    this.tick();
    this.#owner.emit({ kind: "reply", ticket, body: this.#answer(ask) });
  }

  #answer(ask: AdminAsk): AdminReply | Uint8Array {
    try {
      if (!this.#isUp || this.#startsOver)
        return problem("overloaded", "this partition is starting", { retryable: true });
      // One that was replaced must not say that it stands still.
      this.#setup.reader.touch();
      return this.#do(ask);
    } catch (error) {
      if (error instanceof RestoreRefused) return problem(error.type, error.message);
      if (error instanceof CorruptError) return problem("invalid-backup", error.message);
      if (error instanceof PinBroken) return problem("backup-interrupted", error.message, { retryable: true });
      // Of what is asked for, that is: all else goes on, and the log was told where it was read.
      if (isDamage(error)) return problem("damaged-data", error.message);
      throw error;
    }
  }

  #do(ask: AdminAsk): AdminReply | Uint8Array {
    switch (ask.op) {
      case "freeze":
        return this.#freeze(ask.id);
      case "thaw":
        return this.#endFreeze(ask.id, ask.standstill);
      case "pin":
        return this.#pin(ask);
      case "table":
        return this.#table(ask.id, ask.number);
      case "release":
        if (this.#pinned?.id === ask.id) this.#release();
        return reply({});
      case "erase-messages":
      case "erase": {
        if (!this.#moves.isSettled) return MOVING;
        const erased = { entity: entityKey(ask.service, ask.key), service: ask.service, key: ask.key };
        return reply(ask.op === "erase" ? this.#erase(erased) : this.#settleMessages(erased));
      }
      case "restore":
        return this.#beginRestore(ask.id);
      case "restore-table":
        if (this.#parts.log.unfoldedBytes > LIMITS.maxUnfoldedBytes / 2)
          return problem("overloaded", "folding is behind; send the table again", { retryable: true });
        return reply(this.#restore.table(ask.id, ask.bytes));
      case "restore-end":
        return this.#ends(reply(this.#restore.end(ask.id)), this.#restore.isStaging);
      case "keys":
      case "rows":
        return this.#browse(ask);
      case "restore-stop": {
        const restart = this.#restore.stop(ask.id, ask.untouched);
        return this.#ends(reply({ restarts: restart } satisfies StoppedAnswer), restart);
      }
    }
  }

  /** Where it is begun it goes on, also while key groups are to move: they wait until this partition serves, and move then. */
  #beginRestore(id: string): AdminReply {
    if (!this.#restore.isBegun(id)) {
      if (!this.#moves.isSettled) return MOVING;
      // What runs or waits for a decision would commit, and be answered, in the midst of what is restored.
      if (!this.#isQuiet) return problem("overloaded", "transactions are under way here", { retryable: true });
    }
    return reply(this.#restore.begin(id));
  }

  #ends(told: AdminReply, restart: boolean): AdminReply {
    this.#startsOver = restart;
    return { ...told, restart };
  }

  #browse(ask: Extract<AdminAsk, { op: "keys" | "rows" }>): AdminReply {
    const { layers, log, ownership } = this.#parts;
    // What is shown must be durable, and leaves behind this.
    log.write();
    const { service, after, limit } = ask;
    const map = ownership.version;
    if (ask.op === "keys") {
      const isHere = (key: string) => ownership.isHere(key) && !this.#isOver(service, key);
      return reply({ ...keysOf(layers.committed, service, after, limit, isHere), map } satisfies KeysAnswer);
    }
    // Whoever asks goes by another map: that nothing is stored here says nothing of the key.
    if (!ownership.isHere(ask.key)) return ELSEWHERE;
    if (this.#isOver(service, ask.key)) return reply({ rows: [], next: null, map } satisfies RowsAnswer);
    return reply({ ...rowsOf(layers.committed, service, ask.key, after, limit), map } satisfies RowsAnswer);
  }

  /** Whether what is under a key has expired: nobody sees it, deleted or not. */
  #isOver(service: string, key: string): boolean {
    if (this.#setup.app.services.get(service)?.ttl === undefined) return false;
    const entity = entityKey(service, key);
    const at = this.#parts.layers.committed.read(expiryRow(entity), entity);
    return at !== null && Number(at) <= this.#owner.now;
  }

  #freeze(id: string): AdminReply {
    if (this.#restore.isStaging) return problem("admin-busy", "a backup is being restored here");
    if (this.#frozen !== null && this.#frozen.id !== id) return problem("admin-busy", "another backup begins");
    if (!this.#moves.isSettled) return MOVING;
    const maps = this.#maps;
    // Told by the name of this instance too: a freeze that comes late must not pass for one that its predecessor forgot.
    const isSame = this.#frozen?.maps === maps;
    const known = isSame ? this.#frozen?.standstill : undefined;
    const standstill = known ?? `${this.#setup.incarnation}.${++this.#standstills}`;
    this.#frozen = { id, standstill, maps, until: this.#owner.now + LIMITS.freezeMs };
    return reply({ quiet: this.#isQuiet, standstill, map: this.#parts.ownership.version } satisfies FreezeAnswer);
  }

  #endFreeze(id: string, standstill: string | null): AdminReply {
    const held = this.#standsStill(standstill);
    if (this.#frozen?.id === id) this.#thaw();
    return reply({ held } satisfies ThawAnswer);
  }

  /** Between then and now nothing was started, nor have key groups begun to move. */
  #standsStill(standstill: string | null): boolean {
    return this.#frozen?.standstill === standstill && this.#frozen?.maps === this.#maps;
  }

  get #maps(): string {
    const { version, nextVersion } = this.#parts.ownership;
    return `${version}>${nextVersion}`;
  }

  #thaw(): void {
    this.#frozen = null;
    this.#owner.goOn();
  }

  #pin({ id, service, standstill, round }: Extract<AdminAsk, { op: "pin" }>): AdminReply {
    if (this.#pinned?.id === id && this.#pinned.round === round) return reply({});
    if (this.#pinned?.id === id) this.#release();
    if (this.#pinned !== null) return problem("admin-busy", "another backup or export is under way");
    if (!this.#standsStill(standstill) || !this.#isQuiet)
      return problem("backup-interrupted", "the domain did not stand still", { retryable: true });
    const { layers, results, flows } = this.#parts;
    const { kernels, partition, incarnation, reader } = this.#setup;
    // Whatever is answered from here on is behind what it shows.
    this.#parts.log.write();
    // U+0001 is behind a service's name in every key of it.
    const from = service === null ? "" : `${service}\u0001`;
    const pin = new Pin(layers.committed, from, service === null ? END : afterPrefix(from));
    const resultsRead = (): void => {
      if (this.#pinned?.pin === pin) this.#pinned.holdsFold = false;
      this.#parts.log.wantFold();
    };
    const now = this.#owner.now;
    const end = { incarnation, decided: this.#owner.decided, forgotten: results.forgottenWithoutEdge };
    const whole = service === null ? { results, flows, reader, resultsRead } : null;
    const tables = tablesOf({ kernels, partition, id, pin, end, whole });
    this.#pinned = { id, round, pin, tables, number: -1, table: NOTHING, askedAt: now, holdsFold: whole !== null };
    layers.pin = pin;
    return reply({});
  }

  #table(id: string, number: number): AdminReply | Uint8Array {
    const pinned = this.#pinned;
    if (pinned?.id !== id)
      return problem("backup-interrupted", "the partition started over, or was not asked for long", {
        retryable: true,
      });
    pinned.askedAt = this.#owner.now;
    if (number === NO_TABLE) return NOTHING;
    if (number === pinned.number) return pinned.table;
    if (number !== pinned.number + 1) return problem("backup-interrupted", "tables are read in order");
    pinned.table = this.#nextTable(pinned);
    pinned.number = number;
    return pinned.table;
  }

  /** Empty behind the last. */
  #nextTable({ pin, tables }: Pinned): Uint8Array {
    try {
      // A pin that is broken holds no fold any more: results that are yet to be read may be of later requests.
      pin.check();
      const next = tables.next();
      return next.done ? NOTHING : next.value;
    } catch (error) {
      // Asked once more, it would take itself for having come to its end.
      this.#release();
      throw error;
    }
  }

  #release(): void {
    this.#pinned?.pin.break("it was released");
    this.#pinned = null;
    this.#parts.layers.pin = null;
    this.#parts.log.wantFold();
  }

  /** Deletes of what is stored, if that is what a domain has by itself; null when somebody has used it. */
  #unused(): Write[] | null {
    const { layers, results, flows } = this.#parts;
    const { reader } = this.#setup;
    const isFed = flows.marks().length > 0 || flows.names.some((flow) => reader.viewBlocks(flow).length > 0);
    return results.hasClientResults || isFed ? null : declaredOnly(new Pin(layers.committed, "", END).pairs());
  }

  /** Before the state under the key goes: what was sent to it has run by then, or never will. Asked again until it is done. */
  #settleMessages(erased: Erased): EraseAnswer {
    const left = this.#eraseMessages(erased);
    // What is forgotten must not come back with the next instance.
    this.#parts.log.write();
    return { done: left === 0 };
  }

  /** Messages to the key and from it, delayed ones and dead letters too. Returns 0 when none is left. */
  #eraseMessages(erased: Erased): number {
    const left = this.#parts.mail.erase(erased);
    return left + Number(!this.#kept.work(erased));
  }

  /**
   * The state under the key is gone by a transaction before this. What else holds something of it goes here; records do by being folded. Asked
   * again until none is left that was written before.
   */
  #erase(erased: Erased): EraseAnswer {
    const { results, log } = this.#parts;
    const { kernels } = this.#setup;
    // A backup that is under way may hold what the key held.
    this.#pinned?.pin.break("a key was erased meanwhile");
    this.#parts.layers.forgetHistory(this.#owner.clock);
    const { entity } = erased;
    const owner = kernels.hashKey(erased.key);
    this.#parts.transactions.readValues.forget(entity);
    let removed = this.#eraseMessages(erased);
    const known = this.#erasing.get(entity);
    if (known === undefined) this.#clearElsewhere(entity, owner);
    log.write();
    const inMemory = results.erase(owner);
    if (inMemory > 0) this.#storeEdgeResults();
    removed += inMemory;
    if (removed > 0) {
      // Transactions that were begun for it end later: what deletes is in records that are yet to come. What is there by now is folded meanwhile.
      this.#erasing.set(entity, null);
      log.foldThrough(log.seq - 1);
      return { done: false };
    }
    const newest = known ?? log.seq - 1;
    const done = log.foldThrough(newest);
    if (done) this.#eraseBlocks(entity, owner);
    if (done) this.#erasing.delete(entity);
    else this.#erasing.set(entity, newest);
    return { done };
  }

  /** Of a key that was kept here once, before it moved, blocks may hold what is deleted: the clear finds that, as it does where the key is kept. */
  #clearElsewhere(entity: string, hash: number): void {
    const { layers, log, ownership } = this.#parts;
    if (ownership.keeps(groupOfHash(hash))) return;
    const writes: Write[] = [{ op: "clear", key: entity, text: "" }];
    layers.commit(writes, log.seq, this.#owner.clock);
    log.addWrites(writes);
  }

  /** Folded, the clear is in a block, and what it voids below it, and results in others. */
  #eraseBlocks(entity: string, owner: number): void {
    const { blocks } = this.#parts;
    blocks.turn();
    const eraser = new BlockEraser(this.#setup.kernels, blocks);
    // One by one: should the next meet damage, memory must not be ahead of storage.
    const persist = (ops: StorageOp[]): void => {
      if (ops.length > 0) this.#owner.emit({ kind: "persist", ops });
    };
    for (const prefix of [OUTBOX, ...KEPT_PREFIXES]) persist(eraser.hidden(prefix));
    persist(eraser.entity(entity));
    persist(eraser.results((requestId, text) => Results.erasedText(owner, requestId, text)));
  }

  /** The packed ones anew, without those that are gone. */
  #storeEdgeResults(): void {
    const { results } = this.#parts;
    const { kernels } = this.#setup;
    const { folded } = this.#parts.log;
    const expires = this.#owner.now + LIMITS.edgeResultMs;
    const kept = results.edgeBetween(-1, folded);
    const ops = [...chunksBySize(kept)].map(
      (chunk, part) => ({ op: "put-recent", seq: folded, part, expires, bytes: encodeRecent(kernels, chunk) }) as const,
    );
    this.#owner.emit({ kind: "persist", ops: [{ op: "drop-recent", expiredAt: Number.MAX_SAFE_INTEGER }, ...ops] });
    this.#owner.emit({ kind: "persist", ops: [{ op: "put-meta", name: "forgotten", value: results.forgotten }] });
  }
}
const NOTHING = new Uint8Array(0);

function reply(value: object): AdminReply {
  return { status: 200, body: JSON.stringify(value), epoch: "" };
}

function problem(type: ProblemType, detail: string, members?: Readonly<Record<string, unknown>>): AdminReply {
  return { ...problemAnswer(type, detail, members), epoch: "" };
}

const ELSEWHERE = problem("keys-moving", "another partition keeps this key", { retryable: true });
const MOVING = problem("keys-moving", "key groups are moving from one partition to another", { retryable: true });
